"""Families of a batch: which have ended and are not written as they stand, who belongs to them, and what was written.

A family is a root with its children (`domain.families`). It has ended when no step of it is PENDING, IN_PROGRESS or
AMBIGUOUS. What its tables are made of (states, answers, corrections) has a checksum, so that a retry, a replay or an
edit writes it again, and nothing else does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from enrichment_assets.domain.families import FamilyStatus
from enrichment_assets.domain.statuses import SkipReason
from enrichment_assets.store.database import Connection
from enrichment_assets.store.states.transitions import OF_STEPS

_STOPPED = ", ".join(f"'{reason.value}'" for reason in (SkipReason.BUDGET, SkipReason.GIVEN_UP))

_MEMBERS = """
members as materialized (
  with recursive member as (
    select i.id, i.id as root, i.company_key from batch_items i
    where i.batch_id = %(batch)s and i.parent_item_id is null
    union all
    select c.id, m.root, m.company_key
    from member m join batch_items c on c.parent_item_id = m.id and c.batch_id = %(batch)s
  )
  select id, root,
         case when %(of)s = 'company' and company_key is not null
              then min(root) over (partition by company_key) else root end as family
  from member
)"""

_STATE = """md5(concat_ws(' ', count(*), sum(extract(epoch from s.advanced_at)), sum(extract(epoch from r.fetched_at)),
                       sum(e.edits)))"""
"""What the tables of a family are made of, in few letters: its states `s`, their results `r`, corrections `e`."""

_ENDED = f"""
with {_MEMBERS}, stood as materialized (
  select m.family, bool_or(s.status in ('PENDING', 'IN_PROGRESS', 'AMBIGUOUS')) as is_open,
         max(s.advanced_at) as ended_at,
         {_STATE} as state
  from members m join workflow_states s on s.item_id = m.id
  left join enrichment_results r on r.id = s.result_id
  left join (select item_id, sum(id) as edits from item_edits where batch_id = %(batch)s group by item_id) e
    on e.item_id = m.id
  where s.batch_id = %(batch)s and {OF_STEPS}
  group by m.family
)
select s.family, s.state, coalesce(s.ended_at, clock_timestamp()) as ended_at
from stood s left join item_families f on f.item_id = s.family
where not s.is_open
  and (f.state is distinct from s.state or %(again)s and f.written_at is null and f.problem is not null)
order by s.family
"""


@dataclass(frozen=True, slots=True)
class EndedFamily:
    """A family that has ended, by its first root, with the checksum of what its tables would be made of."""

    item_id: int
    state: str
    ended_at: datetime


def ended_families(
    connection: Connection, batch_id: int, of: Literal["row", "company"], *, again: bool = False
) -> list[EndedFamily]:
    """The families that have ended and are not written as they stand; `again`: also those that could not be written.

    One reading of the batch's items and one of its states.
    """
    with _hashed(connection):
        rows = connection.execute(_ENDED, {"batch": batch_id, "of": of, "again": again}).fetchall()
    return [EndedFamily(row["family"], row["state"], row["ended_at"]) for row in rows]


@contextmanager
def _hashed(connection: Connection) -> Iterator[None]:
    """Joins by hash: of a batch that is being filled Postgres knows little, and would read it once for each row."""
    connection.execute("set local enable_nestloop = off")
    yield
    connection.execute("set local enable_nestloop = on")


@dataclass(slots=True)
class Relatives:
    """Who is in a family and how it went.

    Attributes:
        roots, children: Item ids, in the order of the rows and of their making.
        names: Item id -> `origin_key`.
        failed: (item id, workflow, error class, reason) of the first step that failed; None: none did.
        stopped: Why it ended before it was done; None: it did not.
        suppressed: Children who may not be asked about.
        costs: Workflow -> money.
    """

    roots: list[int] = field(default_factory=list)
    children: list[int] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)
    failed: tuple[int, str, str | None, str | None] | None = None
    stopped: str | None = None
    suppressed: set[int] = field(default_factory=set)
    costs: dict[str, Decimal] = field(default_factory=dict)
    began_at: datetime | None = None


_ROWS_OF_COMPANIES = """
select o.id as family, r.id from batch_items o join batch_items r on r.batch_id = o.batch_id
  and r.company_key = o.company_key
where o.id = any(%s::bigint[]) and o.batch_id = %s and r.parent_item_id is null
"""


def relatives(
    connection: Connection, batch_id: int, of: Literal["row", "company"], families: Sequence[int]
) -> dict[int, Relatives]:
    """The members of these families (by first root), with what their steps came to."""
    found: dict[int, Relatives] = defaultdict(Relatives)
    family_of = {family: family for family in families}
    if of == "company":
        with _hashed(connection):
            rows = connection.execute(_ROWS_OF_COMPANIES, (list(families), batch_id)).fetchall()
        family_of |= {row["id"]: row["family"] for row in rows}
    for root, family in sorted(family_of.items()):
        found[family].roots.append(root)
    parents = list(family_of)
    while parents:
        rows = connection.execute(
            "select id, parent_item_id as parent from batch_items "
            "where batch_id = %s and parent_item_id = any(%s::bigint[]) order by id",
            (batch_id, parents),
        ).fetchall()
        parents = [row["id"] for row in rows]
        for row in rows:
            family = family_of[row["id"]] = family_of[row["parent"]]
            found[family].children.append(row["id"])
    _add_names(connection, family_of, found)
    _add_endings(connection, family_of, found)
    return found


_NOW = f"""
select m.family, {_STATE} as state
from unnest(%s::bigint[], %s::bigint[]) as m(id, family) join workflow_states s on s.item_id = m.id
left join enrichment_results r on r.id = s.result_id
left join (select item_id, sum(id) as edits from item_edits where batch_id = %s and item_id = any(%s::bigint[])
           group by item_id) e on e.item_id = m.id
where {OF_STEPS}
group by m.family
"""


def states_now(connection: Connection, batch_id: int, families: Mapping[int, Relatives]) -> dict[int, str]:
    """First root -> the checksum of `ended_families` as it is now, for these members."""
    members = [(item, family) for family, one in families.items() for item in (*one.roots, *one.children)]
    ids, of = [item for item, _ in members], [family for _, family in members]
    with _hashed(connection):
        rows = connection.execute(_NOW, (ids, of, batch_id, ids)).fetchall()
    return {row["family"]: row["state"] for row in rows}


def _add_names(connection: Connection, family_of: dict[int, int], found: dict[int, Relatives]) -> None:
    for row in connection.execute(
        "select id, origin_key from batch_items where id = any(%s::bigint[])", (list(family_of),)
    ).fetchall():
        found[family_of[row["id"]]].names[row["id"]] = row["origin_key"]
    for row in connection.execute(
        "select item_id, min(created_at) as at from provider_calls where item_id = any(%s::bigint[]) group by item_id",
        (list(family_of),),
    ).fetchall():
        one = found[family_of[row["item_id"]]]
        one.began_at = row["at"] if one.began_at is None else min(one.began_at, row["at"])


def _add_endings(connection: Connection, family_of: dict[int, int], found: dict[int, Relatives]) -> None:
    """Take in what failed, what stopped and what was paid, the first rows and steps first."""
    rows = connection.execute(
        f"""
        select item_id, workflow_slug, status, error_class, reason, cost,
               split_part(coalesce(reason, ''), ':', 1) as skipped
        from workflow_states s
        where item_id = any(%s::bigint[]) and {OF_STEPS} and (cost > 0 or status in ('FAILED', 'CANCELLED')
          or status = 'SKIPPED' and split_part(coalesce(reason, ''), ':', 1) in ({_STOPPED}, 'suppressed'))
        order by item_id, position
        """,
        (list(family_of),),
    ).fetchall()
    for row in rows:
        item, one = row["item_id"], found[family_of[row["item_id"]]]
        slug = row["workflow_slug"]
        if row["cost"]:
            one.costs[slug] = one.costs.get(slug, Decimal(0)) + row["cost"]
        if row["status"] == "FAILED":
            one.failed = one.failed or (item, slug, row["error_class"], row["reason"])
        elif row["status"] == "CANCELLED":
            one.stopped = one.stopped or "cancelled"
        elif row["status"] == "SKIPPED" and row["skipped"] == SkipReason.SUPPRESSED:
            if item in one.roots:
                one.stopped = one.stopped or SkipReason.SUPPRESSED.value
            else:
                one.suppressed.add(item)
        elif row["status"] == "SKIPPED":
            one.stopped = one.stopped or row["skipped"]


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """A row of `item_families`; see there."""

    item_id: int
    status: FamilyStatus
    reason: str | None
    workflow_slug: str | None
    failed_item_id: int | None
    children: int
    cost: Decimal | None
    seconds: int | None
    ended_at: datetime
    state: str
    problem: str | None = None


# crash point: families-are-noted
def note_families(connection: Connection, batch_id: int, client_id: int, rows: Sequence[FamilyRow]) -> None:
    """Keep how these families ended, and that their tables are as they are to be; with a problem they are not.

    Of one that was stopped nothing is written, and that is how its tables are to be.
    """
    connection.cursor().executemany(
        """
        insert into item_families (item_id, client_id, batch_id, status, reason, workflow_slug, failed_item_id,
                                   children, cost, seconds, ended_at, state, problem, written_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
                case when %s then clock_timestamp() end)
        on conflict (item_id) do update
        set status = excluded.status, reason = excluded.reason, workflow_slug = excluded.workflow_slug,
            failed_item_id = excluded.failed_item_id, children = excluded.children, cost = excluded.cost,
            seconds = excluded.seconds, ended_at = excluded.ended_at, state = excluded.state,
            problem = excluded.problem, written_at = excluded.written_at
        """,
        [
            (
                row.item_id, client_id, batch_id, row.status.value, row.reason, row.workflow_slug, row.failed_item_id,
                row.children, row.cost, row.seconds, row.ended_at, row.state, row.problem,
                row.problem is None,
            )
            for row in rows
        ],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class FamilyFigures:
    """The families of a batch that have ended; `unwritten`: their tables could not be written.

    Costs are those of families in one currency; None: there are none. Seconds are from the first attempt to the end.
    """

    families: int
    enriched: int
    failed: int
    stopped: int
    unwritten: int
    children: int
    cost_p50: float | None
    cost_p95: float | None
    seconds_p50: float | None
    seconds_p95: float | None


def figures(connection: Connection, batch_id: int) -> FamilyFigures:
    """What `item_families` has of a batch, counted."""
    row = connection.execute(
        """
        select count(*) as families, count(*) filter (where status = 'enriched') as enriched,
               count(*) filter (where status = 'failed') as failed,
               count(*) filter (where status = 'stopped') as stopped, count(problem) as unwritten,
               coalesce(sum(children), 0)::bigint as children,
               percentile_cont(0.5) within group (order by cost::float8) as cost_p50,
               percentile_cont(0.95) within group (order by cost::float8) as cost_p95,
               percentile_cont(0.5) within group (order by seconds) as seconds_p50,
               percentile_cont(0.95) within group (order by seconds) as seconds_p95
        from item_families where batch_id = %s
        """,
        (batch_id,),
    ).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has one row
    return FamilyFigures(**row)


def unwritten(connection: Connection, batch_id: int) -> dict[str, int]:
    """Why families of a batch are not in their tables -> how many, the most first."""
    rows = connection.execute(
        "select problem, count(*) as families from item_families where batch_id = %s and problem is not null "
        "group by problem order by families desc, problem",
        (batch_id,),
    ).fetchall()
    return {row["problem"]: row["families"] for row in rows}
