"""The deliveries that a client has: registered workflows of phase `delivery`, with the client's settings merged in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from enrichment_assets.domain.client_profiles import ProfileVersion
from enrichment_assets.domain.deliveries import DELIVERY_POSITION, GateKind, OnChange
from enrichment_assets.domain.delivery_rendering import delivery_of
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.pipeline import Blueprint, BlueprintStep, ClientWorkflowConfig
from enrichment_assets.domain.planning import apply_config, profile_names
from enrichment_assets.domain.suggestions import instead
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.deliveries.delivering import contacts_people
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.services.catalog.known_clients import client_row
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

    Leads of a batch of before this was kept (`simulated` is None) go to the world of this process.
    """
    simulated = here_simulated if blueprint.simulated is None else blueprint.simulated
    known = blueprint.client_profile if profile is None else profile
    more = {"steps": [*blueprint.steps, *steps], "client_profile": known, "simulated": simulated}
    return blueprint.model_copy(update=more)


@dataclass(frozen=True, slots=True)
class Listed:
    """A delivery as it is shown; what a file leaves to the default is said as it is in force."""

    slug: str
    title: str
    provider: str
    enabled: bool
    where: Sequence[str]
    identity: Sequence[str]
    on_change: str
    approval: str
    gate: str
    fields: Sequence[str]


def list_destinations(hq: Hq, client: str | None = None) -> list[Listed]:
    """The registered deliveries, or as a client's settings have them; raises `NotFoundError` as `client_row`."""
    if client is None:
        with registry(hq) as connection:
            workflows = store.readable_workflows(store.list_workflow_rows(connection))
        return [_listed(workflow, workflow.enabled) for workflow in workflows.values() if workflow.delivery is not None]
    with hq.transaction() as connection:
        client_id = client_row(connection, client)["id"]
    found = destinations_of(hq, client, client_id)
    return [_listed(one, slug not in found.switched_off) for slug, one in found.workflows.items()]


def _listed(workflow: WorkflowDefinition, enabled: bool) -> Listed:
    delivery = delivery_of(workflow)
    usual = OnChange.UPDATE if delivery.updates else OnChange.SKIP
    contacts = contacts_people(workflow, PROVIDERS.get(workflow.provider))
    return Listed(
        workflow.slug,
        workflow.title,
        workflow.provider,
        enabled,
        delivery.where,
        delivery.identity,
        (delivery.on_change or usual).value,
        "exact_where_drafted" if delivery.approval is None else delivery.approval.value,
        (GateKind.CONTACT if contacts else GateKind.NONE).value,
        list(delivery.fields),
    )
