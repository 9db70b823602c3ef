"""What a batch has asked, written down afterwards, so that the batch which replaces it takes the answers.

A call says what it asked only where answers may be reused (`reuse_for`). For any other it is worked out again: the
request follows from the row, the answers before the step and the blueprint, and all of these are kept.
"""

from __future__ import annotations

from collections.abc import Mapping

from enrichment_assets.domain.item_cells import StepSources
from enrichment_assets.domain.provider import Provider
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.calls.subject import question_of
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.engine.run.prepared_step import Door, prepare_steps
from enrichment_assets.store.calls import questions
from enrichment_assets.store.database import connect_async
from enrichment_assets.store.runs import contexts

_ITEMS_AT_ONCE = 1_000


async def remember_questions(
    hq_url: str, batch: Batch, providers: Mapping[str, Provider], sandbox_url: str | None
) -> int:
    """Write down what the calls of a batch asked that do not say so yet; how many.

    Calls that have an answer or whose answer is still to come. Nothing is called. A question that cannot be put now (a
    template has no value for it, a person corrected the row before the call) stays unknown: it is asked again.
    """
    steps = prepare_steps(batch.blueprint, providers, None, _no_door, sandbox_url)
    sources = StepSources.of(batch.blueprint)
    written, after = 0, 0
    async with await connect_async(hq_url, autocommit=True) as connection:
        while calls := await questions.unsaid(connection, batch.batch_id, after, _ITEMS_AT_ONCE):
            after = calls[-1].item_id
            ids = list(dict.fromkeys(call.item_id for call in calls))
            items = await contexts.load_answered(connection, ids, sources)
            said = []
            for call in calls:
                item, step = items.get(call.item_id), steps.get(call.workflow_slug)
                if item is not None and item.first_edit_at is not None and item.first_edit_at <= call.last_moved_at:
                    continue  # nobody knows whether it asked with the correction or without
                question = question_of(batch, item, step) if item and step else None
                if question is not None:
                    said.append((call.call_id, question))
            await questions.say(connection, said)
            written += len(said)
    return written


def _no_door(key: str, workflow: WorkflowDefinition) -> Door | None:
    """Nothing leaves."""
    return None
