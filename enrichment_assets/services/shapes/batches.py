"""Batches: where one stands, which of its rows failed, and what its workflows did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from enrichment_assets.domain.hints import Hint
from enrichment_assets.services.shapes.holds import Hold
from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.services.batches import status as batch_status
    from enrichment_assets.services.operations import failed_rows, standing
    from enrichment_assets.store.states.batch_states import WorkflowCounts


@dataclass(frozen=True, slots=True)
class WorkflowStates(Shape):
    """The states of one workflow in one batch, counted.

    Attributes:
        workflow: Its slug.
        position: Which step of the pipeline it is, from 1.
        pending: Not done yet.
        in_progress: Sent; an answer is awaited.
        found: Answered, with a value.
        not_found: Answered: there is none.
        skipped: Not asked, for a reason.
        failed: Ended without an answer.
        ambiguous: Sent, and nobody knows what became of it.
        cancelled: Not asked any more: a person said so.
        cost: What the calls cost.
        currency: Of `cost`.
        p50_ms: Half of the calls took at most so many milliseconds.
        p95_ms: 95 of 100 calls took at most so many milliseconds.
        calls: Calls that were made.
    """

    workflow: str
    position: int
    pending: int
    in_progress: int
    found: int
    not_found: int
    skipped: int
    failed: int
    ambiguous: int
    cancelled: int
    cost: Decimal
    currency: str
    p50_ms: float | None
    p95_ms: float | None
    calls: int

    @classmethod
    def of(cls, row: WorkflowCounts, currency: str) -> WorkflowStates:
        """From what the store counts."""
        return cls(
            row.slug,
            row.position,
            row.pending,
            row.in_progress,
            row.found,
            row.not_found,
            row.skipped,
            row.failed,
            row.ambiguous,
            row.cancelled,
            row.cost,
            currency,
            row.p50_ms,
            row.p95_ms,
            row.calls,
        )


@dataclass(frozen=True, slots=True)
class StandingReason(Shape):
    """How many states of a workflow stand where they stand, why, and what helps.

    Attributes:
        workflow: Its slug.
        status: `PENDING`, `IN_PROGRESS`, `COMPLETED`, `SKIPPED`, `FAILED`, `AMBIGUOUS` or `CANCELLED`.
        states: How many.
        cause: The kind of reason in one word; null: it has none.
        reason: Why, as a sentence.
        hints: What helps; empty for what is done.
        error_class: Of an attempt that failed.
        since: When the first of them came to stand there.
        until: When it goes on by itself, or is given up.
    """

    workflow: str
    status: str
    states: int
    cause: str | None
    reason: str
    hints: tuple[Hint, ...]
    error_class: str | None
    since: datetime | None
    until: datetime | None

    @classmethod
    def of(cls, one: standing.Standing) -> StandingReason:
        """From what the services return."""
        return cls(
            one.workflow,
            one.status,
            one.states,
            one.cause,
            one.reason,
            one.hints,
            one.error_class,
            one.since,
            one.until,
        )


@dataclass(frozen=True, slots=True)
class Batch(Shape):
    """One execution: an upload through a pipeline.

    Attributes:
        batch: Its key.
        client: Whose it is.
        pipeline: The pipeline's slug.
        filename: Of the upload.
        rows: Data rows of the upload.
        rejected: Rows of it that could not be read.
        limit: It is a pilot of so many readable rows, the first ones; null: it has all.
        items: Rows that became items, and `children`; 0 until the first step begins.
        children: Items that workflows emitted.
        done: Items with nothing open.
        cost: What its calls cost; null where they were paid in several currencies.
        currency: Of `cost`; null as there, and where nothing can cost anything.
        costs: Currency to what was paid in it.
        currencies: Workflow to the currency of its price.
        priority: `low`, `normal` or `high`: how urgent it is beside its client's other batches.
        finished: Nothing of it is open.
        extracted: Its tables are made of what it came to.
        workflows: Its steps, in order.
        reasons: Why states stand where they stand; of one batch only, not in the list of batches.
        holds: What of it is paused or cancelled.
        unwritten: Why rows with their children are not in their tables, to how many; of one batch only.
    """

    batch: str
    client: str
    pipeline: str
    filename: str
    rows: int
    rejected: int
    limit: int | None
    items: int
    children: int
    done: int
    cost: Decimal | None
    currency: str | None
    costs: Mapping[str, Decimal]
    currencies: Mapping[str, str]
    priority: str
    finished: bool
    extracted: bool
    workflows: tuple[WorkflowStates, ...]
    reasons: tuple[StandingReason, ...]
    holds: tuple[Hold, ...]
    unwritten: Mapping[str, int]

    @classmethod
    def of(cls, found: batch_status.BatchStatus) -> Batch:
        """From what the services return."""
        costs = {total.currency: total.amount for total in found.costs}
        paid_in = set(costs or found.currencies.values())
        return cls(
            batch=found.batch,
            client=found.client,
            pipeline=found.pipeline,
            filename=found.filename,
            rows=found.rows,
            rejected=found.rejected,
            limit=found.limit,
            items=found.items,
            children=found.children,
            done=found.done,
            cost=found.cost if len(costs) < 2 else None,
            currency=next(iter(paid_in)) if len(paid_in) == 1 else None,
            costs=costs,
            currencies=found.currencies,
            priority=found.priority.value,
            finished=found.finished,
            extracted=found.extracted,
            workflows=tuple(WorkflowStates.of(row, found.cost_of(row).currency) for row in found.workflows),
            reasons=tuple(map(StandingReason.of, found.reasons)),
            holds=tuple(
                Hold.of(workflow, hold, found.held_calls.get(workflow, ()), found.currencies)
                for workflow, hold in sorted(found.holds.items())
            ),
            unwritten=found.unwritten,
        )


@dataclass(frozen=True, slots=True)
class FailedRow(Shape):
    """One state that FAILED or is AMBIGUOUS.

    Attributes:
        row_number: Of the upload; 0 for a child item.
        item_id: The item's number.
        who: The person or company.
        workflow: At which step.
        status: `FAILED` or `AMBIGUOUS`.
        error_class: Of the attempt that failed.
        reason: Why.
        hints: What helps.
    """

    row_number: int
    item_id: int
    who: str
    workflow: str
    status: str
    error_class: str | None
    reason: str
    hints: tuple[Hint, ...]


@dataclass(frozen=True, slots=True)
class FailedRows(Shape):
    """The first rows of a batch that failed.

    Attributes:
        batch: Its key.
        total: How many there are in all.
        rows: The first of them.
    """

    batch: str
    total: int
    rows: tuple[FailedRow, ...]

    @classmethod
    def of(cls, found: failed_rows.FailedRows) -> FailedRows:
        """From what the services return."""
        rows = (
            FailedRow(
                row.row_number,
                row.item_id,
                row.who,
                row.workflow,
                row.status,
                row.error_class,
                row.reason,
                row.hints,
            )
            for row in found.rows
        )
        return cls(found.batch, found.total, tuple(rows))


@dataclass(frozen=True, slots=True)
class ReasonCount(Shape):
    """How many states of a workflow stand at a status for one reason that was written down.

    Attributes:
        workflow: Its slug.
        status: `PENDING`, `IN_PROGRESS`, `COMPLETED`, `SKIPPED`, `FAILED`, `AMBIGUOUS` or `CANCELLED`.
        error_class: Of an attempt that failed.
        reason: What was written down.
        states: How many.
    """

    workflow: str
    status: str
    error_class: str | None
    reason: str
    states: int
