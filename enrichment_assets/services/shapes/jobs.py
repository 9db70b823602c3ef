"""Leads that were asked for one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.services.sources import leads


@dataclass(frozen=True, slots=True)
class JobStep(Shape):
    """One step of a job.

    Attributes:
        workflow: Its slug.
        status: As `COMPLETED`.
        outcome: `found` or `not_found`; null: it is not completed.
        reason: Why it stands so; null: there is nothing to say.
    """

    workflow: str
    status: str
    outcome: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Job(Shape):
    """One lead that somebody asked for.

    Attributes:
        job_id: The number of its item.
        state: `waiting`, `processing`, `held` (a person decides about a call), `done` or `failed`.
        batch: The batch that has it.
        client: Whose it is.
        pipeline: What it goes through.
        row_number: Its row in the batch's upload.
        children: Items that its steps emitted; they count for where it stands.
        reason: Why it failed; null: it has not.
        created_at: When it came.
        ended_at: When its last step settled; null: one has not.
        steps: Its own steps, in order.
    """

    job_id: int
    state: str
    batch: str
    client: str
    pipeline: str
    row_number: int
    children: int
    reason: str | None
    created_at: datetime
    ended_at: datetime | None
    steps: tuple[JobStep, ...]

    @classmethod
    def of(cls, one: leads.Job) -> Job:
        """From what the services return."""
        return cls(
            one.job_id,
            one.state.value,
            one.batch,
            one.client,
            one.pipeline,
            one.row_number,
            one.children,
            one.reason,
            one.created_at,
            one.ended_at,
            tuple(JobStep(step.workflow, step.status, step.outcome, step.reason) for step in one.steps),
        )


@dataclass(frozen=True, slots=True)
class Taken(Shape):
    """Leads that were taken: they are kept, and go on by themselves.

    Attributes:
        job_id: Of the first of them.
        status: `processing`.
        jobs: The job of each lead, in order; null: it was rejected.
        batch: The batch that has them.
        rejections: Number of a lead, from 1, to why it was rejected.
    """

    job_id: int | None
    status: str
    jobs: tuple[int | None, ...]
    batch: str
    rejections: Mapping[str, str]
