"""Deliveries: what would go where, what went, and what stands for a lead at a destination."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from enrichment_assets.domain.delivery_courses import Left
from enrichment_assets.services.shapes.shape import FLAT, Shape

if TYPE_CHECKING:
    from enrichment_assets.services.deliveries import destinations, resolving
    from enrichment_assets.services.deliveries.checking import Checked
    from enrichment_assets.services.deliveries.plans import DeliveryPlan
    from enrichment_assets.store.deliveries.batches import Counts
    from enrichment_assets.store.deliveries.ledger import DeliveryRow


@dataclass(frozen=True, slots=True)
class LeadDelivery(Shape):
    """The leads of a batch at one destination: what was planned, and after a run how they stand.

    Attributes:
        batch: Key of the batch.
        destination: Slug of the delivery.
        simulated: The simulator gets the leads, and nobody else.
        leads: Rows of `final_leads`.
        created: Leads that are to be made there.
        updated: Leads that are to be written again there.
        asked: Leads of which the destination is asked whether it has them.
        left: Reason to leads that are left alone, for all is well with them.
        refused: Reason to leads that may not go.
        not_chosen: Leads that the conditions of whoever asked leave out.
        under_way: Leads that another run works on.
        stands: Status or outcome to leads after the run; null: nothing was run.
        failed: Reason to leads that were not taken, or of which nobody knows; null: nothing was run.
        stopped: Why nothing more is sent there now; null: nothing keeps it.
    """

    batch: str
    destination: str
    simulated: bool
    leads: int
    created: int
    updated: int
    asked: int
    left: Mapping[str, int]
    refused: Mapping[str, int]
    not_chosen: int
    under_way: int
    stands: Mapping[str, int] | None
    failed: Mapping[str, int] | None
    stopped: str | None

    @classmethod
    def of(
        cls,
        batch: str,
        plan: DeliveryPlan,
        stands: Sequence[Counts] | None = None,
        stopped: Mapping[str, str] | None = None,
    ) -> LeadDelivery:
        """From what the services return; `stands`: of all destinations, after a run."""
        mine = None if stands is None else [one for one in stands if one.workflow_slug == plan.destination]
        return cls(
            batch,
            plan.destination,
            plan.simulated,
            plan.leads,
            plan.created,
            plan.updated,
            plan.asked,
            plan.left,
            plan.refused,
            plan.not_chosen,
            plan.under_way,
            None if mine is None else _summed((_word(one), one.leads) for one in mine),
            None if mine is None else _summed((one.reason or "", one.leads) for one in mine if _is_not_taken(one)),
            (stopped or {}).get(plan.destination),
        )


@dataclass(frozen=True, slots=True)
class DestinationCheck(Shape):
    """What a destination lacks before leads can go there.

    Attributes:
        destination: Slug of the delivery.
        client: Whose settings it has.
        provider: Where it goes.
        simulated: The simulator was asked: it says nothing of the real destination.
        asked: Whether there is a way to ask it.
        lacks: What is missing there, each with what to do.
    """

    destination: str
    client: str
    provider: str
    simulated: bool
    asked: bool
    lacks: tuple[str, ...]

    @classmethod
    def of(cls, client: str, checked: Checked) -> DestinationCheck:
        """From what the service returns."""
        workflow, lacks = checked.workflow, checked.lacks
        return cls(workflow.slug, client, workflow.provider, checked.simulated, lacks is not None, tuple(lacks or ()))


_FAILED = ("FAILED", "AMBIGUOUS")
_FOUND_OUT = (Left.INVALID.value, Left.DELETED.value)
"""Why a lead that was planned is left out only when its turn comes: what it says is no value there, or it is gone."""


def _is_not_taken(one: Counts) -> bool:
    return one.status in _FAILED or (one.reason or "").partition(":")[0] in _FOUND_OUT


def _word(one: Counts) -> str:
    if one.is_there:
        return "stands there"
    return "delivered" if one.status == "COMPLETED" else one.status.lower()


def _summed(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, number in pairs:
        found[name] = found.get(name, 0) + number
    return found


@dataclass(frozen=True, slots=True)
class Delivery(Shape):
    """What stands for a lead at a destination.

    Attributes:
        id: Its number.
        client: Whose lead it is.
        destination: Slug of the delivery.
        target: Which place of the destination; empty: it has one.
        simulated: It stands at the simulator.
        key: Our key there, 40 hex digits.
        state: intended, delivered, unknown, refused, deleted or stopped.
        external_id: Its id there; null: it is not known.
        calls: Calls about it that ended.
        lead: Whose it is; null: nobody's name is known.
        item_id: The item that was delivered last.
        batch: Key of its batch.
        identity: The column that said who the lead is.
        approvals: Numbers of the approvals by which it left; none: it needed none.
        actor: Who asked for it.
        reason: Why it is in its state; null: nothing is to be said.
        created_at: When a first call about it was intended.
        first_delivered_at: When it was made there; null: it was not.
        delivered_at: When it was written there last.
        ended_at: When its last call ended, or a person said something of it.
    """

    id: int
    client: str
    destination: str
    target: str
    simulated: bool
    key: str
    state: str
    external_id: str | None
    calls: int
    lead: str | None
    item_id: int
    batch: str
    identity: str
    approvals: tuple[int, ...]
    actor: str
    reason: str | None
    created_at: datetime
    first_delivered_at: datetime | None
    delivered_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, row: DeliveryRow) -> Delivery:
        """From what the services return."""
        return cls(
            row.id,
            row.client,
            row.destination,
            row.target,
            row.simulated,
            row.key,
            row.state,
            row.external_id,
            row.generation,
            row.lead,
            row.item_id,
            row.batch,
            row.identity_field,
            tuple(row.approval_ids or ()),
            row.actor,
            row.reason,
            row.created_at,
            row.first_delivered_at,
            row.delivered_at,
            row.ended_at,
        )


@dataclass(frozen=True, slots=True)
class DeliveryCall(Shape):
    """A call about a delivery.

    Attributes:
        call_id: Its number in the call ledger.
        batch: Key of the batch that made it.
        attempt: How often it was sent.
        state: ready, intent, sent, received, applied, failed or ambiguous.
        http_status: Of the answer; null: none came.
        error: What was wrong; null: nothing.
        sent_at: When its last attempt left.
        received_at: When its answer came.
    """

    call_id: int
    batch: str
    attempt: int
    state: str
    http_status: int | None
    error: str | None
    sent_at: datetime | None
    received_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryDetail(Shape):
    """One delivery, what was written there, and the calls about it; the keys of `Delivery` stand among its own.

    Attributes:
        delivery: See `Delivery`.
        written: Remote name to value that was written last.
        intended: Remote name to value that is on its way; null: nothing is.
        history: The calls about it, the oldest first, fifty at most.
    """

    delivery: Delivery = field(metadata=FLAT)
    written: Mapping[str, Any]
    intended: Mapping[str, Any] | None
    history: tuple[DeliveryCall, ...]

    @classmethod
    def of(cls, found: resolving.DeliveryDetail) -> DeliveryDetail:
        """From what the services return."""
        calls = tuple(
            DeliveryCall(c.call_id, c.batch, c.attempt, c.state, c.http_status, c.error, c.sent_at, c.received_at)
            for c in found.calls
        )
        return cls(Delivery.of(found.delivery), found.delivery.written or {}, found.delivery.intended, calls)


@dataclass(frozen=True, slots=True)
class Destination(Shape):
    """A delivery as it is registered, or as a client's settings have it.

    Attributes:
        slug: Its name.
        title: What it does, for people.
        provider: Who takes the leads.
        enabled: Whether anything goes there.
        where: Conditions that a lead has to meet.
        identity: Columns that say who a lead is there.
        on_change: update, skip or never: what becomes of a lead that was delivered before.
        approval: none, lead, exact, or exact_where_drafted: where a field comes from a draft.
        gate: contact or none: which rules stand before it.
        fields: Remote names.
    """

    slug: str
    title: str
    provider: str
    enabled: bool
    where: tuple[str, ...]
    identity: tuple[str, ...]
    on_change: str
    approval: str
    gate: str
    fields: tuple[str, ...]

    @classmethod
    def of(cls, found: destinations.Listed) -> Destination:
        """From what the services return."""
        return cls(
            found.slug,
            found.title,
            found.provider,
            found.enabled,
            tuple(found.where),
            tuple(found.identity),
            found.on_change,
            found.approval,
            found.gate,
            tuple(found.fields),
        )
