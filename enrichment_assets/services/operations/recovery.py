"""Retrying what failed and deciding about calls of unknown fate: the services behind `enrich retry` and `resolve`.

Nothing here calls a provider. States become PENDING (or COMPLETED by a person's word), their calls may be taken over
under the same stable key, and the batch is handed to whoever runs it next. Reading stored answers again is in
`services.operations.replaying`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeVar

from psycopg import errors

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, InfrastructureError, NotFoundError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.money import Money, checked_amount, sums
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.statuses import CallState, ErrorClass, Status
from enrichment_assets.domain.suggestions import did_you_mean
from enrichment_assets.domain.workflow import Mode
from enrichment_assets.services.batches.foresight import Hindrance, after_retry
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.money import budget_changes
from enrichment_assets.store.states import recovery, reopening
from enrichment_assets.store.states.batch_states import workflow_counts
from enrichment_assets.store.states.recovery import Ambiguous, LockedBatch
from enrichment_assets.store.states.stops import lift_stops
from enrichment_assets.store.states.transitions import StepFacts

ACCEPTED = "accepted as a miss by a person"
RETRIED = "retried by a person"

LIFTED = ("auth", "quota", "payment", "quiet", "breaker")
"""Stops that end with their providers' pauses."""

_DEADLOCK_ATTEMPTS = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryReport:
    """What a retry put back.

    Attributes:
        batch: Key of the batch.
        retried: Workflow slug -> FAILED states that are PENDING again.
        calls: Ledger rows that the next attempt takes over.
        reopened: Steps PENDING again that were skipped because a retried step had not answered.
        pauses_lifted: Provider keys that may be called again at once.
        resumed: The batch has something PENDING and is continued.
        running: Labels of the runs that work on the batch at this moment.
        pending: Workflow slug -> states that are PENDING now, the retried ones among them.
        hindrances: Why steps would stand still again, whoever runs the batch next.
    """

    batch: str
    retried: Mapping[str, int]
    calls: int
    reopened: int
    pauses_lifted: int
    resumed: bool
    running: tuple[str, ...]
    pending: Mapping[str, int]
    hindrances: tuple[Hindrance, ...]

    @property
    def next_step(self) -> Hint:
        """What to do now."""
        return what_next(self.batch, self.running) if self.resumed else Hint(Action.NOTHING_LEFT)


@dataclass(frozen=True, slots=True)
class ResolveReport:
    """What a decision about calls of unknown fate moved.

    Attributes:
        batch: Key of the batch.
        decision: What the person decided.
        states: AMBIGUOUS states that moved; those that share a call move together.
        calls: Ledger rows that moved.
        cost: Money booked, whatever its currency; zero for a retry.
        costs: The same, one sum per currency.
        reopened: Steps PENDING again that were skipped for want of the answer.
        left: States left AMBIGUOUS because their call was answered meanwhile, or its callback waits in the inbox.
        running: Labels of the runs that work on the batch at this moment.
    """

    batch: str
    decision: Literal["retry", "accept-miss"]
    states: int
    calls: int
    cost: Decimal
    reopened: int
    left: int
    running: tuple[str, ...]
    costs: tuple[Money, ...] = ()

    @property
    def next_step(self) -> Hint:
        """What to do now."""
        return what_next(self.batch, self.running) if self.states else Hint(Action.NOTHING_CHANGED)


def retry(
    hq: Hq,
    settings: Settings,
    batch_key: str,
    *,
    actor: Actor,
    workflow: str | None = None,
    error_class: str | None = None,
) -> RetryReport:
    """Make FAILED states PENDING again, of one workflow, of one error class, or all; lift their providers' pauses.

    Raises:
        NotFoundError: no such batch, or it has no such workflow.
        ConfigurationError: no such error class, or the batch is retired.
    """
    if error_class is not None and error_class not in set(ErrorClass):
        known = ", ".join(member.value for member in ErrorClass)
        raise ConfigurationError(
            f"there is no error class {error_class!r} (known: {known})", code="error_class.not_found"
        )

    def change(connection: Connection) -> tuple[RetryReport, int]:
        batch, blueprint = locked(connection, batch_key, workflow)
        picked = recovery.pick_states(
            connection, batch.batch_id, Status.FAILED, workflow=workflow, error_class=error_class
        )
        facts = StepFacts.of(blueprint)
        states = [(p.item_id, p.workflow) for p in picked]
        reopening.reopen_states(connection, states, Status.FAILED, facts, RETRIED)
        calls = recovery.ready_calls(connection, picked, CallState.FAILED)
        counts = Counter(p.workflow for p in picked)
        reopened = reopening.reopen_dependents(connection, states, facts)
        called = _called(blueprint, workflow)
        lifted = recovery.lift_provider_pauses(connection, called)
        lifted_at = [step.slug for step in blueprint.steps if step.workflow.provider in called]
        lift_stops(connection, batch.batch_id, LIFTED, lifted_at)
        resumed = recovery.wake_batch(connection, batch.batch_id)
        pending = {c.slug: c.pending for c in workflow_counts(connection, batch.batch_id) if c.pending}
        hindrances = tuple(after_retry(connection, settings, batch.batch_id, blueprint, pending))
        report = RetryReport(
            batch_key, dict(counts), len(calls), reopened, lifted, resumed, batch.runners, pending, hindrances
        )
        if counts or reopened or lifted:
            said = {"retried": dict(counts), "calls": len(calls), "reopened": reopened, "pauses_lifted": lifted}
            note_change(connection, actor, Code.BATCH_RETRY, batch_key, batch, said)
        return report, batch.batch_id

    report, batch_id = in_transaction(hq, change)
    if report.running:
        wake_again(hq, [batch_id])
    return report


def list_ambiguous(
    hq: Hq, batch_key: str, *, workflow: str | None = None, item_id: int | None = None
) -> list[Ambiguous]:
    """States of unknown fate. Raises `NotFoundError` as `retry`."""

    def read(connection: Connection) -> list[Ambiguous]:
        batch, _ = locked(connection, batch_key, workflow)
        return recovery.list_ambiguous(connection, batch.batch_id, workflow, item_id)

    return in_transaction(hq, read)


def resolve(
    hq: Hq,
    batch_key: str,
    decision: Literal["retry", "accept-miss"],
    *,
    actor: Actor,
    workflow: str | None = None,
    item_id: int | None = None,
    cost: Decimal | str | None = None,
) -> ResolveReport:
    """Decide about AMBIGUOUS states: call again, or take them as not found.

    Args:
        hq: The databases.
        batch_key: The batch.
        decision: `retry`: it was not done, or may be paid again. `accept-miss`: there will be no answer.
        actor: Who decides.
        workflow: Only states of this workflow.
        item_id: Only this item's; of a company step, all items that share the call move with it.
        cost: For `accept-miss`: what each call did cost; default: its estimate.

    Raises:
        NotFoundError: no such batch, or it has no such workflow.
        ConfigurationError: the cost is no amount of money, or goes with `retry`; the batch is retired.
    """
    if cost is not None and decision == "retry":
        raise ConfigurationError(
            "a cost goes with accepting a miss: a retried call is booked when it is answered",
            code="resolve.cost_with_retry",
        )
    amount = None if cost is None else checked_amount(cost)

    def change(connection: Connection) -> tuple[ResolveReport, int]:
        batch, blueprint = locked(connection, batch_key, workflow)
        if decision == "retry":
            report = _call_again(connection, batch_key, batch, blueprint, workflow, item_id)
        else:
            report = _accept_miss(connection, batch_key, batch, blueprint, workflow, item_id, amount)
        if report.states:
            recovery.wake_batch(connection, batch.batch_id, only_if_pending=False)
            costs = {one.currency: one.amount for one in report.costs}
            said = {"decision": decision, "states": report.states, "calls": report.calls, "costs": costs}
            note_change(connection, actor, Code.BATCH_RESOLVE, batch_key, batch, said)
        return report, batch.batch_id

    report, batch_id = in_transaction(hq, change)
    if report.running and report.states:
        wake_again(hq, [batch_id])
    return report


def note_change(
    connection: Connection, actor: Actor, code: Code, batch_key: str, batch: LockedBatch, said: Mapping[str, object]
) -> None:
    """Write down what was changed of a batch."""
    note_action(connection, actor, code, batch_key, client_id=batch.client_id, batch_id=batch.batch_id, after=said)


def _call_again(
    connection: Connection,
    batch_key: str,
    batch: LockedBatch,
    blueprint: Blueprint,
    workflow: str | None,
    item_id: int | None,
) -> ResolveReport:
    picked = recovery.pick_states(connection, batch.batch_id, Status.AMBIGUOUS, workflow=workflow, item_id=item_id)
    facts = StepFacts.of(blueprint)
    states = [(p.item_id, p.workflow) for p in picked]
    moved = reopening.reopen_states(connection, states, Status.AMBIGUOUS, facts, RETRIED)
    calls = recovery.ready_calls(connection, picked, CallState.AMBIGUOUS)
    reopened = reopening.reopen_dependents(connection, states, facts)
    returned = [(call.workflow, call.estimated_cost, Decimal(0)) for call in calls]
    # guard: retry-returns-its-reservation
    budget_changes.settle_by_hand(connection, batch.client_id, batch.batch_id, returned)
    return ResolveReport(batch_key, "retry", moved, len(calls), Decimal(0), reopened, 0, batch.runners)


def _accept_miss(
    connection: Connection,
    batch_key: str,
    batch: LockedBatch,
    blueprint: Blueprint,
    workflow: str | None,
    item_id: int | None,
    cost: Decimal | None,
) -> ResolveReport:
    picked = recovery.pick_states(connection, batch.batch_id, Status.AMBIGUOUS, workflow=workflow, item_id=item_id)
    closed = recovery.accept_as_missed(connection, picked, cost, ACCEPTED, StepFacts.of(blueprint))
    booked = [(call.workflow, call.reserved, call.booked) for call in closed]
    budget_changes.settle_by_hand(connection, batch.client_id, batch.batch_id, booked)
    moved = sum(call.states for call in closed)
    paid = [Money(call.booked, blueprint.step(call.workflow).workflow.price.currency) for call in closed]
    return ResolveReport(
        batch=batch_key,
        decision="accept-miss",
        states=moved,
        calls=len(closed),
        cost=sum((one.amount for one in paid), Decimal(0)),
        reopened=0,
        left=len(picked) - moved,
        running=batch.runners,
        costs=tuple(sums(paid)),
    )


def locked(
    connection: Connection, batch_key: str, workflow: str | None, *, against_runs: bool = False
) -> tuple[LockedBatch, Blueprint]:
    """The batch, locked, with its blueprint. Raises as `retry`."""
    batch = recovery.lock_batch(connection, batch_key, against_runs=against_runs)
    if batch is None:
        raise no_such_batch(connection, batch_key)
    if batch.retired:
        raise ConfigurationError(f"batch {batch_key} is retired: nothing of it runs any more", code="batch.archived")
    blueprint = Blueprint.model_validate(batch.blueprint)
    if workflow is not None:
        refuse_other_workflow(batch_key, blueprint, workflow)
    return batch, blueprint


def refuse_other_workflow(batch_key: str, blueprint: Blueprint, workflow: str) -> None:
    """Raise `NotFoundError` for a workflow that a batch does not have."""
    slugs = [step.slug for step in blueprint.steps]
    if workflow not in slugs:
        guess = did_you_mean(workflow, slugs)
        raise NotFoundError(
            f"batch {batch_key} has no workflow {workflow!r}{guess} (it has: {', '.join(slugs)})",
            code="workflow.not_in_batch",
        )


def in_transaction(hq: Hq, work: Callable[[Connection], T]) -> T:
    """Run `work` in one transaction on HQ, again when it and a run's writer waited for each other."""
    for _ in range(_DEADLOCK_ATTEMPTS):
        try:
            with hq.transaction() as connection:
                return work(connection)
        except errors.DeadlockDetected:
            continue
    raise InfrastructureError(
        "the batch is being written to by a run just now: nothing was changed, try again", code="batch.busy"
    )


def wake_again(hq: Hq, batch_ids: Iterable[int]) -> None:
    """Wake batches once more: a run that was ending meanwhile may have called them finished from what it saw before."""
    with hq.transaction() as connection:
        for batch_id in batch_ids:
            recovery.wake_batch(connection, batch_id)


def _called(blueprint: Blueprint, workflow: str | None) -> list[str]:
    """Providers that the batch (or one workflow of it) calls."""
    return sorted(
        {
            step.workflow.provider
            for step in blueprint.steps
            if step.workflow.mode is not Mode.LOCAL and workflow in (None, step.slug)
        }
    )


def what_next(batch_key: str, running: tuple[str, ...]) -> Hint:
    """Who continues the batch."""
    if running:
        return Hint(Action.LEAVE_TO_RUNS, {"batch": batch_key, "runs": ", ".join(running)})
    return Hint(Action.CONTINUE_BATCH, {"batch": batch_key})
