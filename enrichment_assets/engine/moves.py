"""What a run notes of a state that has moved: its log, what it holds of the item in memory, and its counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.merge_policy import Source
from enrichment_assets.domain.statuses import Status
from enrichment_assets.domain.workflow import Entity, Mode
from enrichment_assets.engine.context import Run
from enrichment_assets.engine.event_log import log_move
from enrichment_assets.engine.fanout import log_emission
from enrichment_assets.engine.steps import Step
from enrichment_assets.store.contexts import LoadedItem
from enrichment_assets.store.ledger import Applied


def note_move(
    run: Run,
    item: LoadedItem,
    step: Step,
    record: Applied,
    action: str,
    fields: Mapping[str, Any],
    *,
    attempt: int | None = None,
) -> None:
    """Note a committed move.

    Args:
        run: The run.
        item: The claimed item.
        step: The step that moved.
        record: How it moved.
        action: The word for it in the log.
        fields: What the step provides from now on.
        attempt: Number of the call's attempt, where there was a call.
    """
    log_move(run, record, action, attempt)
    if record.emission is not None:
        log_emission(run, step, item, record.emission)
    state = item.states[step.slug]
    state.status, state.outcome = Status(record.status), record.outcome
    state.attempts, state.due, state.overdue = record.attempts, record.retry_in is None, False
    state.polls = False
    if fields:
        of_person = step.workflow.entity is Entity.PERSON
        source = Source("workflow", step.slug, step.workflow.provider, step.blueprint.position, of_person=of_person)
        item.take(source, fields)
    run.moved[step.slug, record.outcome or record.status.lower()] += 1


def action_of(step: Step, record: Applied, *, called: bool) -> str:
    """The log's word for a step's own move."""
    if record.inbox_id is not None:
        return "callback"
    if called:
        return "call"
    return "compute" if step.workflow.mode is Mode.LOCAL and record.status != Status.SKIPPED else "skip"
