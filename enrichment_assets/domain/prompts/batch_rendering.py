"""Prompts of a workflow with `batch: true`: each item's line by itself, then the requests around them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.bulk_requests import RenderedMember
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.prompts.batch_api import BatchApi, Line
from enrichment_assets.domain.prompts.model_provider import ModelProvider
from enrichment_assets.domain.prompts.rendering import PromptRenderer
from enrichment_assets.domain.workflow import WorkflowDefinition


class PromptBatchRenderer(PromptRenderer):
    """Renders lines; made once a step.

    Raises:
        ConfigurationError: The provider has no batch API, or a template cannot be compiled.
    """

    def line(self, context: Mapping[str, Any], name: str, again: str | None = None) -> RenderedMember:
        """One item's line under a name; raises what `render` does."""
        return RenderedMember(Line(name, self.render(context, again)), name)


def batch_api_of(workflow: WorkflowDefinition, provider: ModelProvider) -> BatchApi:
    """The batch API that a workflow's prompts go through; raises `ConfigurationError` where the provider has none."""
    api = provider.batch_api(workflow.parameters)
    if api is None:
        raise ConfigurationError(
            f"workflow {workflow.slug}: provider {provider.name} has no batch API", code="provider.no_batches"
        )
    return api
