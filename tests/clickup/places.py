"""The shipped delivery, with the parameters of the simulated workspace."""

from __future__ import annotations

from typing import Any

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.registry.loader import builtin_workflows

TEAM = "9011000001"


def new_leads(**parameters: Any) -> WorkflowDefinition:
    """`clickup-new-leads` for the workspace that the simulator has; `parameters` override its own."""
    found = builtin_workflows()["clickup-new-leads"]
    return found.model_copy(update={"parameters": {**found.parameters, "team_id": TEAM, **parameters}})
