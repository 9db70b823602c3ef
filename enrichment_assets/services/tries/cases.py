"""Running saved cases: each answer is read as the engine reads it live, and compared with what is expected. Pure.

Nobody is called, and no database is asked: a workflow and its cases are enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enrichment_assets.domain.bulk_answers import Place
from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.expressions import truthy
from enrichment_assets.domain.known_names import given_by
from enrichment_assets.domain.pipeline import Blueprint, BlueprintStep, PipelineDefinition
from enrichment_assets.domain.suggestions import did_you_mean
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition
from enrichment_assets.engine.decisions.decision import Decision
from enrichment_assets.engine.decisions.replay import read_as_live
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.engine.run.local import compute
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.services.operations.rereading import prepared_step
from enrichment_assets.services.tries.case_files import Case, refuse_lines
from enrichment_assets.services.tries.given import given_item


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that reads otherwise than expected; `rejected`: why what was answered is no value of it."""

    field: str
    expected: Any
    got: Any
    rejected: str | None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What a case came to.

    Attributes:
        line: Of the file.
        ended: `found`, `not_found`, or the status in small letters.
        reason: Why, where there is a reason.
        expected_end: What it was to be, where it is not.
        differences: Fields that are not as expected.
        untrue: Assertions that do not hold, each with why where it cannot be told.
    """

    name: str
    line: int
    ended: str
    reason: str | None
    expected_end: str | None
    differences: tuple[Difference, ...]
    untrue: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Everything is as expected."""
        return self.expected_end is None and not self.differences and not self.untrue


@dataclass(frozen=True, slots=True)
class CaseReport:
    """All cases of a file, in its order."""

    workflow: str
    file: str
    results: tuple[CaseResult, ...]

    @property
    def failed(self) -> int:
        """How many are not as expected."""
        return sum(not result.passed for result in self.results)


@dataclass(frozen=True, slots=True)
class KeptCase:
    """The answer of a case, as the engine's reader takes what is kept of a call."""

    http_status: int | None
    headers: Mapping[str, str]
    body: bytes | None
    external_id: str | None
    place: Place | None
    callback: bytes | None
    callback_encoding: str | None
    callback_type: str | None
    inputs: Mapping[str, str] | None


def run_cases(workflow: WorkflowDefinition, cases: Sequence[Case], path: Path) -> CaseReport:
    """Read every case's answer by the workflow's mapping.

    Raises:
        ConfigurationError: Cases that cannot be run with this workflow, each with its line and cause.
    """
    refuse_unfit(workflow, cases, path)
    runner = CaseRunner(workflow)
    return CaseReport(workflow.slug, str(path), tuple(runner.run(case) for case in cases))


def refuse_unfit(workflow: WorkflowDefinition, cases: Sequence[Case], path: Path) -> None:
    """Raise `ConfigurationError` for cases whose answer is none that this workflow can have."""
    faults = []
    for case in cases:
        at = f"line {case.line}"
        if workflow.mode is Mode.LOCAL and case.body is not None:
            faults.append(f"{at}: answer: {workflow.slug} is computed here, from `inputs`")
        elif workflow.mode is not Mode.LOCAL and case.body is None:
            faults.append(f"{at}: answer: is missing")
        if case.how == "poll" and workflow.poll is None:
            faults.append(f"{at}: answer.how: {workflow.slug} has no `poll`")
        if case.how == "callback" and workflow.mode is not Mode.ASYNC:
            faults.append(f"{at}: answer.how: {workflow.slug} is answered at once, not by a callback")
    if faults:
        refuse_lines(path, faults)


class CaseRunner:
    """Reads answers by one workflow; compiled once."""

    def __init__(self, workflow: WorkflowDefinition) -> None:
        self._known = given_by(workflow)
        identity = list(PipelineDefinition(slug=workflow.slug, steps=[workflow.slug]).company_identity)
        step = BlueprintStep(position=0, workflow=workflow, registry_version=workflow.version())
        blueprint = Blueprint(client="cases", pipeline=workflow.slug, company_identity=identity, steps=[step])
        self._batch = Batch(0, "cases", 0, "cases", blueprint)
        self._step: Step = prepared_step(None, blueprint, workflow.slug)

    def run(self, case: Case) -> CaseResult:
        """Read one answer and compare."""
        try:
            decision = self.decide(case)
        except (ContractError, ConfigurationError) as error:
            return CaseResult(case.name, case.line, "failed", error.what, None, (), (f"it cannot be read: {error}",))
        ended = "pending" if decision is None else _ended(decision)
        fields = {} if decision is None else decision.fields
        rejected = {} if decision is None else decision.rejected
        differences = tuple(
            Difference(name, expected, fields.get(name), self._why(name, rejected))
            for name, expected in case.expect.items()
            if name not in self._known or not is_same(expected, fields.get(name))
        )
        return CaseResult(
            case.name,
            case.line,
            ended,
            None if decision is None else decision.reason or None,
            case.outcome if case.outcome not in (None, ended) else None,
            differences,
            tuple(_untrue(case, decision, ended)),
        )

    def _why(self, name: str, rejected: Mapping[str, Any]) -> str | None:
        if name not in self._known:
            return f"the workflow gives no such field{did_you_mean(name, self._known)}"
        return (rejected.get(name) or {}).get("reason")

    def decide(self, case: Case) -> Decision | None:
        """What the answer decides; None: a poll that is not ready yet. Raises where the inputs fit no request."""
        if self._step.workflow.mode is Mode.LOCAL:
            return compute(self._step, self._context(case))
        return read_as_live(self._step, self._kept(case))

    def _kept(self, case: Case) -> KeptCase:
        how = case.how or ("callback" if self._step.workflow.mode is Mode.ASYNC else "response")
        delivered = how == "callback"
        return KeptCase(
            http_status=case.status,
            headers=case.headers,
            body=None if delivered else case.body,
            external_id="case" if how == "poll" else None,
            place=self._place(case),
            callback=case.body if delivered else None,
            callback_encoding=case.headers.get("content-encoding") if delivered else None,
            callback_type=case.headers.get("content-type") if delivered else None,
            inputs=self._asked(case),
        )

    def _asked(self, case: Case) -> Mapping[str, str] | None:
        """What the prompt asked about, as the model saw it: as recorded, else rendered from the inputs."""
        if case.asked is not None or self._step.workflow.prompt is None:
            return case.asked
        return self._step.render(self._context(case)).inputs

    def _place(self, case: Case) -> Place | None:
        """Where the row stands in a bulk answer: as recorded, else alone, by the name that its inputs give it."""
        if case.place is not None or self._step.workflow.bulk is None:
            return case.place
        name = self._step.bulk_renderer.member(self._context(case)).name
        return Place(0, 1, None if name is None else (name,))

    def _context(self, case: Case) -> dict[str, Any]:
        workflow = self._step.workflow
        given = given_item(0, case.inputs, workflow, [workflow], self._batch.blueprint.company_identity)
        return self._batch.item_context(given.item, self._step)


def is_same(one: Any, other: Any) -> bool:
    """Equal as JSON: 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    return bool(one == other)


def _ended(decision: Decision) -> str:
    return decision.outcome.value if decision.outcome else decision.status.value.lower()


def _untrue(case: Case, decision: Decision | None, ended: str) -> list[str]:
    """Assertions that do not hold."""
    seen = {
        "outcome": ended,
        "fields": {} if decision is None else decision.fields,
        "payload": decision.reading.payload if decision is not None and decision.reading is not None else None,
        "rejected": {} if decision is None else decision.rejected,
        "reason": None if decision is None else decision.reason,
        "error_class": decision.error_class.value if decision is not None and decision.error_class else None,
    }
    found = []
    for assertion in case.assertions:
        try:
            if not truthy(assertion(seen)):
                found.append(assertion.text)
        except ContractError as error:
            found.append(f"{assertion.text} ({error})")
    return found
