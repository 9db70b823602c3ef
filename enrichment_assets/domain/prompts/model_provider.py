"""The seam between the engine and whoever serves language models: a `Provider` that also speaks a dialect."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from enrichment_assets.domain.prompts.batch_api import BatchApi
from enrichment_assets.domain.prompts.definition import Prompt
from enrichment_assets.domain.prompts.neutral import Completion, NeutralPrompt
from enrichment_assets.domain.provider import Answer, Provider, RenderedRequest
from enrichment_assets.domain.request_template import RequestTemplate
from enrichment_assets.domain.workflow import Poll, WorkflowDefinition

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

    def batch_api(self, parameters: Mapping[str, Any]) -> BatchApi | None:
        """The vendor's batch API, for a workflow with these parameters; None: it has none."""
        return None

    def left_out(self, prompt: Prompt, parameters: Mapping[str, Any]) -> Iterator[PromptFault]:
        """What of a prompt this dialect does not say to the model, so that it changes nothing: told, not refused."""
        return iter(())

    def poll_request(self, parameters: Mapping[str, Any]) -> RequestTemplate | None:
        """How a background answer is asked about, by `external_id`; None: it has no such answers."""
        return None


def as_dialect(workflow: WorkflowDefinition, provider: ModelProvider) -> WorkflowDefinition:
    """The workflow with what its dialect says of an answer that comes later: where its id is, how it is asked about.

    Prompts that go through the vendor's batch API have its price.
    """
    prompt = workflow.prompt
    if prompt is None or not prompt.answers_later:
        return workflow
    response = workflow.response.model_copy(update={"external_id": "id"})
    if prompt.batch:
        api = provider.batch_api(workflow.parameters)
        path = api.look("{{ external_id }}").url if api is not None else "/"
        poll = Poll(request=RequestTemplate(method="GET", url=path), every=prompt.every)
        price = workflow.price.in_batch()
        return workflow.model_copy(update={"poll": poll, "response": response, "price": price})
    request = provider.poll_request(workflow.parameters)
    if request is None:
        return workflow
    under_way = " || ".join(f"status == '{word}'" for word in provider.under_way)
    poll = Poll(request=request, pending_if=under_way, every=prompt.every)
    return workflow.model_copy(update={"poll": poll, "response": response})
