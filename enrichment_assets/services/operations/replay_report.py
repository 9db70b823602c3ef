"""What reading stored answers again came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.workflow import WorkflowDefinition

MOST_EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class ChangedAnswer:
    """An answer that reads otherwise than before: how it ended, and the fields whose values differ.

    Attributes:
        item_id: Of whom it is.
        before: How it ended: `found`, `not_found`, or the status where it has no outcome.
        after: The same now.
        fields: Field -> (value before, value now); None: it has none.
    """

    item_id: int
    before: str
    after: str
    fields: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What reading again came to; a dry run changes nothing and says the same.

    Attributes:
        batch: Key of the batch.
        workflow: The workflow whose answers were read.
        dry_run: Nothing was written.
        new_mapping: The batch's blueprint differed from the registry in how answers are read or stored.
        answers: Stored answers that were read; `found`, `not_found` and `failed` of them.
        changed: Answers with another outcome or other fields than before.
        recovered: Answers that could not be read before, and can now.
        left: Stored answers that decide nothing, before as now (an error status, say).
        states: Workflow states that the answers reached; a company's answer reaches all of its items.
        reopened: Later steps PENDING again that had been skipped for want of what is there now.
        emitted: Child items that the answers emit and that were not there; those that are there stay.
        removed: Rows taken out of the destination table because their item is not found any more.
        gone: Answers that cannot be read again: retention took their bodies out. What they said before stays.
        examples: The first of those that changed.
        launched: The workflow as the batch read its answers before; `current`: as it reads them now.
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
    emitted: int = 0
    removed: int = 0
    gone: int = 0
    examples: tuple[ChangedAnswer, ...] = ()
    launched: WorkflowDefinition | None = None
    current: WorkflowDefinition | None = None

    @property
    def next_step(self) -> Hint:
        """What to do now."""
        if self.dry_run:
            return Hint(Action.WRITE)
        if not self.states and not self.new_mapping:
            return Hint(Action.NOTHING_CHANGED)
        return Hint(Action.EXTRACT_AGAIN, {"batch": self.batch})
