"""Reading what a model answered: the completion out of the dialect, the answer out of the text, its fields out of that.

The same reading serves a live answer, one that a dead run left, a poll of a background answer, another batch's answer
and a replay: the inputs by which it is grounded come with the answer (`Answer.inputs`), kept with its call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.field_types import FieldType, type_of
from enrichment_assets.domain.mapping import ResponseReader
from enrichment_assets.domain.prompts.answers import INVALID, AnswerReader, InvalidAnswer
from enrichment_assets.domain.prompts.completions import CONTENT_FILTER, LENGTH
from enrichment_assets.domain.prompts.neutral import Completion
from enrichment_assets.domain.prompts.paths import provided_names, rule_names
from enrichment_assets.domain.prompts.rendering import model_provider_of, prompt_of
from enrichment_assets.domain.prompts.vendor_errors import REFUSED
from enrichment_assets.domain.provider import Answer, Provider, Reading
from enrichment_assets.domain.statuses import Outcome
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition

SOURCES = "_sources"
"""What `provides` calls the pages that a model with `search` names: `_sources[].url`."""


class NoAnswer(ContractError):
    """A completion that holds no answer that counts. `is_invalid`: it may be asked for once more."""

    def __init__(self, what: str, completion: Completion, *, is_invalid: bool, code: str) -> None:
        super().__init__(what, code=code)
        self.completion = completion
        self.is_invalid = is_invalid


class PromptReader(ResponseReader):
    """Reads the answers to one prompt workflow; made once a step.

    Raises:
        ConfigurationError: An expression or the answer's schema cannot be compiled.
    """

    def __init__(self, workflow: WorkflowDefinition, provider: Provider) -> None:
        from enrichment_assets.domain.prompts import grounding  # what reads names and numbers: for prompts alone

        super().__init__(workflow)
        self._grounding = grounding
        self._prompt = prompt_of(workflow)
        self._provider = model_provider_of(workflow, provider)
        try:
            self._answers = AnswerReader(self._prompt.answer)
        except ContractError as error:
            raise ConfigurationError(
                f"workflow {workflow.slug}, prompt.answer: {error}", code="workflow.answer_schema_invalid"
            ) from None
        self._fields_at = {rule: _fields_at(workflow, rule) for rule in self._prompt.grounded}
        self._types = {
            rule: type_of(field, workflow.types)
            for rule, fields in self._fields_at.items()
            for field in fields
            if type_of(field, workflow.types) is not FieldType.ANY
        }

    def read(self, answer: Answer) -> Reading:
        """Read an answer, or the acknowledgement of one that comes later. Raises as `read_result`."""
        return super().read(answer) if self._workflow.mode is Mode.ASYNC else self.read_result(answer)

    def read_poll(self, answer: Answer) -> Reading | None:
        """Read the answer to a poll; None: it is under way. Raises as `read_result`."""
        return None if self.polled(answer, []) is None else self.read_result(answer)

    def read_result(self, answer: Answer) -> Reading:
        """Read what the model said, whether it came at once or later.

        Raises:
            NoAnswer: The model was cut off, or what it wrote is not as asked.
            ContractError: It is no answer of this dialect.
        """
        completion = self._provider.complete(answer)
        if completion.refused:
            return Reading(Outcome.NOT_FOUND, None, {}, reason=REFUSED, completion=completion)
        if completion.cut is not None:
            raise NoAnswer(self._told(completion.cut), completion, is_invalid=False, code="answer.cut_off")
        notes: list[str] = []
        try:
            found = self._answers.read(completion.text, notes)
        except InvalidAnswer as error:
            raise NoAnswer(str(error), completion, is_invalid=True, code="answer.not_as_asked") from None
        except ContractError as error:
            raise NoAnswer(str(error), completion, is_invalid=False, code="answer.text_unreadable") from None
        inputs = answer.inputs or {}
        if self._prompt.cites and (fault := self._grounding.unknown_facts(found, self._prompt.cites, inputs)):
            raise NoAnswer(f"{INVALID}: {fault}", completion, is_invalid=True, code="answer.unknown_fact")
        reading = self._grounded(found, inputs, completion)
        return replace(reading, completion=completion, note="; ".join(notes) or None)

    def _grounded(self, found: dict[str, Any], inputs: Mapping[str, str], completion: Completion) -> Reading:
        """The fields of an answer of which every grounded value stands in its input."""
        country = found.get("country")
        grounded = self._grounding.ground(
            found, self._prompt.grounded, inputs, self._types, country if isinstance(country, str) else None
        )
        payload = {**grounded.answer, **_sources(completion)}
        reading = self._reading(payload, payload, self._found_if)
        dropped = {
            name: entry for rule, entry in grounded.dropped.items() for name in self._fields_at.get(rule) or [rule]
        }
        cited = self._grounding.cited(grounded.citations, self._fields_at)
        return replace(reading, rejected={**reading.rejected, **dropped}, citations=grounded.citations, cited=cited)

    def _told(self, cut: str) -> str:
        """Why an answer ends before its end, and what helps."""
        if cut == LENGTH:
            most = self._prompt.max_output_tokens
            return f"the answer was cut off ({cut}): raise `prompt.max_output_tokens`, which is {most}"
        if cut == CONTENT_FILTER:
            return f"the answer was cut off ({cut}): the provider's filter stopped it"
        return f"the answer was cut off ({cut})"


def _fields_at(workflow: WorkflowDefinition, rule: str) -> list[str]:
    """The fields that are provided from where a rule looks."""
    return [name for name, path in workflow.provides.items() if provided_names(path) == rule_names(rule)]


def _sources(completion: Completion) -> dict[str, Any]:
    if not completion.sources:
        return {}
    return {SOURCES: [{"url": one.url, "title": one.title, "date": one.date} for one in completion.sources]}
