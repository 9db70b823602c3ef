"""The seam between the engine and whoever serves language models: a `Provider` that also speaks a dialect."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from enrichment_assets.domain.prompts.definition import Prompt
from enrichment_assets.domain.prompts.neutral import Completion, NeutralPrompt
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest

PromptFault = tuple[tuple[str | int, ...], str]
"""A place below the workflow (`("prompt", "answer", "properties", "score")`), and what is wrong there."""


class ModelProvider(Provider):
    """A provider of language models. Each dialect is one file in `providers/`.

    A failure that stands inside HTTP 200 is told by `classify`; what `complete` reads has none.

    Attributes:
        parameters: What a workflow's `parameters` may say to this dialect -> the values that it takes, None: any.
        under_way: What `status` of a background answer says while it is under way.
    """

    parameters: ClassVar[Mapping[str, tuple[str, ...] | None]] = {}
    under_way: ClassVar[tuple[str, ...]] = ("queued", "in_progress")

    @abstractmethod
    def ask(self, prompt: NeutralPrompt) -> RenderedRequest:
        """The request in this dialect, without address and credentials: `authorise` adds them."""

    @abstractmethod
    def complete(self, answer: Answer) -> Completion:
        """Take what the model said out of an answer that `classify` found no fault with.

        Raises:
            ContractError: It is no answer of this dialect.
        """

    @abstractmethod
    def prompt_faults(self, prompt: Prompt, parameters: Mapping[str, Any]) -> Iterator[PromptFault]:
        """What of a prompt this dialect cannot carry."""

    def poll_url(self, parameters: Mapping[str, Any]) -> str | None:
        """Where a background answer is asked about, with `{{ external_id }}` in it; None: it has no such answers."""
        return None
