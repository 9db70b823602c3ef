"""What the engine loads for items it has just claimed: four set-based reads per claimed group, whatever its size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from enrichment_assets.domain.bulk_answers import Place
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.item_cells import ELEMENT_MEMBERS, StepSources, cells_of_child, cells_of_row, corrections
from enrichment_assets.domain.merge_policy import Given, Source
from enrichment_assets.domain.merging import KnownContacts, merge
from enrichment_assets.domain.statuses import CallState, Status
from enrichment_assets.store.arrays import Bigints
from enrichment_assets.store.calls.places import PLACE, taken_place
from enrichment_assets.store.calls.readings import INLINE
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.deliveries.planned import PlannedLead


@dataclass(slots=True)
class LoadedState:
    """One workflow state as the engine works on it; `asked_again`: how often a person had it asked anew."""

    status: Status
    outcome: str | None
    attempts: int
    call_id: int | None
    overdue: bool
    due: bool
    polls: bool = False
    asked_again: int = 0


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A ledger row whose story is not finished, made by the item it is loaded with."""

    call_id: int
    call_key: str
    workflow_slug: str
    state: str
    attempt: int
    estimated_cost: Decimal
    cost: Decimal | None
    http_status: int | None
    headers: Mapping[str, str]
    external_id: str | None
    bulk_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """An inbox row of one of the item's calls: the bytes as they came, kept headers by lower-case name.

    Attributes:
        body: None where it is large: it is fetched when it is read (`store.calls.readings`).
        readings: How often reading it was begun before this run; more than none: a run may have died of it.
        place: Whose part of the body it is, where the callback answers many calls.
        repeats: Its `webhook-id` came before, for another call of this client.
    """

    inbox_id: int
    call: OpenCall
    body: bytes | None
    headers: Mapping[str, str]
    received_at: datetime
    readings: int = 0
    repeats: bool = False
    place: Place | None = None


@dataclass(slots=True)
class LoadedItem:
    """A claimed item with everything a step may ask for.

    `details`: what the row says beside its fields;
    `cells`: who gave identity and details (a child item's were emitted, or are its parent's);
    `edited`: what people corrected; `first_edit_at`: since when there is a correction;
    `launched_at`: of the batch; by it the ages of answers count, so that none grows too old between request and table;
    `repeats`: slug -> a call of this item whose next attempt is due, and whose last one may have been done;
    `planned`: slug of a delivery -> the lead as it was planned for it;
    `suppressed_person`, `suppressed_company`: why they may not be asked about; None: they may.
    """

    item_id: int
    fence: int
    row_number: int
    parent_id: int | None
    company_key: str | None
    identity: dict[str, Any]
    original: dict[str, Any] | None
    states: dict[str, LoadedState] = field(default_factory=dict)
    open_calls: list[OpenCall] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)
    details: Mapping[str, Any] = field(default_factory=dict)
    cells: Sequence[Given] = ()
    edited: Given | None = None
    first_edit_at: datetime | None = None
    launched_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    repeats: dict[str, OpenCall] = field(default_factory=dict)
    planned: dict[str, PlannedLead] = field(default_factory=dict)
    suppressed_person: str | None = None
    suppressed_company: str | None = None
    _given: dict[int, Given] = field(default_factory=dict)
    _seen: dict[int, dict[str, Any]] = field(init=False, default_factory=dict)
    _contacts: KnownContacts = field(init=False, default_factory=KnownContacts)

    def take(self, source: Source, fields: Mapping[str, Any], fetched_at: datetime | None = None) -> None:
        """Have the fields of one step's answer, `fetched_at` (None: now)."""
        self._given[source.position] = Given(source, fields, fetched_at or datetime.now(UTC))
        self._seen.clear()

    def lose(self, position: int) -> None:
        """Have no answer of the step at this position any more: it was asked anew, and nothing was found."""
        self._given.pop(position, None)
        self._seen.clear()

    def fields_at(self, position: int) -> Mapping[str, Any]:
        """What a step at this position sees: cells, answers of earlier steps and corrections, by the one rule.

        A step asks several times (whether it runs, its request, its question); it is worked out once for each answer.
        """
        seen = self._seen.get(position)
        if seen is None:
            row = {**self.details, **self.identity}
            edits = [] if self.edited is None else [self.edited]
            given = [*self.given_before(position), *edits]
            seen = self._seen[position] = merge(row, given, self.launched_at, self._contacts)
        return seen

    def given_before(self, position: int) -> list[Given]:
        """Cells and answers that a step at this position may choose from, in the order of the steps."""
        return [*self.cells, *(self._given[at] for at in sorted(self._given) if at < position)]


_CALL_COLUMNS = """c.id as call_id, c.call_key, c.item_id, c.workflow_slug, c.state, c.attempt, c.estimated_cost,
    c.cost, c.http_status, coalesce(c.response_headers, '{}'::jsonb) as headers, c.external_id, c.bulk_id"""

_MAY_BE_DONE = "c.error_class = 'retryable' and c.cost is null and c.http_status is distinct from 429"
"""An attempt that is to be repeated by itself, and is not booked; only one that came too early was surely not done."""


# crash point: items-are-loaded
async def load_items(
    connection: AsyncConnection,
    batch_id: int,
    held: Sequence[tuple[int, int]],
    *,
    sources: StepSources,
    with_original: bool,
) -> list[LoadedItem]:
    """Load claimed (item id, fence) pairs, in the order given.

    Args:
        connection: The engine's reading one.
        batch_id: The batch.
        held: What was claimed.
        sources: The steps of the batch's blueprint.
        with_original: Load the uploaded rows too.
    """
    ids = [item for item, _ in held]
    items = await _load_identity(connection, ids, dict(held), sources, with_original=with_original)
    overdue = await _load_states(connection, ids, items, sources)
    await _load_open_calls(connection, ids, items, with_sent=overdue)
    await _load_callbacks(connection, batch_id, ids, items)
    return [items[item_id] for item_id in ids if item_id in items]


async def load_answered(
    connection: AsyncConnection, ids: Sequence[int], sources: StepSources, *, corrected: bool = False
) -> dict[int, LoadedItem]:
    """Items by id with their rows and answers, for reading only: they are nobody's, and nothing is written for them.

    Unless they are to be `corrected`, corrections are left out, but for the time of the first.
    """
    items = await _load_identity(connection, ids, dict.fromkeys(ids, 0), sources, with_original=True)
    await _load_states(connection, ids, items, sources)
    for item in () if corrected else items.values():
        item.edited = None
    return items


async def _load_identity(
    connection: AsyncConnection,
    ids: Sequence[int],
    fences: Mapping[int, int],
    sources: StepSources,
    *,
    with_original: bool,
) -> dict[int, LoadedItem]:
    original = "i.original_data" if with_original else "null::jsonb as original_data"
    cursor = await connection.execute(
        f"""
        select i.id, i.row_number, i.parent_item_id, i.company_key,
               {", ".join(f"i.{name}" for name in IDENTITY_FIELDS)},
               {original}, i.details, i.created_at,
               case when i.parent_item_id is not null then
                 (select jsonb_object_agg(name, i.original_data -> name) from unnest(%(members)s::text[]) as name
                  where i.original_data ? name) end as element,
               split_part(i.origin_key, ':', 1) as emitted_by, e.edits, e.first_edit_at,
               b.created_at as launched_at
        from batch_items i join batches b on b.id = i.batch_id
        left join lateral (
          select jsonb_object_agg(field, value order by id) as edits, min(edited_at) as first_edit_at
          from item_edits where batch_id = i.batch_id and item_id = i.id
        ) e on true
        where i.id = any(%(ids)s::bigint[])
        """,
        {"members": list(ELEMENT_MEMBERS), "ids": Bigints(ids)},
    )
    return {row["id"]: _item(row, fences[row["id"]], sources) for row in await cursor.fetchall()}


def _item(row: Mapping[str, Any], fence: int, sources: StepSources) -> LoadedItem:
    identity = {name: row[name] for name in IDENTITY_FIELDS if row[name] is not None}
    details = row["details"] or {}
    fields = {**details, **identity}
    if row["parent_item_id"] is None:
        cells = cells_of_row(fields, row["created_at"])
    else:
        emitter = sources.of_emitter(row["emitted_by"])
        cells = cells_of_child(identity, details, row["element"] or {}, emitter, row["created_at"])
    return LoadedItem(
        item_id=row["id"],
        fence=fence,
        row_number=row["row_number"],
        parent_id=row["parent_item_id"],
        company_key=row["company_key"],
        identity=identity,
        original=row["original_data"],
        details=details,
        cells=cells,
        edited=corrections(row["edits"] or {}, fields, sources.types),
        first_edit_at=row["first_edit_at"],
        launched_at=row["launched_at"],
    )


async def _load_states(
    connection: AsyncConnection, ids: Sequence[int], items: Mapping[int, LoadedItem], sources: StepSources
) -> bool:
    cursor = await connection.execute(
        """
        select s.item_id, s.workflow_slug, s.status, s.outcome, s.attempts, s.call_id, s.position, s.asked_again,
               r.fields, r.provider, r.fetched_at,
               s.status = 'IN_PROGRESS' and s.deadline_at <= clock_timestamp() as overdue,
               s.status = 'IN_PROGRESS' and s.next_poll_at <= clock_timestamp() as polls,
               s.next_attempt_at is null or s.next_attempt_at <= clock_timestamp() as due
        from workflow_states s left join enrichment_results r on r.id = s.result_id
        where s.item_id = any(%s::bigint[]) order by s.item_id, s.position
        """,
        (Bigints(ids),),
    )
    any_overdue = False
    for row in await cursor.fetchall():
        item = items[row["item_id"]]
        item.states[row["workflow_slug"]] = LoadedState(
            Status(row["status"]),
            row["outcome"],
            row["attempts"],
            row["call_id"],
            bool(row["overdue"]),
            row["due"],
            bool(row["polls"]),
            row["asked_again"],
        )
        if row["fields"]:
            source = sources.of_answer(row["workflow_slug"], row["provider"], row["position"])
            item.take(source, row["fields"], row["fetched_at"])
        any_overdue = any_overdue or bool(row["overdue"] or row["polls"])
    return any_overdue


async def _load_open_calls(
    connection: AsyncConnection, ids: Sequence[int], items: Mapping[int, LoadedItem], *, with_sent: bool
) -> None:
    states = "('intent', 'received', 'sent')" if with_sent else "('intent', 'received')"
    cursor = await connection.execute(
        f"""select {_CALL_COLUMNS} from provider_calls c
            where c.item_id = any(%s::bigint[]) and (c.state in {states} or c.state = 'ready' and {_MAY_BE_DONE})""",
        (Bigints(ids),),
    )
    for row in await cursor.fetchall():
        item, call = items[row["item_id"]], _open_call(row)
        if call.state == CallState.READY:
            item.repeats[call.workflow_slug] = call
        else:
            item.open_calls.append(call)


async def _load_callbacks(
    connection: AsyncConnection, batch_id: int, ids: Sequence[int], items: Mapping[int, LoadedItem]
) -> None:
    cursor = await connection.execute(
        f"""
        with due as materialized (
          select i.id as inbox_id, i.readings, i.headers as callback_headers, i.received_at, {_CALL_COLUMNS},
                 case when octet_length(i.body) <= %(inline)s and i.bulk_id is null then i.body end as callback_body,
                 {PLACE},
                 i.headers ->> 'webhook-id' is not null and exists (
                   select 1 from callback_inbox o
                   where o.client_id = i.client_id and o.headers ->> 'webhook-id' = i.headers ->> 'webhook-id'
                     and o.call_id <> i.call_id and o.id < i.id and o.status <> 'dead'
                     and o.bulk_id is distinct from coalesce(i.bulk_id, gen_random_uuid())) as repeats
          from callback_inbox i join provider_calls c on c.id = i.call_id left join bulk_calls m on m.id = i.bulk_id
          where i.batch_id = %(batch)s and i.status = 'new' and c.item_id = any(%(items)s::bigint[])
        ), counted as (
          update callback_inbox i set readings = 1 from due d where i.id = d.inbox_id and i.readings = 0
        )
        select * from due order by inbox_id
        """,
        {"inline": INLINE, "batch": batch_id, "items": Bigints(ids)},
    )
    for row in await cursor.fetchall():
        body = None if row["callback_body"] is None else bytes(row["callback_body"])
        items[row["item_id"]].callbacks.append(
            Callback(
                row["inbox_id"],
                _open_call(row),
                body,
                row["callback_headers"],
                row["received_at"],
                row["readings"],
                row["repeats"],
                taken_place(row),
            )
        )


def _open_call(row: Mapping[str, Any]) -> OpenCall:
    return OpenCall(
        call_id=row["call_id"],
        call_key=row["call_key"],
        workflow_slug=row["workflow_slug"],
        state=row["state"],
        attempt=row["attempt"],
        estimated_cost=row["estimated_cost"],
        cost=row["cost"],
        http_status=row["http_status"],
        headers=row["headers"],
        external_id=row["external_id"],
        bulk_id=row["bulk_id"],
    )
