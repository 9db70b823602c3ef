"""What a system is: a shipped whole of pipelines, a sample, and what is shown of it. Data, as workflows are.

A system's file is `registry/systems/<slug>.yaml`. A pipeline names its system (`system: golf`); so does a model of
`dbt_like_sql/` (`meta: {system: golf}`), which is then built, tested and published for that system's batches alone.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints, model_validator

from enrichment_assets.domain.parts import IDENTIFIER_PATTERN, Part
from enrichment_assets.domain.pipeline import ClientWorkflowConfig
from enrichment_assets.domain.workflow import Slug

FileName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
RelationName = Annotated[
    str, StringConstraints(pattern=rf"^({IDENTIFIER_PATTERN[1:-1]}\.)?{IDENTIFIER_PATTERN[1:-1]}$")
]


class Demo(Part):
    """How a system is shown: who gives what, and how it arrives."""

    kind: Slug = Field(default="upload", description="how work arrives: a name of services.systems.arriving.ARRIVALS")
    client: Slug
    client_name: str
    pipeline: Slug | None = Field(default=None, description="null: nothing is launched (a pull)")
    sample: FileName | None = Field(default=None, description="a file in examples/")
    profile: FileName | None = Field(default=None, description="the client's profile, a file in examples/")
    configs: dict[Slug, ClientWorkflowConfig] = Field(
        default_factory=dict, description="what the client overrides, by workflow"
    )
    options: dict[str, Any] = Field(default_factory=dict, description="what the demo's kind reads besides")
    misses: float = Field(default=0.08, ge=0, le=1, description="share of subjects that the sandbox does not know")


class Phase(Part):
    """Steps of a system's pipelines that belong together: a job of their own in Dagster, and a stage of its items."""

    slug: Slug
    title: str
    steps: list[Slug] = Field(min_length=1)


class Tables(Part):
    """Tables and views that a system's users know by name: `agency.workflow_states`, `final_leads`."""

    hq: list[RelationName] = Field(default_factory=list)
    workspace: list[RelationName] = Field(default_factory=list)


class SystemDefinition(Part):
    """One shipped system."""

    slug: Slug
    title: str
    description: str
    pipelines: list[Slug] = Field(default_factory=list)
    phases: list[Phase] = Field(default_factory=list, description="in their order; no step is in two")
    demo: Demo
    tables: Tables = Field(default_factory=Tables)
    reports: list[Slug] = Field(default_factory=list, description="shown at the end: names of reports")
    next: list[str] = Field(default_factory=list, description="commands to go on with; {batch}, {client} are filled in")
    page: str = Field(description="its page: systems.md#agency")

    @model_validator(mode="after")
    def _demo_is_of_it(self) -> SystemDefinition:
        if self.demo.pipeline is not None and self.demo.pipeline not in self.pipelines:
            raise ValueError(f"the demo's pipeline {self.demo.pipeline} is none of its pipelines")
        if self.demo.kind == "upload" and (self.demo.sample is None or self.demo.pipeline is None):
            raise ValueError("a demo of kind `upload` needs a sample and a pipeline")
        return self

    @model_validator(mode="after")
    def _each_step_in_one_phase(self) -> SystemDefinition:
        steps = [step for phase in self.phases for step in phase.steps]
        if twice := next((step for step in steps if steps.count(step) > 1), None):
            raise ValueError(f"the step {twice} is in two phases")
        return self

    def phase_of(self) -> dict[str, str]:
        """Step -> the slug of its phase."""
        return {step: phase.slug for phase in self.phases for step in phase.steps}
