"""What a batch has asked, written down afterwards, so that the batch which replaces it takes the answers.

A call says what it asked only where answers may be reused (`reuse_for`). For any other it is worked out again: the
request follows from the row, the answers before the step and the blueprint, and all of these are kept. Where that is
not sure, nothing is written down, and the question is asked again: an answer that is filed under a question that it was
not given to would be a wrong value in another batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from enrichment_assets.domain.item_cells import StepSources
from enrichment_assets.domain.merging import RULE
from enrichment_assets.domain.provider import Provider
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.calls.subject import question_of
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.engine.run.prepared_step import Step, Throttle, prepare_steps
from enrichment_assets.store.calls import questions
from enrichment_assets.store.database import connect_async
from enrichment_assets.store.runs import contexts
from enrichment_assets.store.runs.contexts import LoadedItem

_ITEMS_AT_ONCE = 1_000


async def remember_questions(
    hq_url: str,
    batch: Batch,
    providers: Mapping[str, Provider],
    sandbox_url: str | None,
    *,
    only: Sequence[int] | None = None,
) -> int:
    """Write down what the calls of a batch asked that do not say so yet; how many.

    Calls that have an answer or whose answer is still to come. Nothing is called. A question stays unknown where it
    cannot be put now (a template has no value for it), and where what the step sees may not be what it saw: a person
    corrected the row before the call, an answer before it was read again since, another rule chose among the answers.
    `only`: the items whose calls are looked at; None: all of the batch.
    """
    steps = prepare_steps(batch.blueprint, providers, None, _no_throttle, sandbox_url)
    sources = StepSources.of(batch.blueprint)
    written, after = 0, 0
    needs = [(step.slug, need) for step in batch.blueprint.steps for need in step.needs]
    async with await connect_async(hq_url, autocommit=True) as connection:
        overtaken = await questions.overtaken(connection, batch.batch_id, needs, only)
        while calls := await questions.unsaid(connection, batch.batch_id, after, _ITEMS_AT_ONCE, only):
            after = calls[-1].item_id
            ids = list(dict.fromkeys(call.item_id for call in calls))
            items = await contexts.load_answered(connection, ids, sources)
            said = []
            for call in calls:
                item, step = items.get(call.item_id), steps.get(call.workflow_slug)
                if item is None or step is None or call.call_id in overtaken:
                    continue
                if item.first_edit_at is not None and item.first_edit_at <= call.last_moved_at:
                    continue  # nobody knows whether it asked with the correction or without
                question = _asked(batch, item, step, call.merge_rule)
                if question is not None:
                    said.append((call.call_id, question))
            await questions.say(connection, said)
            written += len(said)
    return written


def _asked(batch: Batch, item: LoadedItem, step: Step, merge_rule: int | None) -> str | None:
    """The question of a call whose request was made by this rule; None: another may have asked something else.

    Before there was one rule a step saw the latest value of each field. Where that makes the same request, it was this.
    """
    question = question_of(batch, item, step)
    if merge_rule == RULE or question is None:
        return question
    seen = dict.fromkeys(item.fields_at(step.blueprint.position))
    for given in item.given_before(step.blueprint.position):
        seen |= given.fields
    return question if question_of(batch, item, step, seen) == question else None


def _no_throttle(key: str, workflow: WorkflowDefinition) -> Throttle | None:
    """Nothing leaves."""
    return None
