"""What a client's pipeline is, and the blueprint that a batch runs by: workflows in order, with the client's overrides.

A pipeline is data like a workflow (`domain.workflow`): a list of slugs and waterfalls. A blueprint is its snapshot at
launch, whole, so that nothing that changes in the registry changes a batch that was launched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from enrichment_assets.domain.client_profiles import ProfileVersion
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.families import Families
from enrichment_assets.domain.known_policy import Known
from enrichment_assets.domain.parts import Part
from enrichment_assets.domain.versions import version_of
from enrichment_assets.domain.workflow import Mode, Slug, WorkflowDefinition


class ClientWorkflowConfig(Part):
    """What one client overrides for one workflow: any field by dotted path, and secret names.

    `settings` example: `{"base_url": "http://127.0.0.1:9000", "limits.per_second": 2, "parameters.table_url": "..."}`.
    """

    settings: dict[str, Any] = Field(default_factory=dict)
    secrets: dict[str, str] = Field(default_factory=dict)
    enabled: bool = True

    @property
    def seen_as(self) -> str:
        """The version that whoever changes it has to have seen."""
        return version_of(self.model_dump(mode="json"))


class Waterfall(Part):
    """A pipeline entry that asks the next provider only where the former missed."""

    waterfall: list[Slug] = Field(min_length=2)


def _share(value: object) -> object:
    """`20%` as 0.2; numbers are shares already."""
    if isinstance(value, str) and value.strip().endswith("%"):
        try:
            return float(value.strip()[:-1]) / 100
        except ValueError:
            raise ValueError(f"{value!r} is no percentage: write it like 20%") from None
    return value


class Guard(Part):
    """When a batch pauses itself: too many of a workflow's calls fail.

    `{failed: 20%, of_first: 50}`: ten failures pause it, however few calls there were; from the 50th call on, a fifth.
    """

    failed: Annotated[float, BeforeValidator(_share), Field(gt=0, le=1)]
    of_first: int = Field(default=50, ge=1, le=1_000_000)

    def too_many(self, failed: int, ended: int) -> bool:
        """Whether so many failures among so many calls that ended pause the batch."""
        return failed >= self.failed * max(ended, self.of_first)


class Target(Part):
    """How many children of a step a batch is to have: beyond it none is made, and nobody is asked for more."""

    of: Slug
    most: int = Field(ge=1, le=1_000_000)


class PipelineDefinition(Part):
    """A client's named, ordered list of workflows.

    `company_identity` says what "same company" means, first rule that applies wins (docs/companies.md).
    """

    slug: Slug
    title: str = ""
    description: str = ""
    steps: list[Slug | Waterfall] = Field(min_length=1)
    company_identity: list[
        Literal[
            "apollo_account_id",
            "company_linkedin_url",
            "name_and_host",
            "name_and_place",
            "company_name",
            "company_host",
        ]
    ] = Field(
        default_factory=lambda: [  # type: ignore[arg-type]
            "apollo_account_id",
            "company_linkedin_url",
            "name_and_host",
            "company_name",
            "company_host",
        ],
        min_length=1,
    )
    guard: Guard | None = Field(default=None, description="when a batch pauses itself; null: never")
    system: Slug | None = Field(
        default=None, description="the system that it belongs to: its batches have that system's tables too"
    )
    target: Slug | None = Field(
        default=None, description="the emitting local step whose children a launch's target counts; null: it takes none"
    )
    families: Families | None = Field(
        default=None, description="tables that a row and its children are written into together (docs/families.md)"
    )
    known: Known | None = Field(
        default=None, description="leads that the client has from earlier batches; null: nobody looks whether it has"
    )
    deliver: list[Slug] = Field(
        default_factory=list, max_length=20, description="deliveries to which its leads go by themselves once extracted"
    )

    @property
    def groups(self) -> list[list[Slug]]:
        """The steps in their order: one slug each, or those of a waterfall."""
        return [[step] if isinstance(step, str) else step.waterfall for step in self.steps]

    def slugs(self) -> list[str]:
        """The workflow slugs in order, waterfalls flattened."""
        return [slug for group in self.groups for slug in group]


class BlueprintStep(Part):
    """One workflow as it will run in one batch: definition with the client's overrides merged in."""

    position: int = Field(ge=0)
    workflow: WorkflowDefinition
    after: list[Slug] = Field(default_factory=list, description="steps of this blueprint that must be settled first")
    fallback_of: list[Slug] = Field(default_factory=list, description="waterfall: runs only where all of these missed")
    registry_version: str
    profile: int | None = Field(default=None, description="version of the client's profile; null: it reads none of it")
    phase: Slug | None = Field(default=None, description="of the pipeline's system; null: it is in none")

    @property
    def version(self) -> str:
        """What the keys of its calls say of its configuration: its definition, and the profile that it reads."""
        version = self.workflow.version()
        return version if self.profile is None else f"{version}:profile-{self.profile}"

    @property
    def slug(self) -> str:
        """The workflow's slug."""
        return self.workflow.slug

    @property
    def needs(self) -> tuple[str, ...]:
        """Steps that must be settled first: those it comes after, those it is a fallback of."""
        return tuple(dict.fromkeys((*self.after, *self.fallback_of)))


class Blueprint(Part):
    """The snapshot that a batch runs by: nothing that changes later in the registry changes it."""

    client: Slug
    pipeline: Slug
    company_identity: list[str]
    simulated: bool | None = Field(
        default=None, description="launched for the sandbox (true) or for real providers (false); null: not said"
    )
    client_profile: ProfileVersion | None = Field(
        default=None, description="as it was at the launch; null: no step reads it, or the client had none"
    )
    guard: Guard | None = None
    system: Slug | None = Field(default=None, description="the pipeline's")
    by_phase: bool = Field(default=False, description="nothing goes on by itself: each phase is asked for")
    target: Target | None = Field(default=None, description="null: as many as there are")
    families: Families | None = None
    known: Known | None = None
    deliver: list[Slug] = Field(
        default_factory=list, description="as the pipeline said; each is read again when leads are delivered"
    )
    steps: list[BlueprintStep] = Field(min_length=1)

    def step(self, slug: str) -> BlueprintStep:
        """The step of that slug; raises `KeyError`."""
        for step in self.steps:
            if step.slug == slug:
                return step
        raise KeyError(slug)

    @property
    def skips_known(self) -> bool:
        """Whether leads that the client has already are skipped."""
        return self.known is Known.SKIP

    def dependents(self, slug: str) -> list[str]:
        """Steps that come, directly or not, after `slug`."""
        reached = {slug}
        for step in self.steps:
            if reached & set(step.after):
                reached.add(step.slug)
        return sorted(reached - {slug})

    def dependent_pairs(self, slugs: Iterable[str]) -> list[tuple[str, str]]:
        """(workflow, step that comes after it, directly or not) for these workflows."""
        return [(slug, dependent) for slug in slugs for dependent in self.dependents(slug)]

    def dependencies(self) -> list[tuple[str, str]]:
        """Pairs of a step and one that must be settled before it."""
        return [(step.slug, needs) for step in self.steps for needs in step.needs]


def reusing(blueprint: Blueprint, age: Callable[[WorkflowDefinition], float | None]) -> Blueprint:
    """The blueprint with the `reuse_for` that `age` says for each step that calls somebody."""
    steps = []
    for step in blueprint.steps:
        workflow = step.workflow
        if workflow.mode is not Mode.LOCAL and (reuse_for := age(workflow)) != workflow.reuse_for:
            step = step.model_copy(update={"workflow": workflow.model_copy(update={"reuse_for": reuse_for})})
        steps.append(step)
    return blueprint.model_copy(update={"steps": steps})


def with_target(blueprint: Blueprint, pipeline: PipelineDefinition, most: int | None) -> Blueprint:
    """The blueprint with so many children of the pipeline's target step at most; None: as many as there are.

    Raises:
        ConfigurationError: The pipeline counts nothing.
    """
    if most is None:
        return blueprint
    if pipeline.target is None or all(step.slug != pipeline.target for step in blueprint.steps):
        raise ConfigurationError(
            f"pipeline {pipeline.slug} takes no target: it names no step whose items are counted (`target`)",
            code="launch.no_target",
        )
    return blueprint.model_copy(update={"target": Target(of=pipeline.target, most=most)})


def with_phases(blueprint: Blueprint, phase_of: Mapping[str, str]) -> Blueprint:
    """The blueprint whose steps say their phase (step -> phase)."""
    if not phase_of:
        return blueprint
    steps = [step.model_copy(update={"phase": phase_of.get(step.slug)}) for step in blueprint.steps]
    return blueprint.model_copy(update={"steps": steps})


def going_by_phase(blueprint: Blueprint, by_phase: bool) -> Blueprint:
    """The blueprint that goes phase by phase, where that is asked for.

    Raises:
        ConfigurationError: Its steps are in no phase.
    """
    if not by_phase:
        return blueprint
    if outside := [step.slug for step in blueprint.steps if step.phase is None]:
        raise ConfigurationError(
            f"pipeline {blueprint.pipeline} cannot go phase by phase: {', '.join(outside)} in no phase of its system",
            code="launch.no_phases",
        )
    return blueprint.model_copy(update={"by_phase": True})
