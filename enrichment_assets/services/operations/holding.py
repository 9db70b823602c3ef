"""Pausing, resuming and cancelling: the services behind `enrich pause`, `resume` and `cancel`.

From the commit on no call of what is held leaves, in no run on no machine; what is under way is settled.
`store.batches.holds` says how that is certain.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.deliveries import DELIVERY_POSITION
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.money import Money, sums
from enrichment_assets.domain.operator_actions import LONGEST_TEXT, Code
from enrichment_assets.domain.pipeline import BlueprintStep
from enrichment_assets.domain.statuses import Status
from enrichment_assets.services.operations.recovery import in_transaction, no_such_workflow, wake_again
from enrichment_assets.store.audit.operator_actions import has_decided, note_action
from enrichment_assets.store.batches.held_calls import HeldCalls, UnderWay, since_held, under_way
from enrichment_assets.store.batches.holds import (
    ALL,
    HeldBatch,
    Hold,
    Kind,
    cancel_unsent,
    lock_for_hold,
    write_holds,
)
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.database import Connection
from enrichment_assets.store.deliveries.batches import counts_of, deliveries_of
from enrichment_assets.store.deliveries.over import end_planned
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.states.batch_states import workflow_counts
from enrichment_assets.store.states.transitions import StepFacts

_CODES: Mapping[Kind, Code] = {"paused": Code.BATCH_PAUSE, "cancelled": Code.BATCH_CANCEL}


@dataclass(frozen=True, slots=True)
class HoldReport:
    """What pausing, cancelling or resuming came to.

    Attributes:
        batch: The batch's key.
        workflow: Of which workflow; None: all of them.
        hold: What stands now; None after a resumption.
        states: Workflow slug -> states that wait now (paused), were ended (cancelled) or go on (resumed).
        under_way: Calls that had left before and are not settled yet: they are the most that is still spent.
        may_cost: What is reserved for them, one sum per currency.
        before: Where it was held before, what became of the calls that were under way then.
        running: Labels of the runs that work on the batch at this moment.
        again: It was so before; nothing was changed.
    """

    batch: str
    workflow: str | None
    hold: Hold | None
    states: Mapping[str, int]
    under_way: tuple[UnderWay, ...]
    may_cost: tuple[Money, ...]
    running: tuple[str, ...]
    again: bool = False
    before: tuple[HeldCalls, ...] = ()
    currencies: Mapping[str, str] = field(default_factory=dict)


def pause(hq: Hq, batch_key: str, *, actor: Actor, workflow: str | None = None, reason: str = "") -> HoldReport:
    """See that no call of a batch, or of one of its workflows, leaves until it is resumed.

    Raises:
        NotFoundError: No such batch, or it has no such workflow.
        ConfigurationError: It was given up, archived or cancelled, or the reason is too long.
    """
    return _hold(hq, batch_key, "paused", actor, workflow, reason)


def cancel(hq: Hq, batch_key: str, *, actor: Actor, workflow: str | None = None, reason: str = "") -> HoldReport:
    """End as CANCELLED what was not sent of a batch, or of one of its workflows, and let no call of it leave any more.

    A retry takes that back. Raises as `pause`.
    """
    return _hold(hq, batch_key, "cancelled", actor, workflow, reason)


def pause_unless_decided(hq: Hq, batch_key: str, *, actor: Actor, reason: str, since: datetime) -> bool:
    """`pause` all of a batch for what happened at `since`; whether it is paused now.

    Nothing is changed where the batch is finished, or where somebody has decided since then whether it is to run.
    Raises as `pause`.
    """

    def change(connection: Connection) -> bool:
        batch = _locked(connection, batch_key, None)
        if batch.is_finished or has_decided(connection, batch.batch_id, since):
            return False
        _held(connection, batch, batch_key, "paused", actor, None, reason)
        return True

    return in_transaction(hq, change)


# crash point: batch-is-held
def _hold(hq: Hq, batch_key: str, kind: Kind, actor: Actor, workflow: str | None, reason: str) -> HoldReport:
    told = " ".join(reason.split())
    if len(told) > LONGEST_TEXT:
        raise ConfigurationError(
            f"the reason has {len(told)} characters: at most {LONGEST_TEXT} are kept", code="hold.reason_too_long"
        )

    def change(connection: Connection) -> HoldReport:
        batch = _locked(connection, batch_key, workflow)
        if kind == "cancelled" and workflow is not None and _is_delivery(batch, workflow):
            raise ConfigurationError(
                f"{workflow} is a delivery: it can be paused, and single leads of it can be stopped",
                code="hold.of_delivery",
            )
        return _held(connection, batch, batch_key, kind, actor, workflow, told)

    return in_transaction(hq, change)


def _held(
    connection: Connection,
    batch: HeldBatch,
    batch_key: str,
    kind: Kind,
    actor: Actor,
    workflow: str | None,
    told: str,
) -> HoldReport:
    """Write the hold of a batch whose row is locked, unless it is held so already."""
    name = workflow or ALL
    before = batch.holds.get(name)
    batch = batch if workflow is not None else _with_deliveries(connection, batch)
    slugs = _slugs(batch, workflow)
    if before is not None and before.kind in (kind, "cancelled"):
        states, flying = _pending(connection, batch, slugs), under_way(connection, batch.batch_id, slugs)
        then = since_held(connection, batch.batch_id, before.under_way)
        return _report(batch, batch_key, workflow, before, states, flying, before=then, again=True)
    flying = under_way(connection, batch.batch_id, slugs)
    hold = Hold(kind, told, str(actor), _now(), {one.workflow: one.kept() for one in flying})
    kept = {**batch.holds, name: hold}
    if workflow is None:  # what holds all of it holds each of its steps
        kept = {name: one for name, one in kept.items() if name == ALL or one.kind == "cancelled"}
    states = _pending(connection, batch, slugs)
    if kind == "cancelled":
        facts = StepFacts.of(batch.blueprint)
        steps = [slug for slug in slugs if not _is_delivery(batch, slug)]
        ended = {s: cancel_unsent(connection, batch.batch_id, [s], hold.sentence, facts) for s in steps}
        if workflow is None:
            ended |= end_planned(connection, batch.batch_id, hold.sentence)
        states = {slug: count for slug, count in ended.items() if count}
    write_holds(connection, batch.batch_id, kept)
    said = {"workflow": workflow, "reason": told, "states": states, "under_way": sum(f.calls for f in flying)}
    _note(connection, actor, _CODES[kind], batch_key, batch, said)
    return _report(batch, batch_key, workflow, hold, states, flying)


def _report(
    batch: HeldBatch,
    batch_key: str,
    workflow: str | None,
    hold: Hold,
    states: Mapping[str, int],
    flying: Sequence[UnderWay],
    *,
    before: tuple[HeldCalls, ...] = (),
    again: bool = False,
) -> HoldReport:
    paid_in = {step.slug: step.workflow.price.currency for step in batch.blueprint.steps}
    may_cost = tuple(total for total in sums(one.money(paid_in[one.workflow]) for one in flying) if total.amount)
    return HoldReport(batch_key, workflow, hold, states, tuple(flying), may_cost, batch.running, again, before, paid_in)


# crash point: batch-is-resumed
def resume(hq: Hq, batch_key: str, *, actor: Actor, workflow: str | None = None) -> HoldReport:
    """Let what was paused go on. Without `workflow` every pause of the batch ends; what was cancelled stays.

    Raises:
        NotFoundError: No such batch, or it has no such workflow.
        ConfigurationError: It was given up or archived, or only a pause of the whole batch holds that workflow.
    """

    def change(connection: Connection) -> tuple[HoldReport, int]:
        batch = _locked(connection, batch_key, workflow)
        all_of_it = batch.holds.get(ALL)
        if workflow is not None and workflow not in batch.holds and all_of_it is not None:
            raise ConfigurationError(
                f"batch {batch_key} is {all_of_it.sentence}, all of it: one workflow alone cannot go on",
                _way_back(all_of_it),
                code="hold.of_whole_batch",
            )
        over = {n: h for n, h in batch.holds.items() if h.kind == "paused" and workflow in (None, n)}
        kept = {name: hold for name, hold in batch.holds.items() if name not in over}
        if over:
            write_holds(connection, batch.batch_id, kept)
            _note(
                connection, actor, Code.BATCH_RESUME, batch_key, batch, {"workflow": workflow, "resumed": sorted(over)}
            )
        batch = batch if workflow is not None else _with_deliveries(connection, batch)
        slugs = _slugs(batch, None if ALL in over else workflow)
        states = _pending(connection, batch, slugs)
        left = kept.get(workflow or ALL)
        return HoldReport(batch_key, workflow, left, states, (), (), batch.running, again=not over), batch.batch_id

    report, batch_id = in_transaction(hq, change)
    if report.running and not report.again:
        wake_again(hq, [batch_id])
    return report


def _locked(connection: Connection, batch_key: str, workflow: str | None) -> HeldBatch:
    batch = lock_for_hold(connection, batch_key)
    if batch is None:
        raise no_such_batch(connection, batch_key)
    if batch.is_over:
        raise ConfigurationError(
            f"batch {batch_key} was given up or archived",
            Hint(Action.HOLD_IS_OVER),
            code="hold.batch_is_over",
        )
    slugs = [step.slug for step in batch.blueprint.steps]
    if workflow is None or workflow in slugs:
        return batch
    delivering = _with_deliveries(connection, batch)
    if workflow not in (known := [step.slug for step in delivering.blueprint.steps]):
        raise no_such_workflow(batch_key, workflow, known)
    return delivering


def _with_deliveries(connection: Connection, batch: HeldBatch) -> HeldBatch:
    """The batch with the deliveries that were planned of it behind its steps."""
    planned = [one.step for one in deliveries_of(connection, batch.batch_id) if one.step is not None]
    known = {step.slug for step in batch.blueprint.steps}
    found = [BlueprintStep.model_validate(one) for one in planned]
    steps = [*batch.blueprint.steps, *(step for step in found if step.slug not in known)]
    return replace(batch, blueprint=batch.blueprint.model_copy(update={"steps": steps}))


def _slugs(batch: HeldBatch, workflow: str | None) -> list[str]:
    return [step.slug for step in batch.blueprint.steps if workflow in (None, step.slug)]


def _pending(connection: Connection, batch: HeldBatch, slugs: Collection[str]) -> dict[str, int]:
    counts = {count.slug: count.pending for count in workflow_counts(connection, batch.batch_id)}
    if deliveries := [slug for slug in slugs if _is_delivery(batch, slug)]:
        for one in counts_of(connection, batch.batch_id, deliveries):
            if one.status == Status.PENDING:
                counts[one.workflow_slug] = counts.get(one.workflow_slug, 0) + one.leads
    return {slug: pending for slug, pending in counts.items() if pending and slug in slugs}


def _is_delivery(batch: HeldBatch, workflow: str) -> bool:
    return batch.blueprint.step(workflow).position >= DELIVERY_POSITION


def _way_back(hold: Hold) -> Hint:
    return Hint(Action.RESUME_BATCH if hold.kind == "paused" else Action.RETRY_CANCELLED)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _note(
    connection: Connection, actor: Actor, code: Code, batch_key: str, batch: HeldBatch, said: Mapping[str, object]
) -> None:
    note_action(connection, actor, code, batch_key, client_id=batch.client_id, batch_id=batch.batch_id, after=said)
