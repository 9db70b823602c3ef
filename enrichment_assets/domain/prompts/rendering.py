"""A prompt for one item: inputs rendered and fenced, instructions, and the request in the provider's dialect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from enrichment_assets.domain.client_profiles import PROFILE
from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.expressions import blank
from enrichment_assets.domain.prompts.definition import Prompt
from enrichment_assets.domain.prompts.fencing import fenced, most_bytes
from enrichment_assets.domain.prompts.model_provider import ModelProvider
from enrichment_assets.domain.prompts.neutral import NeutralPrompt
from enrichment_assets.domain.provider import Provider, RenderedRequest
from enrichment_assets.domain.request_template import RequestTemplate
from enrichment_assets.domain.template_expressions import PARAMETERS, as_text, names_in
from enrichment_assets.domain.templating import MAX_BODY, RequestRenderer
from enrichment_assets.domain.workflow import WorkflowDefinition

MAX_NAME = 64
_THE_SAME_FOR_ALL = frozenset({PARAMETERS, PROFILE, "item"})
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")


class PromptRenderer(RequestRenderer):
    """Renders the prompt of one workflow; made once a step.

    Raises:
        ConfigurationError: The provider takes no prompts, or a template cannot be compiled.
    """

    def __init__(self, workflow: WorkflowDefinition, provider: Provider) -> None:
        self._prompt = prompt_of(workflow)
        self._provider = model_provider_of(workflow, provider)
        self._parameters = workflow.parameters
        self._name = schema_name(workflow.slug)
        path = self._provider.ask(self._neutral("", "")).url
        super().__init__(workflow, request=RequestTemplate(url=path))
        self._inputs = {name: self._node(f"prompt.inputs.{name}", text) for name, text in self._prompt.inputs.items()}
        self._of_items = inputs_of_items(self._prompt)
        self._instructions = self._node("prompt.instructions", self._prompt.instructions)

    def render(self, context: Mapping[str, Any], again: str | None = None) -> RenderedRequest:
        """The request for one item, with the inputs as the model sees them.

        Args:
            context: As for any request.
            again: What was wrong with the last answer; None: it is asked for the first time.

        Raises:
            ContractError: All inputs are empty for this item, or one cannot be rendered; quotes no data.
        """
        inputs = {name: self._evaluate(f"prompt.inputs.{name}", node, context) for name, node in self._inputs.items()}
        if all(blank(inputs[name]) for name in self._of_items):
            raise ContractError(
                f"workflow {self._slug}, prompt.inputs: all that say something of this item are empty",
                code="request.no_inputs",
            )
        instructions = as_text(self._evaluate("prompt.instructions", self._instructions, context))
        shown = fenced(inputs, self._prompt.max_input_tokens)
        request = self._provider.ask(self._neutral(instructions, shown.text, again))
        if len(request.content or b"") > MAX_BODY:
            raise ContractError(
                f"workflow {self._slug}, prompt: its request is larger than {MAX_BODY} bytes; lower "
                "`prompt.max_input_tokens`",
                code="request.prompt_too_large",
            )
        return replace(request, inputs=shown.inputs)

    def most_bytes(self, context: Mapping[str, Any]) -> int:
        """Bytes of the largest request that any item can have; `context`: `parameters` and `client_profile`.

        Raises:
            ContractError: The instructions cannot be rendered.
        """
        instructions = as_text(self._evaluate("prompt.instructions", self._instructions, context))
        around = len(self._provider.ask(self._neutral(instructions, "")).content or b"")
        return min(around + most_bytes(self._inputs, self._prompt.max_input_tokens), MAX_BODY)

    def _neutral(self, instructions: str, inputs: str, again: str | None = None) -> NeutralPrompt:
        prompt = self._prompt
        return NeutralPrompt(
            model=prompt.model,
            instructions=instructions,
            inputs=inputs,
            schema=prompt.answer,
            schema_name=self._name,
            max_output_tokens=prompt.max_output_tokens,
            temperature=prompt.temperature,
            search=prompt.search,
            background=prompt.background,
            parameters=self._parameters,
            again=again,
        )


def inputs_of_items(prompt: Prompt) -> list[str]:
    """The inputs that differ from item to item: the others say what the client offers, or are ours."""
    return [name for name, template in prompt.inputs.items() if names_in(template) - _THE_SAME_FOR_ALL]


def prompt_of(workflow: WorkflowDefinition) -> Prompt:
    """The setting; raises `ConfigurationError` where a workflow has none."""
    if workflow.prompt is None:
        raise ConfigurationError(f"workflow {workflow.slug}: has no `prompt`", code="workflow.no_prompt")
    return workflow.prompt


def model_provider_of(workflow: WorkflowDefinition, provider: Provider) -> ModelProvider:
    """The provider as one of language models; raises `ConfigurationError` where it is none."""
    if not isinstance(provider, ModelProvider):
        raise ConfigurationError(
            f"workflow {workflow.slug}: provider {provider.name} serves no language models", code="provider.no_models"
        )
    return provider


def schema_name(slug: str) -> str:
    """A name for the answer's schema that every dialect takes: letters, digits, `_` and `-`, at most 64."""
    return _NOT_IN_NAMES.sub("_", slug)[:MAX_NAME]
