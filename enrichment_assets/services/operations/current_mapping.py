"""The workflow by whose mapping stored answers of a batch are read now: as its client would be launched with it."""

from __future__ import annotations

from dataclasses import dataclass

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.pipeline import Blueprint, ClientWorkflowConfig
from enrichment_assets.domain.planning import apply_config
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition
from enrichment_assets.services.operations.recovery import refuse_other_workflow
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.catalog import registry as store
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class CurrentMapping:
    """A batch, what it was launched with, and the workflow as it is now."""

    batch_id: int
    blueprint: Blueprint
    workflow: WorkflowDefinition


def current_mapping(
    connection: Connection, batch_key: str, workflow: str, definition: WorkflowDefinition | None = None
) -> CurrentMapping:
    """The workflow as a batch of this client would be launched with now; the batch is not locked.

    Args:
        connection: HQ, with the built-ins in the registry.
        batch_key: The batch.
        workflow: Slug of one of its workflows.
        definition: Of that slug, in the place of the registry's.

    Raises:
        NotFoundError: No such batch or workflow.
        ConfigurationError: The workflow is computed here, answers in another way than it did, or is another.
    """
    batch = get_batch(connection, batch_key)
    if batch is None:
        raise no_such_batch(connection, batch_key)
    blueprint = Blueprint.model_validate(batch["blueprint"])
    refuse_other_workflow(batch_key, blueprint, workflow)
    if definition is None:
        row = next((r for r in store.list_workflow_rows(connection) if r["workflow_slug"] == workflow), None)
        if row is None:
            raise NotFoundError(f"workflow {workflow} is not in the registry any more", code="workflow.not_found")
        definition = store.workflow_of(row)
    elif definition.slug != workflow:
        raise ConfigurationError(
            f"the file defines workflow {definition.slug}, not {workflow}", code="replay.other_workflow"
        )
    config = store.client_configs(connection, batch["client_id"]).get(workflow, ClientWorkflowConfig())
    current = apply_config(blueprint.client, definition, config)
    if current.mode is Mode.LOCAL:
        raise ConfigurationError(
            f"workflow {workflow} is computed here: it has no stored answers to read again",
            code="replay.local_workflow",
        )
    if current.mode is not blueprint.step(workflow).workflow.mode:
        raise ConfigurationError(
            f"workflow {workflow} was {blueprint.step(workflow).workflow.mode} and is now another",
            code="replay.mode_changed",
        )
    return CurrentMapping(batch["id"], blueprint, current)
