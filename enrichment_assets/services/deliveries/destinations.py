"""The deliveries that a client has: registered workflows of phase `delivery`, with the client's settings merged in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from enrichment_assets.domain.client_profiles import ProfileVersion
from enrichment_assets.domain.deliveries import DELIVERY_POSITION
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.pipeline import Blueprint, BlueprintStep, ClientWorkflowConfig
from enrichment_assets.domain.planning import apply_config, profile_names
from enrichment_assets.domain.suggestions import instead
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.store.catalog import profiles
from enrichment_assets.store.catalog import registry as store
from enrichment_assets.store.hq import Hq


@dataclass(frozen=True, slots=True)
class Destinations:
    """The deliveries of one client, as they are configured now.

    Attributes:
        workflows: Slug -> the delivery with the client's settings.
        switched_off: Those that are disabled, for everybody or for this client: nothing goes there.
    """

    client: str
    workflows: Mapping[str, WorkflowDefinition]
    switched_off: frozenset[str]
    profile: ProfileVersion | None

    def get(self, slug: str) -> WorkflowDefinition:
        """One delivery.

        Raises:
            NotFoundError: There is none of that slug.
            ConfigurationError: It is switched off.
        """
        if slug not in self.workflows:
            raise NotFoundError(
                f"client {self.client} has no delivery {slug!r}: {instead(slug, sorted(self.workflows))}",
                code="delivery.not_found",
            )
        if slug in self.switched_off:
            raise ConfigurationError(
                f"the delivery {slug} is switched off: nothing goes there until it is enabled",
                code="delivery.switched_off",
            )
        return self.workflows[slug]

    def step(self, slug: str, number: int) -> BlueprintStep:
        """A delivery as a run has it, at its place among the deliveries of a batch; raises as `get`."""
        workflow = self.get(slug)
        version = self.profile.version if self.profile is not None and profile_names(workflow) else None
        follows = None if workflow.delivery is None else workflow.delivery.follows
        return BlueprintStep(
            position=DELIVERY_POSITION + number,
            workflow=workflow,
            after=[] if follows is None else [follows.delivery],
            registry_version=workflow.version(),
            profile=version,
        )


def destinations_of(
    hq: Hq, client: str, client_id: int, over: Mapping[str, ClientWorkflowConfig] | None = None
) -> Destinations:
    """The deliveries that a client can have its leads go to.

    `over`: slug -> settings that count over the client's this time, such as the campaign that is launched.
    """
    with registry(hq) as connection:
        workflows = store.readable_workflows(store.list_workflow_rows(connection))
        configs = store.client_configs(connection, client_id)
        profile = profiles.told(connection, client_id)
    none = ClientWorkflowConfig()
    found, off = {}, set()
    for slug, workflow in workflows.items():
        if workflow.delivery is None:
            continue
        config = configs.get(slug, none)
        found[slug] = apply_config(client, workflow, config)
        if over is not None and slug in over:
            found[slug] = apply_config(client, found[slug], over[slug])
        if not (found[slug].enabled and config.enabled):
            off.add(slug)
    return Destinations(client, found, frozenset(off), profile)


def with_deliveries(
    blueprint: Blueprint, steps: Sequence[BlueprintStep], profile: ProfileVersion | None, *, here_simulated: bool
) -> Blueprint:
    """The blueprint of a batch with deliveries behind its steps, which read the client's profile as it is now.

    A batch whose steps send nothing is for neither world; its leads go to that of this process.
    """
    simulated = here_simulated if blueprint.simulated is None else blueprint.simulated
    known = blueprint.client_profile if profile is None else profile
    more = {"steps": [*blueprint.steps, *steps], "client_profile": known, "simulated": simulated}
    return blueprint.model_copy(update=more)
