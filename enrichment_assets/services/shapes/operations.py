"""What people do when something stands still: budgets, retries, resolutions, replays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from enrichment_assets.domain.hints import Hint
from enrichment_assets.services.shapes.shape import FLAT, Shape

if TYPE_CHECKING:
    from enrichment_assets.services.batches import foresight
    from enrichment_assets.services.operations import budgeting, recovery, replay_report, retrying, retrying_many
    from enrichment_assets.store.money import budgets
    from enrichment_assets.store.states.recovery import Ambiguous


@dataclass(frozen=True, slots=True)
class Budget(Shape):
    """How much may be spent.

    Attributes:
        client: Whose it is.
        batch: Only in this batch; null: in all.
        workflow: Only by this workflow; null: by all.
        amount: What may be spent at most.
        reserved: What calls under way may come to cost.
        spent: What was paid.
        room: What is left.
        currency: Of all four; empty where the workflows are paid in several.
    """

    client: str
    batch: str | None
    workflow: str | None
    amount: Decimal
    reserved: Decimal
    spent: Decimal
    room: Decimal
    currency: str

    @classmethod
    def of(cls, found: budgets.Budget) -> Budget:
        """From what the services return."""
        return cls(
            found.client,
            found.batch,
            found.workflow,
            found.amount,
            found.reserved,
            found.spent,
            found.room,
            found.currency,
        )


@dataclass(frozen=True, slots=True)
class BudgetChange(Shape):
    """A budget that was set or removed, and what that let go on.

    Attributes:
        budget: All keys of a budget, as it is now, or as it was when it was removed.
        before: Its former amount; null: it is new.
        resumed: Batches that were paused for want of this money and go on.
        batches: Batch to steps that were skipped for want of money and go on.
        reopened: Steps that go on because one of those had not answered.
    """

    budget: Budget = field(metadata=FLAT)
    before: Decimal | None
    resumed: tuple[str, ...]
    batches: Mapping[str, int]
    reopened: int

    @classmethod
    def of(cls, report: budgeting.BudgetReport) -> BudgetChange:
        """From what the services return."""
        return cls(Budget.of(report.budget), report.before, report.resumed, report.batches, report.reopened)


@dataclass(frozen=True, slots=True)
class Hindrance(Shape):
    """What would keep a workflow from being called.

    Attributes:
        workflow: Its slug; null: the whole batch.
        reason: Why.
        hints: What helps.
    """

    workflow: str | None
    reason: str
    hints: tuple[Hint, ...]

    @classmethod
    def of(cls, found: foresight.Hindrance) -> Hindrance:
        """From what the services return."""
        return cls(found.workflow, found.reason, found.hints)


@dataclass(frozen=True, slots=True)
class Retry(Shape):
    """What a retry put back.

    Attributes:
        batch: The batch's key.
        retried: Workflow to states that had failed and are tried again.
        uncancelled: Workflow to states that were cancelled and are pending again.
        calls: Calls that are made again, under their keys.
        reopened: Later steps that were skipped because of it and go on.
        pauses_lifted: Pauses of providers that were lifted.
        resumed: The batch has something to do and is continued.
        running: Runs that work on the batch now.
        pending: Workflow to states that wait now.
        hindrances: Why steps would stand still again.
        next: What to do now.
    """

    batch: str
    retried: Mapping[str, int]
    uncancelled: Mapping[str, int]
    calls: int
    reopened: int
    pauses_lifted: int
    resumed: bool
    running: tuple[str, ...]
    pending: Mapping[str, int]
    hindrances: tuple[Hindrance, ...]
    next: Hint

    @classmethod
    def of(cls, report: retrying.RetryReport) -> Retry:
        """From what the services return."""
        return cls(
            batch=report.batch,
            retried=report.retried,
            uncancelled=report.uncancelled,
            calls=report.calls,
            reopened=report.reopened,
            pauses_lifted=report.pauses_lifted,
            resumed=report.resumed,
            running=report.running,
            pending=report.pending,
            hindrances=tuple(map(Hindrance.of, report.hindrances)),
            next=report.next_step,
        )


@dataclass(frozen=True, slots=True)
class LeftBatch(Shape):
    """A batch that a retry of several did nothing about.

    Attributes:
        batch: The batch's key.
        reason: Why.
    """

    batch: str
    reason: str


@dataclass(frozen=True, slots=True)
class RetriedBatches(Shape):
    """What a retry of several batches put back.

    Attributes:
        dry_run: Nothing was changed.
        batches: What it came to in each, the oldest first; in a dry run a provider's pause counts in each.
        left: Batches that are held, given up, archived or busy, and named ones of which nothing matches.
        more: Batches that match beyond the most that one command takes.
    """

    dry_run: bool
    batches: tuple[Retry, ...]
    left: tuple[LeftBatch, ...]
    more: int

    @classmethod
    def of(cls, done: retrying_many.RetriedBatches) -> RetriedBatches:
        """From what the services return."""
        left = tuple(LeftBatch(one.batch, one.reason) for one in done.left)
        return cls(done.dry_run, tuple(map(Retry.of, done.batches)), left, done.more)


@dataclass(frozen=True, slots=True)
class AmbiguousState(Shape):
    """A state whose call's fate nobody knows.

    Attributes:
        item_id: The item's number.
        row_number: Of the upload; 0 for a child item.
        workflow: At which step.
        since: Since when.
        reason: Why nobody knows.
        call_id: The call's number.
        shared: Another item of the same company made the call.
        estimated_cost: What the call costs, if it was carried out.
        currency: Of `estimated_cost`.
    """

    item_id: int
    row_number: int
    workflow: str
    since: datetime | None
    reason: str | None
    call_id: int | None
    shared: bool
    estimated_cost: Decimal
    currency: str

    @classmethod
    def of(cls, found: Ambiguous, currency: str) -> AmbiguousState:
        """From what the services return."""
        return cls(
            found.item_id,
            found.row_number,
            found.workflow,
            found.since,
            found.reason,
            found.call_id,
            found.shared,
            found.estimated_cost,
            currency,
        )


@dataclass(frozen=True, slots=True)
class Resolution(Shape):
    """What a decision about calls of unknown fate moved.

    Attributes:
        batch: The batch's key.
        decision: `retry` or `accept-miss`.
        states: States that moved.
        calls: Calls that moved.
        cost: What was booked; null where it is in several currencies.
        currency: Of `cost`; null as there, and where nothing was booked.
        costs: Currency to what was booked in it.
        reopened: Later steps that were skipped for want of the answer and go on.
        left: States that were left: their call was answered meanwhile.
        running: Runs that work on the batch now.
        next: What to do now.
    """

    batch: str
    decision: str
    states: int
    calls: int
    cost: Decimal | None
    currency: str | None
    costs: Mapping[str, Decimal]
    reopened: int
    left: int
    running: tuple[str, ...]
    next: Hint

    @classmethod
    def of(cls, report: recovery.ResolveReport) -> Resolution:
        """From what the services return."""
        return cls(
            batch=report.batch,
            decision=report.decision,
            states=report.states,
            calls=report.calls,
            cost=report.cost if len(report.costs) < 2 else None,
            currency=report.costs[0].currency if len(report.costs) == 1 else None,
            costs={total.currency: total.amount for total in report.costs},
            reopened=report.reopened,
            left=report.left,
            running=report.running,
            next=report.next_step,
        )


@dataclass(frozen=True, slots=True)
class Replay(Shape):
    """What reading stored answers again came to; a dry run changes nothing and says the same.

    Attributes:
        batch: The batch's key.
        workflow: Whose answers were read.
        dry_run: Nothing was written.
        new_mapping: The registry reads this workflow's answers otherwise than the batch did.
        answers: Stored answers that were read.
        found: Of these, with a value.
        not_found: Of these, without one.
        failed: Of these, unreadable.
        changed: Answers with another outcome or other fields than before.
        recovered: Answers that could not be read before.
        left: Stored answers that decide nothing.
        states: States that the answers reached.
        reopened: Later steps that were skipped and go on.
        emitted: Child items that are new.
        removed: Rows taken out of the destination table.
        gone: Answers that cannot be read again: `enrich retention` took their bodies out.
        next: What to do now.
    """

    batch: str
    workflow: str
    dry_run: bool
    new_mapping: bool
    answers: int
    found: int
    not_found: int
    failed: int
    changed: int
    recovered: int
    left: int
    states: int
    reopened: int
    emitted: int
    removed: int
    gone: int
    next: Hint

    @classmethod
    def of(cls, report: replay_report.ReplayReport) -> Replay:
        """From what the services return."""
        return cls(
            batch=report.batch,
            workflow=report.workflow,
            dry_run=report.dry_run,
            new_mapping=report.new_mapping,
            answers=report.answers,
            found=report.found,
            not_found=report.not_found,
            failed=report.failed,
            changed=report.changed,
            recovered=report.recovered,
            left=report.left,
            states=report.states,
            reopened=report.reopened,
            emitted=report.emitted,
            removed=report.removed,
            gone=report.gone,
            next=report.next_step,
        )
