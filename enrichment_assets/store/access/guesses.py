"""The statements on `login_guesses`: a login counts as failed before it is looked at, and is forgiven when it succeeds.

So a hundred guesses at once count as a hundred, however long a password takes to check.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enrichment_assets.store.database import Connection

FORGOTTEN_HOURS = 24
"""After so long without another failure a subject begins anew."""

_SWEPT = 20
"""Rows that are over which each guess takes out: the table holds a day of guesses, however many there were."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is counted.

    Attributes:
        mark: Keyed hash of who it is.
        free: Failures that cost nothing.
        longest: Seconds that the next guess waits at most: two after the first failure too many, then twice the last.
    """

    mark: bytes
    free: int
    longest: float


def count_guess(connection: Connection, subjects: Sequence[Subject]) -> float:
    """Count a guess for each subject: 0, or the seconds to wait, and then it is counted for none.

    Subjects are locked in the order of their marks, and the caller commits before it looks at the guess: of guesses at
    the same time each sees what those before it have left.
    """
    ordered = sorted(subjects, key=lambda subject: subject.mark)
    columns = {
        "marks": [subject.mark for subject in ordered],
        "free": [subject.free for subject in ordered],
        "longest": [subject.longest for subject in ordered],
        "hours": FORGOTTEN_HOURS,
    }
    connection.execute(
        """
        insert into login_guesses (subject, failures)
        select mark, 0 from unnest(%(marks)s::bytea[]) with ordinality as s(mark, place) order by place
        on conflict (subject) do nothing
        """,
        columns,
    )
    row = connection.execute(
        """
        with locked as materialized (  -- in a sub-query the condition would be asked first, and lock fewer rows
          select until_at, last_at from login_guesses where subject = any(%(marks)s) order by subject for update
        )
        select max(extract(epoch from until_at - clock_timestamp()))::float8 as wait from locked
        where until_at > clock_timestamp() and last_at > clock_timestamp() - %(hours)s * interval '1 hour'
        """,
        columns,
    ).fetchone()
    if row and row["wait"] is not None:
        return float(row["wait"])
    connection.execute(
        """
        with counted as (
          select g.subject, s.free, s.longest,
            case when g.last_at < clock_timestamp() - %(hours)s * interval '1 hour' then 1 else g.failures + 1 end as n
          from login_guesses g
          join unnest(%(marks)s::bytea[], %(free)s::int[], %(longest)s::float8[]) as s(mark, free, longest)
            on g.subject = s.mark
        )
        update login_guesses g set failures = c.n, last_at = clock_timestamp(),
          until_at = case when c.n > c.free
            then clock_timestamp() + least(c.longest, power(2, least(c.n - c.free, 30))) * interval '1 second' end
        from counted c where g.subject = c.subject
        """,
        columns,
    )
    connection.execute(
        """
        delete from login_guesses where subject in (
          select subject from login_guesses where last_at < clock_timestamp() - %s * interval '1 hour'
          order by last_at limit %s for update skip locked)
        """,
        (FORGOTTEN_HOURS, _SWEPT),
    )
    return 0.0


def take_back(connection: Connection, marks: Sequence[bytes]) -> None:
    """Let one guess of each subject not have been one; those before it stay, whoever made them."""
    connection.execute(
        """
        with locked as materialized (
          select subject from login_guesses where subject = any(%s) order by subject for update
        )
        update login_guesses g set failures = greatest(failures - 1, 0) from locked where g.subject = locked.subject
        """,
        (sorted(marks),),
    )


def forgive(connection: Connection, marks: Sequence[bytes]) -> None:
    """Let subjects begin anew: one of them has shown that it knows the password, or an owner says so."""
    connection.execute("delete from login_guesses where subject = any(%s)", (sorted(marks),))
