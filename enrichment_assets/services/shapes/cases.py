"""Saved cases of a workflow, and what a changed mapping makes of a batch's stored answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from enrichment_assets.services.shapes.operations import Replay
from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.services.tries import recording, replays
    from enrichment_assets.services.tries.cases import CaseReport
    from enrichment_assets.services.tries.cases import CaseResult as RanCase


@dataclass(frozen=True, slots=True)
class CaseDifference(Shape):
    """A field of a case that reads otherwise than expected.

    Attributes:
        field: Its name.
        expected: What the case expects.
        got: What was read; null: nothing.
        why: Why what was answered is no value of the field.
    """

    field: str
    expected: Any
    got: Any
    why: str | None


@dataclass(frozen=True, slots=True)
class CaseResult(Shape):
    """What a saved case came to.

    Attributes:
        case: Its name.
        line: Of the file.
        passed: Everything is as expected.
        ended: `found`, `not_found`, `failed`, `skipped`, `pending` or `in_progress`.
        expected_end: What it was to be, where it is not.
        reason: Why it ended so, in words.
        differences: Fields that are not as expected.
        untrue: Assertions that do not hold.
    """

    case: str
    line: int
    passed: bool
    ended: str
    expected_end: str | None
    reason: str | None
    differences: tuple[CaseDifference, ...]
    untrue: tuple[str, ...]

    @classmethod
    def of(cls, result: RanCase) -> CaseResult:
        """From what the services return."""
        differences = (CaseDifference(d.field, d.expected, d.got, d.rejected) for d in result.differences)
        return cls(
            result.name,
            result.line,
            result.passed,
            result.ended,
            result.expected_end,
            result.reason,
            tuple(differences),
            result.untrue,
        )


@dataclass(frozen=True, slots=True)
class WorkflowTest(Shape):
    """Saved cases that were run.

    Attributes:
        workflow: Its slug.
        file: The cases.
        cases: How many.
        failed: How many are not as expected.
        results: Each, in the order of the file.
    """

    workflow: str
    file: str
    cases: int
    failed: int
    results: tuple[CaseResult, ...]

    @classmethod
    def of(cls, report: CaseReport) -> WorkflowTest:
        """From what the services return."""
        return cls(
            report.workflow,
            report.file,
            len(report.results),
            report.failed,
            tuple(map(CaseResult.of, report.results)),
        )


@dataclass(frozen=True, slots=True)
class RecordedCases(Shape):
    """A file of cases that was written from stored answers.

    Attributes:
        workflow: Whose answers.
        batch: Of which batch.
        file: Where they are; for this account only.
        cases: How many.
        gone: Answers that could not be recorded: retention took their bodies out.
    """

    workflow: str
    batch: str
    file: str
    cases: int
    gone: int

    @classmethod
    def of(cls, done: recording.Recorded) -> RecordedCases:
        """From what the services return."""
        return cls(done.workflow, done.batch, done.file, done.cases, done.gone)


@dataclass(frozen=True, slots=True)
class ChangedValue(Shape):
    """One answer of which a field reads otherwise.

    Attributes:
        change: `changed`, `gained` or `lost`.
        item_id: The item.
        row_number: Of the upload; 0 for a child item.
        before: What was read then.
        after: What is read now.
        rejected: Why what the answer has now is no value.
    """

    change: str
    item_id: int
    row_number: int
    before: Any
    after: Any
    rejected: str | None


@dataclass(frozen=True, slots=True)
class FieldChanges(Shape):
    """One field over all stored answers of a batch.

    Attributes:
        field: Its name.
        same: Answers of which it reads as before.
        changed: Answers of which it has another value.
        gained: Answers of which it had none.
        lost: Answers of which it has none any more.
        examples: At most three of each kind of change.
    """

    field: str
    same: int
    changed: int
    gained: int
    lost: int
    examples: tuple[ChangedValue, ...]

    @classmethod
    def of(cls, found: replays.FieldChanges) -> FieldChanges:
        """From what the services return."""
        examples = (ChangedValue(e.change, e.item_id, e.row, e.before, e.after, e.rejected) for e in found.examples)
        return cls(found.name, found.same, found.changed, found.gained, found.lost, tuple(examples))


@dataclass(frozen=True, slots=True)
class ChangedEnding(Shape):
    """How many answers end otherwise.

    Attributes:
        before: `found`, `not_found` or `failed`.
        after: The same, as it reads now.
        answers: How many.
    """

    before: str
    after: str
    answers: int


@dataclass(frozen=True, slots=True)
class ReplayComparison(Shape):
    """What a mapping makes of a batch's stored answers.

    Attributes:
        batch: The batch's key.
        workflow: Whose answers.
        new_mapping: It differs from the one that the batch has.
        answers: Stored answers that were read.
        differing: How many read otherwise in anything.
        endings: Outcomes that differ.
        left: Stored answers that decide nothing.
        gone: Answers that cannot be read again: retention took their bodies out.
        fields: Each field, with what differs.
        applied: What applying it came to; null: nothing was applied.
    """

    batch: str
    workflow: str
    new_mapping: bool
    answers: int
    differing: int
    endings: tuple[ChangedEnding, ...]
    left: int
    gone: int
    fields: tuple[FieldChanges, ...]
    applied: Replay | None

    @classmethod
    def of(cls, found: replays.Comparison) -> ReplayComparison:
        """From what the services return."""
        return cls(
            batch=found.batch,
            workflow=found.workflow,
            new_mapping=found.new_mapping,
            answers=found.answers,
            differing=found.differing,
            endings=tuple(ChangedEnding(*ends, answers) for ends, answers in found.endings.items()),
            left=found.left,
            gone=found.gone,
            fields=tuple(map(FieldChanges.of, found.fields)),
            applied=None if found.applied is None else Replay.of(found.applied),
        )
