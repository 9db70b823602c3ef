"""What a plan comes to, counted: it is printed before anything leaves, and kept small for a million leads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from enrichment_assets.domain.delivery_courses import ALONE, Action, Course, Left
from enrichment_assets.services.deliveries.planning import PlannedOne

MOST_REASONS = 100
"""Different reasons that a plan tells apart; of further ones it tells the first word."""


@dataclass
class DeliveryPlan:
    """What would be done, or was set out to be done, about the leads of a batch at one destination.

    Attributes:
        destination: Slug of the delivery.
        simulated: The simulator gets the leads, and nobody else.
        leads: Rows of `final_leads`.
        created, updated, asked: Leads that are made there, that are written again, and of which the destination is
            asked whether it has them.
        left: Reason -> leads that are left alone, for all is well with them.
        refused: Reason -> leads that may not go.
        not_chosen: Leads that the conditions of whoever asks leave out.
        under_way: Leads that another run works on; they are as they were planned.
    """

    destination: str
    simulated: bool
    leads: int = 0
    created: int = 0
    updated: int = 0
    asked: int = 0
    left: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    not_chosen: int = 0
    under_way: int = 0

    def count(self, one: PlannedOne) -> None:
        """Count a lead."""
        self.leads += 1
        course = one.course
        if course.action is Action.CREATE:
            self.created += 1
        elif course.action is Action.UPDATE:
            self.updated += 1
        elif course.action is Action.ASK:
            self.asked += 1
        elif course.why is Left.NOT_CHOSEN:
            self.not_chosen += 1
        else:
            reasons = self.left if course.why in ALONE else self.refused
            reason = _counted(course)
            known = reason in reasons or len(reasons) < MOST_REASONS
            reasons[reason if known else reason.partition(":")[0]] += 1


def _counted(course: Course) -> str:
    """The reason by which a lead is counted: of the gate its rule, for what it says is of each lead its own."""
    if course.why is Left.DOUBLE:
        return Left.DOUBLE.value
    return f"{Left.GATE.value}: {course.detail.partition(':')[0]}" if course.why is Left.GATE else course.reason
