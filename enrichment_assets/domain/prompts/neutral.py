"""A prompt in nobody's dialect, and what came back, in nobody's dialect either: what providers turn into and out of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from enrichment_assets.domain.money import Money
from enrichment_assets.domain.prompts.definition import Search
from enrichment_assets.domain.prompts.usage import TokenUsage


@dataclass(frozen=True, slots=True)
class NeutralPrompt:
    """One prompt for one item, ready to be put into a vendor's words.

    Attributes:
        model: As the provider names it.
        instructions: Ours, trusted.
        inputs: A stranger's text, fenced and labelled as data (`domain.prompts.fencing`).
        schema: The JSON Schema of the answer, whole; the provider strips what its dialect cannot carry.
        schema_name: Letters, digits, `_` and `-`, at most 64.
        max_output_tokens: The model's thinking among them.
        temperature: None: not said.
        search: None: the model searches nothing.
        background: It is to be asked about later.
        parameters: The workflow's, where a dialect has ways of its own.
        again: What was wrong with the answer before this one; None: it is asked for the first time.
    """

    model: str
    instructions: str
    inputs: str
    schema: Mapping[str, Any]
    schema_name: str
    max_output_tokens: int
    temperature: float | None = None
    search: Search | None = None
    background: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)
    again: str | None = None

    @property
    def question(self) -> str:
        """What the user's turn says: the inputs, and where it is asked again, what was wrong with the last answer."""
        if self.again is None:
            return self.inputs
        return f"{self.inputs}\n\n{ASKED_AGAIN.format(fault=self.again)}"


ASKED_AGAIN = (
    "Your last answer was not accepted: {fault}. Answer again from the same inputs, with one JSON object that fits "
    "the schema and nothing else."
)
"""What a second ask says besides. `fault` is a validator's message: places and keywords, none of the answer's text."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model that searched says that it has something from."""

    url: str
    title: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model said, taken out of a vendor's answer.

    Attributes:
        text: What it wrote; JSON is somewhere in it. None: nothing.
        refused: It declined.
        cut: Why it stopped before its end (`length`, `content_filter`); None: it came to its end.
        usage: What it used; None: not said, or nothing that can be true.
        cost: What the answer says that it cost; None: not said.
        sources: Of a model that searched.
        model: As the answer names it.
    """

    text: str | None
    refused: bool = False
    cut: str | None = None
    usage: TokenUsage | None = None
    cost: Money | None = None
    sources: tuple[Source, ...] = ()
    model: str | None = None
