"""Reading what a person answered: JSON that has to fit the schema of the workflow's `review`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.mapping import ResponseReader
from enrichment_assets.domain.prompts.answers import AnswerReader
from enrichment_assets.domain.prompts.schemas import general_faults
from enrichment_assets.domain.provider import Reading
from enrichment_assets.domain.reviews import Review
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.domain.yaml_text import load_yaml


class ReviewReader(ResponseReader):
    """Reads the answers to one review; made once a step, since the schema is compiled.

    Raises:
        ConfigurationError: The schema is none, or one of the answer's mapping cannot be compiled.
    """

    def __init__(self, workflow: WorkflowDefinition, review: Review) -> None:
        super().__init__(workflow)
        self._answers = answer_reader(workflow.slug, review)

    def read_callback(self, body: bytes, content_type: str = "") -> Reading:
        """As of any callback, once the answer fits the schema. Raises `ContractError`."""
        self._answers.read(body.decode(errors="replace"))
        return super().read_callback(body, content_type)


def answer_reader(slug: str, review: Review) -> AnswerReader:
    """The reader of the answers to a review. Raises `ConfigurationError`: its schema is none of an object."""
    faults = [".".join(map(str, place)) + f": {fault}" for place, fault in general_faults(review.answer)]
    try:
        reader = None if faults else AnswerReader(review.answer)
    except ContractError as error:
        faults, reader = [f": {error}"], None
    if reader is None:
        raise ConfigurationError(
            f"workflow {slug}, review.answer.{faults[0].lstrip('.: ')}", code="review.schema_invalid"
        )
    return reader


def typed_answer(review: Review, texts: Mapping[str, str]) -> dict[str, Any]:
    """What somebody typed, as values of the schema's properties: text stays text, anything else is read as YAML."""
    properties = review.answer.get("properties", {})
    return {name: _typed(properties.get(name, {}), text) for name, text in texts.items()}


def _typed(schema: Any, text: str) -> Any:
    if isinstance(schema, Mapping) and (schema.get("type") == "string" or _only_texts(schema.get("enum"))):
        return text
    try:
        return load_yaml(text, "the value")
    except ConfigurationError:
        return text


def _only_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
