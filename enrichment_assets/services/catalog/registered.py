"""What is registered as services give it: a workflow, a pipeline, and what saving one came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import ValidationError

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.operator_actions import Code, differences
from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.versions import version_of
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.registry.loader import explain
from enrichment_assets.services.catalog.seeding import is_edited
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.catalog import registry as store
from enrichment_assets.store.database import Connection

Origin = Literal["built-in", "edited", "added"]


@dataclass(frozen=True, slots=True)
class RegisteredWorkflow:
    """A row of the registry. `origin`: as the built-in file says, a built-in that was edited, or a user's own."""

    definition: WorkflowDefinition
    version: str
    origin: Origin
    updated_at: datetime

    @property
    def seen_as(self) -> str:
        """The version that whoever changes it has to have seen."""
        return version_of(self.definition.model_dump(mode="json", by_alias=True))


@dataclass(frozen=True, slots=True)
class RegisteredPipeline:
    """A saved pipeline; `client` is None for one that all clients share."""

    definition: PipelineDefinition
    client: str | None
    updated_at: datetime

    @property
    def seen_as(self) -> str:
        """The version that whoever changes it has to have seen: one's own that says the same is another one."""
        return version_of([self.client, self.definition.model_dump(mode="json", by_alias=True)])


@dataclass(frozen=True, slots=True)
class Saved:
    """What saving came to; `warnings` name pipelines that cannot run any more."""

    slug: str
    change: Literal["added", "updated", "unchanged"]
    warnings: tuple[str, ...] = ()


def registered_workflow(row: dict[str, Any]) -> RegisteredWorkflow:
    """From a row of the registry. Raises `ConfigurationError`: it was made into no workflow by SQL."""
    try:
        definition = store.workflow_of(row)
    except ValidationError as error:
        raise ConfigurationError(
            f"the registry's row {row['workflow_slug']!r} is no workflow: {explain(error, WorkflowDefinition)}",
            code="workflow.row_invalid",
        ) from None
    origin: Origin = "added"
    if row["builtin_version"] is not None:
        origin = "edited" if is_edited(row) else "built-in"
    return RegisteredWorkflow(definition, definition.version(), origin, row["updated_at"])


def registered_pipeline(row: dict[str, Any]) -> RegisteredPipeline:
    """From a row of the table of pipelines."""
    return RegisteredPipeline(PipelineDefinition.model_validate(row["definition"]), row["client"], row["updated_at"])


def note_saved(
    connection: Connection,
    actor: Actor,
    code: Code,
    before: WorkflowDefinition | PipelineDefinition | None,
    after: WorkflowDefinition | PipelineDefinition,
    client_id: int | None = None,
) -> None:
    """Write down what of a definition was changed; all of it where it is new."""
    old = None if before is None else before.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    new = after.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if old is not None:
        old, new = differences(old, new)
    note_action(connection, actor, code, after.slug, client_id=client_id, before=old, after=new)
