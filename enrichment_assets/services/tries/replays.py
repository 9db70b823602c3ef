"""What a changed mapping would make of the stored answers of a batch, field by field, before anything is applied.

Nobody is called and nothing is written. Applying is a replay (`services.operations.replaying`), which reads the same
bytes by the same functions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.statuses import Status
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.decisions.decision import Decision
from enrichment_assets.engine.decisions.replay import read_again
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.registry.loader import parse_workflow
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.catalog.definition_files import read_definition
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.services.operations.current_mapping import CurrentMapping, current_mapping
from enrichment_assets.services.operations.replay_report import ReplayReport
from enrichment_assets.services.operations.replaying import replay
from enrichment_assets.services.operations.rereading import prepared_step, with_current_mapping, with_step
from enrichment_assets.services.tries.cases import is_same
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.tries import row_numbers
from enrichment_assets.store.calls.retention import bodies_gone
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.states.replaying import StoredAnswer, stored_answers

Change = Literal["changed", "gained", "lost"]

MOST_EXAMPLES = 3
"""Examples of each kind of change of a field that are kept."""


@dataclass(frozen=True, slots=True)
class Example:
    """One answer of which a field reads otherwise.

    Attributes:
        row: Of the upload; 0 for a child item.
        rejected: Why what the answer has now is no value of the field; None: it has nothing, or a value.
    """

    change: Change
    item_id: int
    row: int
    before: Any
    after: Any
    rejected: str | None


@dataclass(slots=True)
class FieldChanges:
    """One field over all answers: how many say the same, something else, something for the first time, nothing more."""

    name: str
    same: int = 0
    changed: int = 0
    gained: int = 0
    lost: int = 0
    examples: list[Example] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a mapping makes of a batch's stored answers.

    Attributes:
        new_mapping: It differs from the one that the batch has.
        answers: Stored answers that were read.
        differing: How many read otherwise in anything.
        endings: (before, after) -> answers whose outcome or status differs: `not_found` to `found`, say.
        left: Stored answers that decide nothing, before as now (an error status, an acknowledgement).
        gone: Answers that cannot be read again: retention took their bodies out.
        fields: Fields in the order of the workflow's mapping.
        applied: What applying it came to; None: nothing was applied.
    """

    batch: str
    workflow: str
    new_mapping: bool
    answers: int
    differing: int
    endings: Mapping[tuple[str, str], int]
    left: int
    gone: int
    fields: tuple[FieldChanges, ...]
    applied: ReplayReport | None = None


def compare_replay(
    hq: Hq, settings: Settings, batch_key: str, workflow: str, definition: Path | None = None
) -> Comparison:
    """Read a batch's stored answers of a workflow by the mapping that is registered now, or by that of a file.

    Raises:
        NotFoundError: No such batch, workflow or file.
        ConfigurationError: The file is no workflow or another one, or the workflow has no stored answers.
    """
    changed = None if definition is None else definition_of(definition)
    with registry(hq) as connection:
        current = current_mapping(connection, batch_key, workflow, changed)
        return _compared(connection, settings, batch_key, current)


def apply_replay(
    hq: Hq, settings: Settings, batch_key: str, workflow: str, definition: Path | None = None, *, actor: Actor
) -> ReplayReport:
    """Have a batch read by the mapping that was compared: the file is registered first, then the batch is replayed.

    Raises as `compare_replay`, `add_workflow` and `replay`.
    """
    if definition is not None:
        add_workflow(hq, settings, definition, actor=actor)
    return replay(hq, settings, batch_key, workflow, actor=actor)


def definition_of(path: Path) -> WorkflowDefinition:
    """The workflow in a file. Raises `NotFoundError`, or `ConfigurationError` for what is none."""
    return parse_workflow(read_definition(path), path.name)


def _compared(connection: Connection, settings: Settings, batch_key: str, current: CurrentMapping) -> Comparison:
    slug = current.workflow.slug
    launched = current.blueprint.step(slug).workflow
    workflow = with_current_mapping(launched, current.workflow)
    step = prepared_step(settings.sandbox_url, with_step(current.blueprint, workflow), slug)
    tally = _Tally({name: FieldChanges(name) for name in workflow.provides})
    for chunk in stored_answers(connection, current.batch_id, slug):
        tally.add(chunk, step, row_numbers(connection, [stored.item_id for stored in chunk]))
    return Comparison(
        batch=batch_key,
        workflow=slug,
        new_mapping=workflow.version() != launched.version(),
        answers=tally.answers,
        differing=tally.differing,
        endings=dict(tally.endings),
        left=tally.left,
        gone=bodies_gone(connection, current.batch_id, slug),
        fields=tuple(tally.fields.values()),
    )


@dataclass(slots=True)
class _Tally:
    """What was counted so far."""

    fields: dict[str, FieldChanges]
    answers: int = 0
    differing: int = 0
    left: int = 0
    endings: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, chunk: list[StoredAnswer], step: Step, rows: Mapping[int, int]) -> None:
        """Read stored answers and count what differs."""
        for stored in chunk:
            decision = read_again(step, stored)
            if decision is None:
                self.left += 1
                continue
            self.answers += 1
            before, after = stored.outcome or stored.status.lower(), _ended(decision)
            differs = before != after
            if differs:
                self.endings[before, after] += 1
            for name, change in self._changes(stored, decision):
                differs = True
                self._note(name, change, stored, decision, rows)
            self.differing += differs

    def _changes(self, stored: StoredAnswer, decision: Decision) -> Iterator[tuple[str, Change]]:
        """The fields that read otherwise; those that do not are counted."""
        old, new = stored.fields or {}, decision.fields if decision.status is Status.COMPLETED else {}
        for name in dict.fromkeys([*old, *new]):
            if name in old and name in new:
                if not is_same(old[name], new[name]):
                    yield name, "changed"
                else:
                    self._field(name).same += 1
            else:
                yield name, "lost" if name in old else "gained"

    def _note(
        self, name: str, change: Change, stored: StoredAnswer, decision: Decision, rows: Mapping[int, int]
    ) -> None:
        counted = self._field(name)
        setattr(counted, change, getattr(counted, change) + 1)
        if sum(example.change == change for example in counted.examples) < MOST_EXAMPLES:
            why = (decision.rejected.get(name) or {}).get("reason")
            before, after = (stored.fields or {}).get(name), decision.fields.get(name)
            row = rows.get(stored.item_id, 0)
            counted.examples.append(Example(change, stored.item_id, row, before, after, why))

    def _field(self, name: str) -> FieldChanges:
        return self.fields.setdefault(name, FieldChanges(name))


def _ended(decision: Decision) -> str:
    return decision.outcome.value if decision.outcome else decision.status.value.lower()
