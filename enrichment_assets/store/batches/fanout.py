"""Child items: rows, leases and states of what an answer emitted, in the transaction that applies the answer.

`(batch, origin_key)` is unique: however often an answer is applied, read again, or given about another parent, a child
is there once, and stays as it was made first. Where a batch has a target, no child beyond it is made: the turn that
each transaction takes makes the count exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from enrichment_assets.domain.emission import Child, Emission
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.identity_hashes import HASH_BYTES
from enrichment_assets.domain.statuses import SkipReason
from enrichment_assets.store.batches.known import REASON
from enrichment_assets.store.database import AsyncConnection, Connection
from enrichment_assets.store.states.transitions import laying_out

CHUNK = 2_000
"""Children per statement: bounds its memory, whatever one answer holds."""

Emitted = Sequence[tuple[int, Emission]]
"""(parent item id, what it emits) each."""

_LOCK = "select pg_advisory_xact_lock(hashtextextended('fan-out of batch ' || %s::text, 0))"
"""Runs on one batch insert children one after the other: two that meet the same people in another order would wait for
each other's unique keys for ever."""

_FIELDS = ", ".join(f'"{name}"' for name in IDENTITY_FIELDS)

_STATES = laying_out("""select m.id, s.slug, %(batch)s, %(client)s, s.position,
         case when takes.it and m.known is null then 'PENDING' else 'SKIPPED' end,
         coalesce(m.known, case when not takes.it then %(reason)s::text end)
  from children m
  cross join unnest(%(positions)s::smallint[], %(slugs)s::text[], %(ways)s::text[]) as s(position, slug, way)
  cross join lateral (select s.way = 'runs' or s.way = 'shares' and m.same_company as it) takes
  order by m.id, s.position""")

_HASHES = f"""select substring({{of}} from at for {HASH_BYTES}) as hash
      from generate_series(1, length({{of}}), {HASH_BYTES}) as at"""

_KNOWN = f"""(
    with hashes as ({_HASHES.format(of="g.compared")}) {REASON}
  )"""

# Children of one answer are no earlier leads of each other: this statement does not see what it inserts here.
_REMEMBERED = f"""remembered as (
  insert into known_identities (client_id, hash, item_id, batch_id, compared)
  select %(client)s, h.hash, m.id, %(batch)s, w.compared
  from children m cross join lateral (values (m.compared, true), (m.further, false)) as w(hashes, compared)
  cross join lateral ({_HASHES.format(of="w.hashes")}) h
  on conflict do nothing
), """


_COUNTED = """
    select count(*) from batch_items b
    where b.batch_id = %(batch)s and b.row_number = 0 and split_part(b.origin_key, ':', 1) = %(workflow)s
      and not exists (select from workflow_states s where s.item_id = b.id and s.workflow_slug = %(workflow)s
                      and s.status = 'SKIPPED' and starts_with(s.reason, 'known:'))"""
"""Children of a step that count towards the batch's target: whom the client has already is none that it looked for."""


def _inserting(*, asks: bool) -> str:
    """The statement that makes children; `asks`: those that the client knows from earlier batches are skipped."""
    return f"""
with given as (
  select * from unnest(
    %(parent)b::bigint[], %(origin)b::text[], %(company)b::text[], %(same)b::bool[], %(original)b::text[],
    %(details)b::text[], %(rejected)b::text[],{" %(compared)b::bytea[], %(further)b::bytea[]," if asks else ""}
    {", ".join(f"%({name})b::text[]" for name in IDENTITY_FIELDS)}
  ) with ordinality as g(parent_id, origin_key, company_key, same_company, original, details, rejected,
                         {"compared, further, " if asks else ""}{_FIELDS}, ord)
), judged as (
  select g.*, {_KNOWN if asks else "null::text"} as known from given g
), placed as (
  select g.*, count(*) filter (where g.known is null) over (order by g.ord) as place from judged g
  where %(most)s::bigint is null
     or not exists (select from batch_items b where b.batch_id = %(batch)s and b.origin_key = g.origin_key)
), wanted as (
  select * from placed
  where %(most)s::bigint is null or place <= %(most)s::bigint - ({_COUNTED})
), made as (
  insert into batch_items (client_id, batch_id, row_number, parent_item_id, origin_key, company_key, {_FIELDS},
                           original_data, details, rejected)
  select %(client)s, %(batch)s, 0, parent_id, origin_key, company_key, {_FIELDS}, original::jsonb, details::jsonb,
         rejected::jsonb
  from wanted order by ord
  on conflict (batch_id, origin_key) do nothing  -- guard: one-child-an-origin
  returning id, origin_key, parent_item_id
), leased as (
  insert into item_leases (item_id, batch_id, fence) select id, %(batch)s, 0 from made  -- guard: children-have-leases
), children as materialized (
  select m.id, g.same_company{", g.compared, g.further" if asks else ""}, g.known
  from made m join wanted g on g.origin_key = m.origin_key and g.parent_id = m.parent_item_id
), {_REMEMBERED if asks else ""}laid_out as (
  {_STATES}
)
select count(*) as made from made
"""


_INSERT = {asks: _inserting(asks=asks) for asks in (False, True)}


# one row: by its key
async def take_turn(connection: AsyncConnection, batch_id: int) -> None:
    """Wait until no other transaction inserts children into this batch; held until this one ends."""
    await connection.execute(_LOCK, (batch_id,))


async def insert_children(
    connection: AsyncConnection, client_id: int, batch_id: int, emitted: Emitted, *, simulated: bool = False
) -> None:
    """Make the children that are not there yet, in the transaction that moves the states and has taken its turn.

    Only for states that this transaction has moved: nothing else compares the fence here. Where the batch asks, those
    that the client knows from earlier batches of the same world (`simulated` or not) are skipped.
    """
    for parameters in _chunks(client_id, batch_id, emitted, simulated=simulated):
        await connection.execute(_INSERT["compared" in parameters], parameters)


async def count_children(connection: AsyncConnection, batch_id: int, workflow: str) -> int:
    """How many items of a batch were emitted by this step, without those that the client had before."""
    cursor = await connection.execute(f"select ({_COUNTED}) as there", {"batch": batch_id, "workflow": workflow})
    row = await cursor.fetchone()
    return int(row["there"]) if row else 0


def insert_children_replayed(
    connection: Connection, client_id: int, batch_id: int, emitted: Emitted, *, simulated: bool = False
) -> int:
    """The same for a replay, which holds the batch against runs; how many there were."""
    made = 0
    for parameters in _chunks(client_id, batch_id, emitted, simulated=simulated):
        row = connection.execute(_INSERT["compared" in parameters], parameters).fetchone()
        made += int(row["made"]) if row else 0
    return made


def origins_there(connection: Connection, batch_id: int, emitted: Emitted) -> set[str]:
    """Those `origin_key`s of emitted children that the batch has already."""
    keys = [child.origin_key for _, emission in emitted for child in emission.children]
    rows = connection.execute(
        "select origin_key from batch_items where batch_id = %s and origin_key = any(%s::text[])", (batch_id, keys)
    ).fetchall()
    return {row["origin_key"] for row in rows}


def _chunks(client_id: int, batch_id: int, emitted: Emitted, *, simulated: bool) -> Iterator[dict[str, Any]]:
    """Parameters of `_INSERT`; children of one emitting step at a time, each origin once."""
    by_workflow: dict[str, dict[str, tuple[int, Child]]] = {}
    routes, mosts = {}, {}
    for parent_id, emission in emitted:
        routes[emission.workflow], mosts[emission.workflow] = emission.route, emission.most_in_batch
        children = by_workflow.setdefault(emission.workflow, {})
        for child in emission.children:
            children.setdefault(child.origin_key, (parent_id, child))
    for workflow, children in by_workflow.items():
        route = routes[workflow]
        steps = {
            "positions": [step.position for step in route],
            "slugs": [step.slug for step in route],
            "ways": [step.way for step in route],
            "workflow": workflow,
            "most": mosts[workflow],
            "reason": f"{SkipReason.INHERITED.value}: by {workflow}",
            "client": client_id,
            "batch": batch_id,
            "simulated": simulated,
        }
        rows = list(children.values())
        for start in range(0, len(rows), CHUNK):
            yield {**steps, **_columns(rows[start : start + CHUNK])}


def _columns(rows: Sequence[tuple[int, Child]]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        "parent": [parent_id for parent_id, _ in rows],
        "origin": [child.origin_key for _, child in rows],
        "company": [child.company_key for _, child in rows],
        "same": [child.same_company for _, child in rows],
        "original": [child.original for _, child in rows],
        "details": [child.details for _, child in rows],
        "rejected": [child.rejected for _, child in rows],
    }
    if all(child.known is not None for _, child in rows):
        columns |= {"compared": [child.known[0] for _, child in rows if child.known is not None]}
        columns |= {"further": [child.known[1] for _, child in rows if child.known is not None]}
    cells = zip(*(child.identity for _, child in rows), strict=True)
    return {**columns, **{name: list(column) for name, column in zip(IDENTITY_FIELDS, cells, strict=True)}}
