"""What needs nobody outside is done for all items of a claim together: local steps and skips, committed at once.

A long list begins with steps that tidy names and hosts, and a row that lacks an input is skipped in many steps. One by
one each such step would be a wait for a commit. Here a claim's items go as far as they can in memory, and one record of
the ledger holds all their moves. Nothing left us meanwhile: what the database does not take has not happened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from enrichment_assets.domain.statuses import CallState, Status
from enrichment_assets.domain.workflow import Mode
from enrichment_assets.engine.commit.group_transaction import Together
from enrichment_assets.engine.commit.group_writer import RecordRefused
from enrichment_assets.engine.decisions.decision import Decision
from enrichment_assets.engine.decisions.outcome import Move, action_of, hold, record_of, tell
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.event_log import log_event
from enrichment_assets.engine.run.item import reason_to_skip, runnable
from enrichment_assets.engine.run.local import compute
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.store.calls.ledger import Applied
from enrichment_assets.store.runs.contexts import LoadedItem

COMPUTED_AT_ONCE = 8
"""Items that are computed in one turn of the event loop: answers that come in meanwhile are waited for by others."""


@dataclass(frozen=True, slots=True)
class _Made:
    """A move that was made in memory."""

    step: Step
    record: Applied
    parent: int | None


# crash point: claim-is-begun
async def begin_together(
    run: Run, items: Sequence[LoadedItem], load_again: Callable[[], Awaitable[list[LoadedItem]]]
) -> list[LoadedItem]:
    """Do what needs nobody outside for all items of a claim; those that have more to do, each to go its own way.

    An item for which an answer has come, or that a dead run left a call for, begins with that instead. The others are
    free again where nothing is left to be done.

    Args:
        run: The run.
        items: What was claimed, as it was loaded.
        load_again: Loads the same items as they stand.

    Raises:
        LeaseLost: This run was retired.
        InfrastructureError: The ledger cannot be written.
    """
    made: list[_Made] = []
    done: list[tuple[int, int]] = []
    going_on = []
    for number, item in enumerate(items, 1):
        moves = [] if item.callbacks or item.open_calls else _moves(run, item)
        made += moves
        if moves and not any(runnable(item, step) for step in run.steps.values()):
            done.append((item.item_id, item.fence))
        else:
            going_on.append(item)
        if number % COMPUTED_AT_ONCE == 0:
            await asyncio.sleep(0)
    if not made:
        return going_on
    try:
        with _at_work(made):
            moved = await run.writer.apply_together(Together([one.record for one in made], done))
    except RecordRefused:
        return await load_again()  # one of them has a value that cannot be kept: each by itself, it fails alone
    lost = {one.record.item_id for one, has_moved in zip(made, moved, strict=True) if not has_moved}
    for one, has_moved in zip(made, moved, strict=True):
        if has_moved:
            tell(run, one.record, action_of(one.step, one.record, called=False), parent=one.parent)
        else:
            log_event(run, "lost", one.step, item_id=one.record.item_id)
    return [item for item in going_on if item.item_id not in lost]


def _moves(run: Run, item: LoadedItem) -> list[_Made]:
    """The moves of an item until it has to call somebody, made in its memory."""
    made: list[_Made] = []
    before = -1
    while len(made) > before:
        before = len(made)
        for step in run.steps.values():
            if runnable(item, step) and (decided := _decided(run, item, step)) is not None:
                decision, move = decided
                record = record_of(item, step, decision, move)
                hold(run, item, step, record, decision.fields)
                made.append(_Made(step, record, item.parent_id))
    return made


def _decided(run: Run, item: LoadedItem, step: Step) -> tuple[Decision, Move] | None:
    """What becomes of a step without anybody's answer; None: it calls somebody, or makes items of its own."""
    context = run.item_context(item, step)
    reason = reason_to_skip(item, step, context) or run.reaching.reason(item, step)
    if reason is not None:
        return Decision(Status.SKIPPED, CallState.FAILED, reason=reason), Move()
    if step.workflow.mode is not Mode.LOCAL or step.workflow.emits is not None:
        return None
    return compute(step, context), Move(attempts=1)


@contextmanager
def _at_work(made: Sequence[_Made]) -> Iterator[None]:
    """Count the moves as work of their steps until they are written."""
    for one in made:
        one.step.load.items += 1
    try:
        yield
    finally:
        for one in made:
            one.step.load.items -= 1
