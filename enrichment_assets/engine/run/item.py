"""One claimed item's way: what came back, what a dead run left, then every step whose turn it is."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any

from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.planning import country_field
from enrichment_assets.domain.statuses import UNDECIDED, CallState, InboxStatus, Outcome, SkipReason, Status
from enrichment_assets.domain.workflow import Entity, Mode
from enrichment_assets.engine.calls.attempt import Attempt
from enrichment_assets.engine.calls.call import asks_otherwise, call, give_up_repeating, recover
from enrichment_assets.engine.calls.callback_signature import signature_fault
from enrichment_assets.engine.calls.polling import look
from enrichment_assets.engine.calls.reuse import call_or_reuse
from enrichment_assets.engine.calls.single_flight import single_flight
from enrichment_assets.engine.calls.subject import subject_of
from enrichment_assets.engine.decisions.bulk import decided_delivery
from enrichment_assets.engine.decisions.decision import Decision, Ending
from enrichment_assets.engine.decisions.outcome import ItemLost, Move, conclude
from enrichment_assets.engine.decisions.reading import MOST_READINGS, given_up
from enrichment_assets.engine.deliveries.deliver import deliver
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.event_log import log_event
from enrichment_assets.engine.run.local import compute
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.engine.tracing import span
from enrichment_assets.store.runs.contexts import Callback, LoadedItem, OpenCall
from enrichment_assets.store.states.reopening import Reopen


async def process(run: Run, item: LoadedItem) -> None:
    """Do everything that can be done for an item now, then free it."""
    with run.crowd.item(item.item_id), suppress(ItemLost):
        while item.callbacks:
            await take_callback(run, item, item.callbacks.pop(0))
        for open_call in item.open_calls:
            await _finish(run, item, open_call)
        await _advance(run, item, run.steps)
    # Also where a state turned out to have ended meanwhile: the fence decides whether the item is still ours to free.
    await run.writer.release(item.item_id, item.fence)


async def take_answers(run: Run, item: LoadedItem, slugs: Collection[str]) -> None:
    """Apply what came for an item and do what needs no call, then free it: steps outside `slugs` stay as they are.

    A body that a run may have died of stays in the inbox, and what came after it for this item too: a run reads it.
    """
    with suppress(ItemLost):
        while item.callbacks and not item.callbacks[0].readings:
            await take_callback(run, item, item.callbacks.pop(0))
        await _advance(run, item, slugs)
    await run.writer.release(item.item_id, item.fence)


async def _advance(run: Run, item: LoadedItem, slugs: Collection[str]) -> None:
    """Run these steps until none is runnable. Independent steps of an item run side by side."""
    waiting: set[str] = set()
    tasks: dict[asyncio.Task[Ending], str] = {}
    try:
        while True:
            passed_over = {*waiting, *tasks.values()} if waiting or tasks else waiting
            ready = [] if run.stopping else _ready(run, item, slugs, passed_over)
            if not ready and not tasks:
                return
            if len(ready) == 1 and not tasks:
                step = ready[0]
                step.load.items += 1
                try:
                    if (await run_step(run, item, step)).deferred:
                        waiting.add(step.slug)
                finally:
                    step.load.items -= 1
                continue
            for step in ready:
                tasks[asyncio.create_task(run_step(run, item, step))] = step.slug
                step.load.items += 1
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                slug = tasks.pop(task)
                run.steps[slug].load.items -= 1
                if task.result().deferred:
                    waiting.add(slug)
    finally:
        for task, slug in tasks.items():
            run.steps[slug].load.items -= 1
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _ready(run: Run, item: LoadedItem, slugs: Collection[str], passed_over: Collection[str]) -> list[Step]:
    return [
        step for slug, step in run.steps.items() if runnable(item, step) and slug in slugs and slug not in passed_over
    ]


def runnable(item: LoadedItem, step: Step) -> bool:
    """Whether it is this step's turn for this item."""
    state = item.states.get(step.slug)
    if state is None or state.status is not Status.PENDING or not state.due or step.stop is not None:
        return False
    return all(item.states[name].status.settled for name in step.needs if name in item.states)


# crash point: step-of-an-item
async def run_step(run: Run, item: LoadedItem, step: Step) -> Ending:
    """Run one step for one item: skip it with a reason, compute it, or call its provider."""
    with span("step", workflow=step.slug, item=item.item_id) as told:
        ending = await _run(run, item, step)
        told.told("status", ending.decision.status.value)
        told.told("outcome", ending.decision.outcome)
    return ending


async def _run(run: Run, item: LoadedItem, step: Step) -> Ending:
    context = run.item_context(item, step)
    reason = reason_to_skip(item, step, context) or run.reaching.reason(item, step)
    if reason is not None:
        return await conclude(run, item, step, Decision(Status.SKIPPED, CallState.FAILED, reason=reason), Move())
    if step.workflow.mode is Mode.LOCAL:
        decision = compute(step, context)
        return await conclude(run, item, step, decision, Move(attempts=1))
    if step.delivering is not None:
        return await deliver(run, item, step, step.delivering)
    subject = subject_of(run.batch, item, step)
    earlier = item.repeats.pop(step.slug, None)
    if earlier is not None and asks_otherwise(step, earlier, subject):
        return await give_up_repeating(run, item, step, earlier)
    if step.workflow.reuse_for is not None:
        return await call_or_reuse(run, item, step, subject)
    if step.workflow.entity is Entity.COMPANY:
        return await single_flight(run, item, step, subject.key, lambda: call(run, item, step, subject))
    return await call(run, item, step, subject)


def reason_to_skip(item: LoadedItem, step: Step, context: Mapping[str, Any]) -> str | None:
    """Why a step whose turn it is does not run for this item, of which it sees `context`; None: it does."""
    found = [
        name
        for name in step.blueprint.fallback_of
        if name in item.states and item.states[name].outcome == Outcome.FOUND.value
    ]
    if found:
        return f"{SkipReason.ALREADY_FOUND.value}: by {found[0]}"
    if step.provider is not None and (why := _suppressed(item, step)) is not None:
        return f"{SkipReason.SUPPRESSED.value}: {why}"
    if step.closing is not None and (why := step.closing.reason(_countries(item, step))) is not None:
        return f"{SkipReason.CLOSED_TO_REGION.value}: {why}"
    for name in step.ended_by:
        if name in item.states and item.states[name].status is not Status.SKIPPED:
            return f"{SkipReason.FANNED_OUT.value}: by {name}"
    missing = step.workflow.missing_requirements(context)
    if missing:
        return f"{SkipReason.MISSING_INPUT.value}: {', '.join(missing)}"
    if step.runs_if is not None:
        try:
            if not step.runs_if(context):
                return f"{SkipReason.CONDITION.value}: {step.workflow.run_if}"
        except ContractError as error:
            return f"{SkipReason.CONDITION.value}: {UNDECIDED}: {error}"
    return None


def _suppressed(item: LoadedItem, step: Step) -> str | None:
    """Why whoever a step would ask about may not be asked about."""
    return item.suppressed_person if step.workflow.entity is Entity.PERSON else item.suppressed_company


def _countries(item: LoadedItem, step: Step) -> Iterator[object]:
    """Every country that row and answers say for whom a step asks about; what a person corrected says it alone."""
    name = country_field(step.workflow)
    if item.edited is not None and name in item.edited.fields:
        yield item.edited.fields[name]
        return
    yield item.details.get(name)
    yield item.identity.get(name)
    for given in item.given_before(step.blueprint.position):
        yield given.fields.get(name)


# crash point: callback-is-taken
async def take_callback(run: Run, item: LoadedItem, callback: Callback) -> None:
    """Apply a callback from the inbox, once: a state that has its answer already leaves it `superseded`."""
    step = run.steps.get(callback.call.workflow_slug)
    if step is None:
        return
    state = item.states[step.slug]
    if state.status in (Status.COMPLETED, Status.SKIPPED):
        await run.writer.mark_inbox(callback.inbox_id, InboxStatus.SUPERSEDED.value, "this step already had its answer")
        return
    if callback.body is not None and callback.readings == 0:
        await _read_callback(run, item, step, callback, callback.body)
        return
    async with run.alone:
        kept = await run.bodies.callback(callback.inbox_id, callback.readings > 0)
        await _read_callback(run, item, step, callback, kept.body, is_given_up=kept.readings > MOST_READINGS)


async def _read_callback(
    run: Run, item: LoadedItem, step: Step, callback: Callback, body: bytes, *, is_given_up: bool = False
) -> None:
    state = item.states[step.slug]
    if (why := signature_fault(step, callback, body)) is not None:
        await run.writer.mark_inbox(callback.inbox_id, InboxStatus.DEAD.value, why)
        log_event(run, "callback_refused", step, item_id=item.item_id)
        return
    reopens = state.status in (Status.FAILED, Status.AMBIGUOUS)
    if is_given_up:
        decision, inbox_status = given_up(), InboxStatus.DEAD
    else:
        decision, inbox_status = await decided_delivery(step, callback, body)
    if step.workflow.review is not None and inbox_status is InboxStatus.DEAD:
        # A person goes on being asked: what was no answer ends nothing.
        await run.writer.mark_inbox(callback.inbox_id, InboxStatus.DEAD.value, decision.reason)
        return
    reserved = callback.call.state in _RESERVED
    if not reserved:
        decision = replace(decision, cost=_not_booked(decision, callback.call), as_reserved=False)
    attempt = Attempt(callback.call.call_id, callback.call.attempt, callback.call.estimated_cost)
    move = Move(attempt, reserved=reserved, inbox_id=callback.inbox_id, inbox_status=inbox_status)
    await conclude(run, item, step, decision, move)
    item.open_calls = [c for c in item.open_calls if c.call_id != callback.call.call_id]
    if item.callbacks:
        # What was loaded with this one now follows a call that has ended, and whose money is booked.
        booked = (callback.call.cost or Decimal(0)) + (decision.booked(attempt.reserved) or Decimal(0))
        ended = replace(callback.call, state=decision.call_state, cost=booked)
        item.callbacks = [replace(c, call=ended) if c.call.call_id == ended.call_id else c for c in item.callbacks]
    if reopens and decision.outcome is Outcome.FOUND:
        await _reopen(run, item, step)


_RESERVED = frozenset({CallState.INTENT, CallState.SENT, CallState.RECEIVED, CallState.AMBIGUOUS})
"""States of a call for whose last attempt money is still set aside."""


def _not_booked(decision: Decision, call_row: OpenCall) -> Decimal | None:
    """What a late answer costs beyond what was booked, as reserved, when its attempt was given up."""
    cost = decision.booked(call_row.estimated_cost)
    if cost is None or call_row.cost is None:
        return cost
    return max(cost - call_row.estimated_cost, Decimal(0))


async def _reopen(run: Run, item: LoadedItem, step: Step) -> None:
    slugs = run.batch.blueprint.dependents(step.slug)
    if not slugs:
        return
    # Only what the database reopened: a step that was skipped for another reason would be paid for and refused.
    providers = {slug: run.facts.providers[slug] for slug in slugs}
    for slug in await run.writer.reopen(Reopen(item.item_id, item.fence, providers)):
        state = item.states.get(slug)
        if state is not None:
            state.status, state.outcome, state.attempts, state.due = Status.PENDING, None, 0, True


async def _finish(run: Run, item: LoadedItem, open_call: OpenCall) -> None:
    """A call that has no end yet: left behind by a dead run, to be polled, or overdue."""
    step = run.steps.get(open_call.workflow_slug)
    if step is None:
        return
    state = item.states[step.slug]
    if state.status is Status.PENDING:
        await recover(run, item, step, open_call)
    elif state.status is Status.IN_PROGRESS and (state.overdue or state.polls) and open_call.state == CallState.SENT:
        await look(run, item, step, open_call)
