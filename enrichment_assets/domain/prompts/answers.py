"""A model's text to a validated answer: one JSON object, read out of what stands around it, held against the schema.

Validated here, whatever the vendor promises: some drop the schema silently, and none carries all of its keywords.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.jsontext import parse_json
from enrichment_assets.domain.text_json import json_in_text

INVALID = "the answer is not as asked"
"""How the reason begins of an answer that may be asked for once more."""

MOST_TEXT = 1_000_000
"""Characters of an answer's text: nothing that a schema asks for is longer."""

_MOST_TOLD = 3
_LONGEST = 300
_UNNAMED = "the value"


class InvalidAnswer(ContractError):
    """The model wrote no JSON, or none that fits; the message says why, and quotes nothing that it wrote."""


class AnswerReader:
    """Reads the answers to one prompt; made once a step, since the schema is compiled.

    Raises:
        ContractError: The schema is no JSON Schema.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        from jsonschema_rs import Draft202012Validator, ValidationError  # a tenth of a second: for prompts alone

        try:
            self._validator = Draft202012Validator(dict(schema), mask=_UNNAMED, validate_formats=True, offline=True)
        except (ValidationError, ValueError) as error:
            reason = getattr(error, "message", str(error))
            place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in _path_of(error))
            raise ContractError(f"{place.lstrip('.') or 'it'}: {reason}"[:_LONGEST], code="prompt.schema") from None

    def read(self, text: str | None, notes: list[str] | None = None) -> dict[str, Any]:
        """The answer that a text holds.

        Args:
            text: What the model wrote; None: nothing.
            notes: Gets a sentence for each thing that was mended.

        Raises:
            InvalidAnswer: There is no JSON in it, more than one, or it does not fit the schema.
            ContractError: It is too large to be an answer.
        """
        if text is None or not text.strip():
            raise InvalidAnswer(f"{INVALID}: the model wrote nothing", code="answer.text_empty")
        if len(text) > MOST_TEXT:
            raise ContractError(
                f"the answer's text has {len(text)} characters, and {MOST_TEXT} is the most that is read",
                code="answer.text_too_large",
            )
        try:
            value = json_in_text(text, notes, _without_repeats)
        except ValueError as error:
            raise InvalidAnswer(f"{INVALID}: {error}", code="answer.text_without_json") from None
        faults = []
        for fault in self._validator.iter_errors(value):
            faults.append(_told(fault))
            if len(faults) == _MOST_TOLD:
                break
        if faults or not isinstance(value, dict):  # guard: an-answer-is-as-asked
            raise InvalidAnswer(
                f"{INVALID}: {'; '.join(dict.fromkeys(faults)) or 'it is no JSON object'}", code="answer.unlike_schema"
            )
        return value


def _without_repeats(body: bytes, notes: list[str] | None) -> Any:
    """One document; of two members with one name and different values nobody knows which is meant."""
    value = parse_json(body, notes)
    if body.count(b'":') + body.count(b'" :') > 1:
        try:
            json.loads(body.decode("utf-8", "surrogatepass"), object_pairs_hook=_distinct)
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members and members[name] != value:
            raise ValueError("a member is written twice, with different values")
        members[name] = value
    return members


def _told(error: Any) -> str:
    """`$.score: the value is greater than the maximum of 100`."""
    place = "".join(f"[{key}]" if isinstance(key, int) else f".{_printable(str(key))}" for key in error.instance_path)
    said = "there are members that were not asked for" if error.kind.name in _NAMES_IN_IT else str(error.message)
    return f"${place}: {said}"[:_LONGEST]


_NAMES_IN_IT = frozenset({"additionalProperties", "unevaluatedProperties", "propertyNames"})
"""Keywords whose message quotes names that the model made up."""


def _printable(name: str) -> str:
    return "".join(sign for sign in name[:60] if sign.isalnum() or sign in "_-")


def _path_of(error: object) -> list[Any]:
    return list(getattr(error, "instance_path", ()))
