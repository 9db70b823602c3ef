"""Which renderer makes a workflow's request: of one item, of many, or of a prompt in its provider's dialect."""

from __future__ import annotations

from enrichment_assets.domain.bulk_requests import BulkRenderer
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.prompts.batch_rendering import PromptBatchRenderer
from enrichment_assets.domain.prompts.rendering import PromptRenderer
from enrichment_assets.domain.provider import Provider
from enrichment_assets.domain.templating import RequestRenderer
from enrichment_assets.domain.workflow import WorkflowDefinition


def renderer_of(workflow: WorkflowDefinition, provider: Provider | None) -> RequestRenderer:
    """The renderer of a workflow's request.

    Raises:
        ConfigurationError: A template cannot be compiled, or a prompt has no provider that takes it.
    """
    if workflow.prompt is None:
        return RequestRenderer(workflow) if workflow.bulk is None else BulkRenderer(workflow)
    if provider is None:
        raise ConfigurationError(
            f"workflow {workflow.slug}: there is no provider {workflow.provider!r} to ask",
            code="provider.unknown_for_prompt",
        )
    return PromptBatchRenderer(workflow, provider) if workflow.prompt.batch else PromptRenderer(workflow, provider)
