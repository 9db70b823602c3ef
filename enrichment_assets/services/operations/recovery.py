"""Deciding about calls of unknown fate: the service behind `enrich resolve`; and what all who change a batch share.

Nothing here calls a provider. States become PENDING (or COMPLETED by a person's word), their calls may be taken over
under the same stable key, and the batch is handed to whoever runs it next. Retrying is in
`services.operations.retrying`, reading stored answers again in `services.operations.replaying`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
from enrichment_assets.domain.statuses import CallState, Status
from enrichment_assets.domain.suggestions import did_you_mean
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.money import budget_changes
from enrichment_assets.store.states import recovery, reopening
from enrichment_assets.store.states.recovery import Ambiguous, LockedBatch, Picked
from enrichment_assets.store.states.transitions import StepFacts

ACCEPTED = "accepted as a miss by a person"
RETRIED = "retried by a person"

_DEADLOCK_ATTEMPTS = 5

T = TypeVar("T")


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
    picked = _unknown(connection, batch.batch_id, workflow, item_id)
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
    picked = _unknown(connection, batch.batch_id, workflow, item_id)
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
        raise no_such_workflow(batch_key, workflow, slugs)


def no_such_workflow(batch_key: str, workflow: str, slugs: Sequence[str]) -> NotFoundError:
    """The error for a workflow that a batch does not have; `slugs`: those that it has."""
    guess = did_you_mean(workflow, slugs)
    return NotFoundError(
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


def _unknown(connection: Connection, batch_id: int, workflow: str | None, item_id: int | None) -> list[Picked]:
    slugs = None if workflow is None else [workflow]
    return recovery.pick_states(connection, batch_id, Status.AMBIGUOUS, workflows=slugs, item_id=item_id)


def what_next(batch_key: str, running: tuple[str, ...]) -> Hint:
    """Who continues the batch."""
    if running:
        return Hint(Action.LEAVE_TO_RUNS, {"batch": batch_key, "runs": ", ".join(running)})
    return Hint(Action.CONTINUE_BATCH, {"batch": batch_key})
