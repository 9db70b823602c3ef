"""Which address a workflow calls, and whether that is the simulator's."""

from __future__ import annotations

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.provider import Provider
from enrichment_assets.domain.renderers import renderer_of
from enrichment_assets.domain.request_parts import join_url
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition


def base_url_of(workflow: WorkflowDefinition, provider: Provider) -> str:
    """Where a workflow's relative requests go: its own `base_url`, else its provider's."""
    return workflow.base_url or provider.base_url


def address_of(workflow: WorkflowDefinition, provider: Provider) -> str:
    """The URL that a workflow calls, up to the first part that an item decides.

    Raises:
        ConfigurationError: It has none, or none that its provider may call; names workflow and remedy.
    """
    start = renderer_of(workflow, provider).address(workflow.parameters)
    try:
        return join_url(base_url_of(workflow, provider), start, anywhere=provider.own_address, schemes=provider.schemes)
    except ConfigurationError as error:
        raise ConfigurationError(f"workflow {workflow.slug}: {error}", *error.hints, code=error.code) from None


def is_simulated(workflow: WorkflowDefinition, provider: Provider, sandbox_url: str | None) -> bool:
    """Whether every request of the workflow goes to the sandbox, so that the literal key `sandbox` will do."""
    if sandbox_url is None or workflow.mode is Mode.LOCAL:
        return False
    return address_of(workflow, provider).startswith(f"{sandbox_url.rstrip('/')}/")
