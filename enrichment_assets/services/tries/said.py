"""What a model said to the rows of a try: tokens, the model as it names itself, and where grounded values stand.

All of it is read out of the stored answer, by the reader that reads it live. Nobody is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from enrichment_assets.domain.prompts.grounding import Citation
from enrichment_assets.domain.prompts.usage import TokenUsage
from enrichment_assets.engine.decisions.decision import Decision
from enrichment_assets.engine.decisions.replay import read_as_live
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.store.database import Connection
from enrichment_assets.store.states.replaying import StoredAnswer, stored_answers


@dataclass(frozen=True, slots=True)
class Said:
    """One row's answer of a model.

    Attributes:
        model: As the answer names it; None: it does not.
        usage: Tokens of the answer that counts; None: it does not say.
        asked: The inputs as the model saw them; None: they were taken out.
        citations: Where each grounded value stands.
    """

    model: str | None
    usage: TokenUsage | None
    asked: Mapping[str, str] | None
    citations: tuple[Citation, ...]


def said_to(connection: Connection, batch_id: int, step: Step) -> dict[int, Said]:
    """Item id -> what a model said about it; nothing for a workflow without a prompt."""
    if step.workflow.prompt is None:
        return {}
    return {
        stored.item_id: _said(stored, read_as_live(step, stored))
        for chunk in stored_answers(connection, batch_id, step.slug)
        for stored in chunk
    }


def _said(stored: StoredAnswer, decision: Decision | None) -> Said:
    completion = None if decision is None else decision.completion
    reading = None if decision is None else decision.reading
    return Said(
        None if completion is None else completion.model,
        None if completion is None else completion.usage,
        stored.inputs,
        () if reading is None else tuple(reading.citations),
    )
