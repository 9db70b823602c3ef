"""Who processes the data of people that workflows send, where, and whose people are not sent: the register as data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from enrichment_assets.domain.pipeline import ClientWorkflowConfig
from enrichment_assets.domain.planning import apply_config
from enrichment_assets.domain.regions import Processor
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.services.catalog.clients import get_client_configs
from enrichment_assets.services.catalog.configuration import list_workflows
from enrichment_assets.store.hq import Hq


@dataclass(frozen=True, slots=True)
class Processing:
    """A workflow that sends something, or is closed to somebody, and who processes it; None: nobody has said."""

    workflow: WorkflowDefinition
    processor: Processor | None


def list_processing(hq: Hq, client: str | None = None) -> list[Processing]:
    """Every workflow that sends something or is closed, in the usual order; `client`: as it runs for that one.

    A workflow that is switched off, here or for that client, is left out.

    Raises:
        NotFoundError: No such client.
    """
    configs = {} if client is None else get_client_configs(hq, client)
    registered = [row.definition for row in list_workflows(hq)]
    found = []
    for workflow in _enabled(client, registered, configs):
        sends = workflow.mode is not Mode.LOCAL and workflow.review is None
        if sends or workflow.not_for:
            found.append(Processing(workflow, processor_of(workflow)))
    return found


def _enabled(
    client: str | None, workflows: list[WorkflowDefinition], configs: dict[str, ClientWorkflowConfig]
) -> Iterator[WorkflowDefinition]:
    for workflow in workflows:
        config = configs.get(workflow.slug)
        merged = workflow if client is None or config is None else apply_config(client, workflow, config)
        if merged.enabled and (config is None or config.enabled):
            yield merged


def processor_of(workflow: WorkflowDefinition) -> Processor | None:
    """Who the workflow says it is; else the company that its provider's file names, at that company's own address.

    Where that company processes is its customers' contract, and not known here: no regions.
    """
    provider = PROVIDERS.get(workflow.provider)
    if workflow.processor is not None or provider is None or provider.company is None or workflow.base_url is not None:
        return workflow.processor
    return Processor(name=provider.company)
