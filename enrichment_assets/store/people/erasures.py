"""The statements on `person_erasures` and `written_files`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from enrichment_assets.domain.identity_hashes import HASH_BYTES
from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class Erasure:
    """One erasure. `sealed`: what is looked for, while something is left to do; `hashes`: 32 bytes each, in a row."""

    id: int
    client_id: int | None
    client: str | None
    subject: str
    hashes: bytes
    sealed: bytes | None
    item_ids: list[int]
    reason: str
    actor: str
    progress: dict[str, Any]
    certificate: dict[str, Any] | None
    requested_at: datetime
    finished_at: datetime | None

    @property
    def each_hash(self) -> frozenset[bytes]:
        """The hashes one by one."""
        return frozenset(self.hashes[at : at + HASH_BYTES] for at in range(0, len(self.hashes), HASH_BYTES))


_SHOWN = """
    select e.id, e.client_id, c.slug as client, e.subject, e.hashes, e.sealed, e.item_ids, e.reason, e.actor,
           e.progress, e.certificate, e.requested_at, e.finished_at
    from person_erasures e left join clients c on c.id = e.client_id
"""


def ask_for(
    connection: Connection,
    *,
    client_id: int | None,
    subject: str,
    hashes: Sequence[bytes],
    sealed: bytes | None,
    items: Sequence[int],
    reason: str,
    actor: str,
) -> int:
    """Write down that somebody is to be erased; one who was is opened again, with all that is known by now."""
    row = connection.execute(
        """
        insert into person_erasures as e (client_id, subject, hashes, sealed, item_ids, reason, actor)
        values (%(client)s, %(subject)s, %(hashes)s, %(sealed)s, %(items)s, %(reason)s, %(actor)s)
        on conflict (subject) do update
        set client_id = case when e.client_id = excluded.client_id then e.client_id end,
            hashes = excluded.hashes, sealed = excluded.sealed, finished_at = null, progress = '{}',
            item_ids = array(select distinct unnest(e.item_ids || excluded.item_ids) order by 1),
            reason = excluded.reason, actor = excluded.actor, requested_at = clock_timestamp()
        returning id
        """,
        {
            "client": client_id,
            "subject": subject,
            "hashes": b"".join(hashes),
            "sealed": sealed,
            "items": list(items),
            "reason": reason,
            "actor": actor,
        },
    ).fetchone()
    assert row is not None  # noqa: S101
    return int(row["id"])


def get(connection: Connection, erasure_id: int) -> Erasure | None:
    """One erasure, or None."""
    return _one(connection.execute(f"{_SHOWN} where e.id = %s", (erasure_id,)).fetchone())


def by_subject(connection: Connection, subject: str) -> Erasure | None:
    """The erasure of a subject, or None."""
    return _one(connection.execute(f"{_SHOWN} where e.subject = %s", (subject,)).fetchone())


def unfinished(connection: Connection) -> list[int]:
    """Ids of the erasures that are not done, the oldest first."""
    rows = connection.execute("select id from person_erasures where finished_at is null order by id")
    return [row["id"] for row in rows]


def all_of_them(connection: Connection) -> list[Erasure]:
    """Every erasure, the latest first."""
    rows = connection.execute(f"{_SHOWN} order by e.id desc").fetchall()
    return [one for row in rows if (one := _one(row)) is not None]


def in_force(connection: Connection, client_id: int) -> dict[bytes, int]:
    """Hash -> erasure that it belongs to: of all who were erased for this client or for every client."""
    rows = connection.execute(
        "select id, hashes from person_erasures where client_id is null or client_id = %s", (client_id,)
    ).fetchall()
    found: dict[bytes, int] = {}
    for row in rows:
        hashes = bytes(row["hashes"])
        found |= {hashes[at : at + HASH_BYTES]: row["id"] for at in range(0, len(hashes), HASH_BYTES)}
    return found


# crash point: progress-is-noted
def note_progress(connection: Connection, erasure_id: int, place: str, done: dict[str, Any]) -> None:
    """Write down what was done at a place, in the transaction that did it where that is one of HQ's."""
    connection.execute(
        "update person_erasures set progress = progress || %s where id = %s", (Jsonb({place: done}), erasure_id)
    )


def finish(connection: Connection, erasure_id: int, certificate: dict[str, Any]) -> None:
    """The erasure is done: its certificate stays, and its values go, out of what was given as the reason too."""
    connection.execute(
        """
        update person_erasures set finished_at = clock_timestamp(), certificate = %s, sealed = null,
               reason = %s, looked_at = clock_timestamp()
        where id = %s
        """,
        (Jsonb(certificate), certificate["reason"], erasure_id),
    )


def own_call(items: str) -> str:
    """SQL condition on a call `c` of one of the person's items (`items`: SQL of all their ids): it is about them.

    A call about their company is not, and of a question that may be reused the answer is other people's too where it
    counts for items of theirs.
    """
    return f"""(starts_with(c.subject_key, 'item:') or starts_with(c.subject_key, 'question:') and not exists (
        select 1 from workflow_states o join enrichment_results a on a.id = o.result_id
        where o.batch_id = c.batch_id and o.workflow_slug = c.workflow_slug and a.call_id = c.id
          and o.item_id <> all({items})))"""


def came_back(connection: Connection) -> list[int]:
    """Ids of erasures of whose items something is known again: an answer that was under way has come."""
    rows = connection.execute(
        f"""
        select distinct e.id from person_erasures e cross join lateral unnest(e.item_ids) as i(item_id)
        where e.finished_at is not null and (
          exists (select 1 from enrichment_results r left join provider_calls c on c.id = r.call_id
                  where r.item_id = i.item_id and r.fields <> '{{}}'
                    and (r.call_id is null or c.item_id = r.item_id and {own_call("e.item_ids")}))
          or exists (select 1 from provider_calls c left join callback_inbox n on n.call_id = c.id
                     where c.item_id = i.item_id and {own_call("e.item_ids")}
                       and c.state in ('applied', 'failed', 'ambiguous')
                       and (c.response_body is not null or (n.body is not null and n.status <> 'new'))))
        """
    )
    return sorted(row["id"] for row in rows)


def anybody(connection: Connection) -> bool:
    """Whether somebody was erased, or is being."""
    row = connection.execute("select exists (select 1 from person_erasures) as found").fetchone()
    return bool(row and row["found"])


def settled_since(connection: Connection) -> list[int]:
    """Ids of the batches that finished since somebody who was erased was last looked for."""
    rows = connection.execute(
        """
        select b.id from batches b, (select min(looked_at) as at from person_erasures where finished_at is not null) l
        where b.finished_at >= l.at or b.extracted_at >= l.at order by b.id
        """
    )
    return [row["id"] for row in rows]


def note_look(connection: Connection) -> None:
    """Whoever was erased has been looked for until now."""
    connection.execute("update person_erasures set looked_at = statement_timestamp() where finished_at is not null")


def open_again(connection: Connection, erasure_id: int, sealed: bytes, items: Sequence[int]) -> None:
    """Let an erasure be done once more, for what is known of the person now."""
    connection.execute(
        """
        update person_erasures
        set finished_at = null, progress = '{}', sealed = %s,
            item_ids = array(select distinct unnest(item_ids || %s::bigint[]) order by 1)
        where id = %s
        """,
        (sealed, list(items), erasure_id),
    )


# one row: an insert
def note_file(connection: Connection, kind: str, batch_key: str | None, host: str, path: str) -> None:
    """Write down that a command wrote a file for somebody: a report, or an export."""
    connection.execute(
        "insert into written_files (kind, batch_key, host, path) values (%s, %s, %s, %s)", (kind, batch_key, host, path)
    )


def written(connection: Connection, client_id: int | None) -> list[dict[str, Any]]:
    """The files that were written, the latest of each path: kind, host, path; none of another client's batch."""
    return connection.execute(
        """
        select distinct on (f.host, f.path) f.kind, f.host, f.path
        from written_files f left join batches b using (batch_key)
        where %(client)s::bigint is null or b.id is null or b.client_id = %(client)s
        order by f.host, f.path, f.id desc
        """,
        {"client": client_id},
    ).fetchall()


def _one(row: dict[str, Any] | None) -> Erasure | None:
    if row is None:
        return None
    sealed = None if row["sealed"] is None else bytes(row["sealed"])
    return Erasure(**{**row, "hashes": bytes(row["hashes"]), "sealed": sealed})
