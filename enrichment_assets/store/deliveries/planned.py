"""Leads that are to go to a destination: what a plan writes of them, and what a run reads of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from enrichment_assets.domain.delivery_courses import Content, Course, There
from enrichment_assets.store.database import AsyncConnection, Connection
from enrichment_assets.store.deliveries.gate import REFUSED_SINCE
from enrichment_assets.store.deliveries.standing import THERE, there_of
from enrichment_assets.store.states.transitions import planning


@dataclass(slots=True)
class PlannedLead:
    """A lead as it was when it was planned, and what stands for it there.

    Attributes:
        key: Of `deliveries`.
        identities: Hashes of all by whom it is known, one behind the other.
        lead: The columns that the delivery reads.
        content: What it says to the destination.
        approvals: What it was approved by; None: it needs none.
        actor: Who asked for it.
        there: As it was when it was loaded.
        call: The last call about it: its id, number of attempts, and what was set aside for it.
        current: What the destination has now, where it was read.
        followed_for: Of a step of a sequence: seconds since the step before it was delivered, or since what it waits
            for there; None: it was not.
        followed: Of a step of a sequence: the id that the step before it has at its destination.
        refused: Why the gate, which it passed, would refuse it now.
        corrected: A column that somebody corrected since it was planned, which so says what is not true any more.
        passed_over: The batch was planned again since that, for other leads: no further plan will set it right.
        left_out: Fields that the destination does not take as they are -> why; they are not written.
        kept: Fields that somebody changed there, and that are left so.
        course: What was decided about it last, and by what.
    """

    key: str
    target: str
    identity: bytes
    identity_field: str
    identities: bytes
    lead: Mapping[str, Any]
    content: Content
    approvals: Sequence[int] | None
    actor: str
    there: There | None = None
    call: tuple[int, int, Decimal] | None = None
    current: Mapping[str, Any] | None = field(default=None)
    followed_for: float | None = None
    followed: str | None = None
    refused: str | None = None
    corrected: str | None = None
    passed_over: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)
    kept: Sequence[str] = ()
    course: tuple[tuple[object, ...], Course] | None = None


_CORRECTED = """
  select e.field, b.planned_at > e.edited_at as passed_over from (
    select distinct on (e.field) e.field, e.value, e.edited_at from item_edits e
    where e.batch_id = p.batch_id and e.item_id = p.item_id and p.lead ? e.field order by e.field, e.id desc
  ) e
  where e.edited_at > p.planned_at and e.value is distinct from p.lead ->> e.field
  order by passed_over, e.field limit 1
"""
"""A column of a planned lead `p` that was corrected since, by the latest word on it. At most one row."""

_WAITED = """
  select case
    when s.said ->> 'event' is not null then (
      select max(v.happened_at) from delivery_events v
      where v.kind = s.said ->> 'event' and (v.delivery_id = e.id or v.item_id = e.item_id))
    when jsonb_array_length(coalesce(s.said -> 'status', '[]')) > 0 then (
      select case when exists (
               select from jsonb_array_elements_text(s.said -> 'status') one
               where lower(one) = lower(v.data ->> 'value')) then v.happened_at end
      from delivery_events v where v.delivery_id = e.id and v.kind = 'status_changed'
      order by v.happened_at desc, v.id desc limit 1)
    else e.first_delivered_at end as since
"""
"""Since when what a step `s.said` waits for holds, of the step before it (`e`); null: it does not."""


# crash point: planned-leads-are-loaded
async def load_planned(
    connection: AsyncConnection, item_ids: Sequence[int], slugs: Sequence[str], *, simulated: bool
) -> dict[tuple[int, str], PlannedLead]:
    """(item id, workflow) -> the lead as it was planned, with what stands for it now.

    `simulated`: the leads go to the simulator; a step of a sequence follows what went to the same world.
    """
    cursor = await connection.execute(
        f"""
        select p.item_id as item, p.workflow_slug as slug, p.key, p.target, p.identity_sha256, p.identity_field,
               p.identities, p.lead, p.fields, p.content_sha256, p.read_sha256, p.approval_ids, b.asked_by, {THERE},
               c.id as call, c.attempt, c.estimated_cost, f.followed_for, f.followed, since.why as refused,
               corrected.field as corrected, coalesce(corrected.passed_over, false) as passed_over
        from planned_deliveries p
        join batch_deliveries b on b.batch_id = p.batch_id and b.workflow_slug = p.workflow_slug
        left join deliveries d on d.key = p.key left join provider_calls c on c.id = d.call_id
        left join lateral (
          select extract(epoch from clock_timestamp() - w.since)::float8 as followed_for, e.external_id as followed
          from (select b.step #> '{{workflow,delivery,follows}}' as said) s
          join delivery_identities k on k.client_id = p.client_id and k.destination = s.said ->> 'delivery'
            and k.simulated = %s and k.identity_sha256 = any(p.identities)
          join deliveries e on e.key = k.key
          cross join lateral ({_WAITED}) w
          where w.since is not null order by w.since desc limit 1
        ) f on true
        left join lateral ({REFUSED_SINCE}) since on true
        left join lateral ({_CORRECTED}) corrected on true
        where p.item_id = any(%s::bigint[]) and p.workflow_slug = any(%s::text[])
        """,
        (simulated, list(item_ids), list(slugs)),
    )
    return {(row["item"], row["slug"]): _planned(row) for row in await cursor.fetchall()}


def _planned(row: Mapping[str, Any]) -> PlannedLead:
    return PlannedLead(
        key=row["key"],
        target=row["target"],
        identity=bytes(row["identity_sha256"]),
        identity_field=row["identity_field"],
        identities=b"".join(map(bytes, row["identities"])),
        lead=row["lead"],
        content=Content(row["fields"], bytes(row["read_sha256"]), bytes(row["content_sha256"])),
        approvals=row["approval_ids"],
        actor=row["asked_by"],
        there=there_of(row),
        followed_for=row["followed_for"],
        followed=row["followed"],
        call=None if row["call"] is None else (row["call"], row["attempt"], row["estimated_cost"]),
        refused=row["refused"],
        corrected=row["corrected"],
        passed_over=row["passed_over"],
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom a plan asks about: an item, and by what its lead is known at a target, the surest first."""

    item_id: int
    target: str
    identities: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a lead: the key that it has at the destination, and what stands for it there."""

    key: str
    there: There | None


_KNOWN = f"""
with asked as (
  select * from unnest(%(ord)s::int4[], %(target)s::text[], %(hash)s::bytea[]) with ordinality
    as a(ord, target, hash, place)
), items as (
  select * from unnest(%(item_ord)s::int4[], %(item)s::bigint[], %(item_target)s::text[]) as i(ord, item_id, target)
), keyed as (
  select a.ord, a.place, k.key from asked a
  join delivery_identities k on k.client_id = %(client)s and k.destination = %(destination)s
    and k.target = a.target and k.simulated = %(simulated)s and k.identity_sha256 = a.hash
  union all
  select i.ord, 2147483647, e.key from items i
  join deliveries e on e.item_id = i.item_id and e.client_id = %(client)s and e.destination = %(destination)s
    and e.target = i.target and e.simulated = %(simulated)s
), first as (
  select distinct on (ord) ord, key from keyed order by ord, place
)
select f.ord, f.key, {THERE} from first f left join deliveries d on d.key = f.key
"""


def known_leads(
    connection: Connection, client_id: int, destination: str, asked: Sequence[Asked], *, simulated: bool
) -> list[Found | None]:
    """For each what is known of it at the destination: by one of its identities, or by the item itself.

    A lead whose address was corrected is still the same item; one that comes again under another address is known by
    its profile. None: it was never there.
    """
    rows = connection.execute(
        _KNOWN,
        {
            "client": client_id,
            "destination": destination,
            "simulated": simulated,
            "ord": [number for number, one in enumerate(asked) for _ in one.identities],
            "target": [one.target for one in asked for _ in one.identities],
            "hash": [value for one in asked for value in one.identities],
            "item_ord": list(range(len(asked))),
            "item": [one.item_id for one in asked],
            "item_target": [one.target for one in asked],
        },
    ).fetchall()
    found: list[Found | None] = [None] * len(asked)
    for row in rows:
        found[row["ord"]] = Found(row["key"], there_of(row))
    return found


@dataclass(frozen=True, slots=True)
class PlanRow:
    """What a plan writes of one item. `reason`: why it does not go; None: it goes, and the rest is there.

    `lead`, `fields` are JSON texts. `due_in`: seconds from now before which it does not go. `is_there`: it is left
    alone, for all is well with it; where it was delivered from this very item it stays what it is.
    """

    item_id: int
    reason: str | None
    key: str = ""
    target: str = ""
    identity: bytes = b""
    identity_field: str = ""
    identities: Sequence[bytes] = ()
    lead: str = "{}"
    fields: str = "{}"
    content: bytes = b""
    read: bytes = b""
    approvals: Sequence[int] | None = None
    due_in: float | None = None
    is_there: bool = False


def free_items(connection: Connection, batch_id: int, slug: str, item_ids: Sequence[int]) -> set[int]:
    """Those of these items that no run works on and whose delivery is not under way; locked until the commit."""
    rows = connection.execute(
        """
        select l.item_id from item_leases l
        where l.batch_id = %(batch)s and l.item_id = any(%(items)s::bigint[])
          and (l.runner_id is null or exists (
            select from runners r
            where r.id = l.runner_id and (r.ended_at is not null or r.expires_at < clock_timestamp())))
          and not exists (
            select from workflow_states s
            where s.item_id = l.item_id and s.workflow_slug = %(slug)s
              and (s.status in ('IN_PROGRESS', 'AMBIGUOUS') or exists (
                select from provider_calls c
                where c.item_id = s.item_id and c.workflow_slug = s.workflow_slug
                  and c.state in ('intent', 'received', 'sent', 'ambiguous'))))
        order by l.item_id for update of l skip locked
        """,
        {"batch": batch_id, "items": list(item_ids), "slug": slug},
    ).fetchall()
    return {row["item_id"] for row in rows}


_STATES = planning(
    """select item_id, %(slug)s, %(batch)s, %(client)s, %(position)s,
         case when reason is null then 'PENDING' else 'SKIPPED' end, reason,
         clock_timestamp() + make_interval(secs => due_in), clock_timestamp()
  from given where item_id not in (select item_id from stays)"""
)


# crash point: plan-is-written
def write_plan(
    connection: Connection, client_id: int, batch_id: int, slug: str, position: int, rows: Sequence[PlanRow]
) -> None:
    """Write how items stand at a destination: PENDING with the lead as it is now, or SKIPPED with a reason.

    What was delivered and is left alone stays COMPLETED: a mail that has left would else count as one that has not.
    The caller holds the items (`free_items`).
    """
    connection.execute(
        f"""
        with given as (
          select * from unnest(%(item)s::bigint[], %(reason)s::text[], %(key)s::text[], %(target)s::text[],
                               %(identity)s::bytea[], %(identity_field)s::text[], %(identities)s::text[],
                               %(lead)s::text[], %(fields)s::text[], %(content)s::bytea[], %(read)s::bytea[],
                               %(approvals)s::text[], %(due_in)s::float8[], %(is_there)s::bool[])
            as g(item_id, reason, key, target, identity, identity_field, identities, lead, fields, content, read,
                 approvals, due_in, is_there)
        ), stays as (
          select g.item_id from given g join workflow_states w on w.item_id = g.item_id and w.workflow_slug = %(slug)s
          where g.is_there and w.status = 'COMPLETED'
        ), gone as (
          delete from planned_deliveries p using given g
          where p.item_id = g.item_id and p.workflow_slug = %(slug)s and g.reason is not null
            and g.item_id not in (select item_id from stays)
        ), planned as (
          insert into planned_deliveries (item_id, workflow_slug, batch_id, client_id, key, target, identity_sha256,
                                          identity_field, identities, lead, fields, content_sha256, read_sha256,
                                          approval_ids, planned_at)
          select item_id, %(slug)s, %(batch)s, %(client)s, key, target, identity, identity_field,
                 identities::bytea[], lead::jsonb, fields::jsonb, content, read, approvals::bigint[],
                 coalesce((select d.planned_at from batch_deliveries d
                           where d.batch_id = %(batch)s and d.workflow_slug = %(slug)s), clock_timestamp())
          from given where reason is null
          on conflict (item_id, workflow_slug) do update
          set key = excluded.key, target = excluded.target, identity_sha256 = excluded.identity_sha256,
              identity_field = excluded.identity_field, identities = excluded.identities, lead = excluded.lead,
              fields = excluded.fields, content_sha256 = excluded.content_sha256, read_sha256 = excluded.read_sha256,
              approval_ids = excluded.approval_ids, planned_at = excluded.planned_at
        )
        {_STATES}
        """,
        {
            "slug": slug,
            "batch": batch_id,
            "client": client_id,
            "position": position,
            "item": [row.item_id for row in rows],
            "reason": [row.reason for row in rows],
            "key": [row.key for row in rows],
            "target": [row.target for row in rows],
            "identity": [row.identity for row in rows],
            "identity_field": [row.identity_field for row in rows],
            "identities": [_array(row.identities) for row in rows],
            "lead": [row.lead for row in rows],
            "fields": [row.fields for row in rows],
            "content": [row.content for row in rows],
            "read": [row.read for row in rows],
            "approvals": [
                None if row.approvals is None else f"{{{','.join(map(str, row.approvals))}}}" for row in rows
            ],
            "due_in": [row.due_in for row in rows],
            "is_there": [row.is_there for row in rows],
        },
    )


def _array(values: Sequence[bytes]) -> str:
    """Hashes as the text of a `bytea[]`."""
    return "{" + ",".join(f'"\\\\x{value.hex()}"' for value in values) + "}"
