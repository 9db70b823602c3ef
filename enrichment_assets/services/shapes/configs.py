"""What a client overrides, as a list of workflows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from enrichment_assets.services.shapes.catalog import ClientConfig
from enrichment_assets.services.shapes.shape import FLAT, Shape

if TYPE_CHECKING:
    from enrichment_assets.domain.pipeline import ClientWorkflowConfig


@dataclass(frozen=True, slots=True)
class WorkflowConfig(Shape):
    """What a client overrides, with the workflow that it is of.

    Attributes:
        workflow: Slug of the workflow.
        config: What is overridden in it.
    """

    workflow: str
    config: ClientConfig = field(metadata=FLAT)

    @classmethod
    def of(cls, workflow: str, found: ClientWorkflowConfig) -> WorkflowConfig:
        """From what the services return."""
        return cls(workflow, ClientConfig.of(found))
