"""The providers by name, real or simulated: the one list that the engine, the definitions and the CLI share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster import ConfigurableResource

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.http_answers import join_url
from enrichment_assets.domain.provider import Provider
from enrichment_assets.domain.templating import RequestRenderer
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition
from enrichment_assets.providers.apollo import ApolloResource
from enrichment_assets.providers.clay import ClayResource
from enrichment_assets.providers.http import HttpResource
from enrichment_assets.providers.hunter import HunterResource
from enrichment_assets.providers.n8n import N8nResource
from enrichment_assets.providers.names import OWN_ADDRESS
from enrichment_assets.providers.zenrows import ZenRowsResource

_RESOURCES: Mapping[str, type[ConfigurableResource[Any]]] = {
    "apollo": ApolloResource,
    "hunter": HunterResource,
    "zenrows": ZenRowsResource,
    "clay": ClayResource,
    "n8n": N8nResource,
    "http": HttpResource,
}


def build_providers(sandbox_url: str | None = None) -> dict[str, Provider]:
    """Provider name -> provider; with `sandbox_url`, each at `<sandbox_url>/<name>`."""
    if sandbox_url is None:
        return {name: resource() for name, resource in _RESOURCES.items()}  # type: ignore[misc]
    base = sandbox_url.rstrip("/")
    return {name: resource(base_url=f"{base}/{name}") for name, resource in _RESOURCES.items()}  # type: ignore[misc]


def base_url_of(workflow: WorkflowDefinition, provider: Provider) -> str:
    """Where a workflow's relative requests go: its own `base_url`, else its provider's."""
    return workflow.base_url or provider.base_url


def address_of(workflow: WorkflowDefinition, provider: Provider) -> str:
    """The URL that a workflow calls, up to the first part that an item decides.

    Raises:
        ConfigurationError: It has none, or none that its provider may call; names workflow and remedy.
    """
    start = RequestRenderer(workflow).address(workflow.parameters)
    try:
        return join_url(base_url_of(workflow, provider), start, anywhere=workflow.provider in OWN_ADDRESS)
    except ConfigurationError as error:
        raise ConfigurationError(f"workflow {workflow.slug}: {error}") from None


def is_simulated(workflow: WorkflowDefinition, provider: Provider, sandbox_url: str | None) -> bool:
    """Whether every request of the workflow goes to the sandbox, so that the literal key `sandbox` will do."""
    if sandbox_url is None or workflow.mode is Mode.LOCAL:
        return False
    return address_of(workflow, provider).startswith(f"{sandbox_url.rstrip('/')}/")
