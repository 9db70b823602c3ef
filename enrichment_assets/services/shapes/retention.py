"""What retention took out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.services.operations import retention


@dataclass(frozen=True, slots=True)
class Retention(Shape):
    """What was old and needed by nobody.

    Attributes:
        days: It is older than so many days.
        dry_run: Nothing was taken out.
        runs: Whole runs of Dagster's history.
        events: Events of Dagster's history, those of runs that stay included.
        event_bytes: Bytes of those events.
        answers: Answers whose bodies were taken out.
        answer_bytes: Bytes of those bodies.
        callbacks: Callbacks, and messages of what came back of deliveries, whose bodies were taken out.
        callback_bytes: Bytes of those bodies.
        uploads: Kept files of uploads that were taken out.
        upload_bytes: Bytes of those files.
        told_leads: Leads that clients' webhooks were told of, taken out of what they were told.
        told_lead_bytes: Bytes of those leads.
    """

    days: int
    dry_run: bool
    runs: int
    events: int
    event_bytes: int
    answers: int
    answer_bytes: int
    callbacks: int
    callback_bytes: int
    uploads: int
    upload_bytes: int
    told_leads: int
    told_lead_bytes: int

    @classmethod
    def of(cls, done: retention.Retained) -> Retention:
        """From what the services return."""
        return cls(
            done.days,
            done.dry_run,
            done.history.runs,
            done.history.events,
            done.history.bytes,
            done.answers.bodies,
            done.answers.bytes,
            done.callbacks.bodies,
            done.callbacks.bytes,
            done.uploads.bodies,
            done.uploads.bytes,
            done.told_leads.bodies,
            done.told_leads.bytes,
        )
