"""Deliveries: what would go where, what went, and what stands for a lead at a destination."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from enrichment_assets.domain.delivery_courses import Left
from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.services.deliveries.checking import Checked
    from enrichment_assets.services.deliveries.plans import DeliveryPlan
    from enrichment_assets.store.deliveries.batches import Counts


@dataclass(frozen=True, slots=True)
class LeadDelivery(Shape):
    """The leads of a batch at one destination: what was planned, and after a run how they stand.

    Attributes:
        batch: Key of the batch.
        destination: Slug of the delivery.
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
        asked: Whether there is a way to ask it.
        lacks: What is missing there, each with what to do.
    """

    destination: str
    client: str
    provider: str
    asked: bool
    lacks: list[str]

    @classmethod
    def of(cls, client: str, checked: Checked) -> DestinationCheck:
        """From what the service returns."""
        workflow, lacks = checked.workflow, checked.lacks
        return cls(workflow.slug, client, workflow.provider, lacks is not None, lacks or [])


_FAILED = ("FAILED", "AMBIGUOUS")
_FOUND_OUT = (Left.INVALID.value, Left.DELETED.value)
"""Why a lead that was planned is left out only when its turn comes: what it says is no value there, or it is gone."""


def _is_not_taken(one: Counts) -> bool:
    return one.status in _FAILED or (one.reason or "").partition(":")[0] in _FOUND_OUT


def _word(one: Counts) -> str:
    return "delivered" if one.status == "COMPLETED" else one.status.lower()


def _summed(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, number in pairs:
        found[name] = found.get(name, 0) + number
    return found
