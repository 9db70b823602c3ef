"""What a run keeps ready for each step of the blueprint: compiled templates, provider, key, slots and rate gate."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.mapping import ResponseReader, condition
from enrichment_assets.domain.pipeline import Blueprint, BlueprintStep
from enrichment_assets.domain.planning import ends_parent
from enrichment_assets.domain.provider import Provider, RenderedRequest
from enrichment_assets.domain.templating import RequestRenderer
from enrichment_assets.domain.workflow import CALLBACK_SECRET, Mode, WorkflowDefinition
from enrichment_assets.engine.breaker import Breaker
from enrichment_assets.engine.day_quota import DayQuota
from enrichment_assets.engine.limits import RateGate
from enrichment_assets.engine.lookahead import Lookahead
from enrichment_assets.engine.refusals import Refusals
from enrichment_assets.resources.echo import EchoGuard
from enrichment_assets.resources.providers import base_url_of, is_simulated
from enrichment_assets.resources.secrets import fill_secrets, workflow_secrets


@dataclass(slots=True)
class Door:
    """What every call with one provider key and operation goes through."""

    gate: RateGate
    breaker: Breaker
    day: DayQuota | None = None


@dataclass(slots=True)
class Step:
    """One step of the blueprint, ready to run.

    Attributes:
        ended_by: Emitting steps that leave this one to their child items.
        slug, workflow: The definition with the client's overrides, and its slug.
        gate: The rate of this step's provider key.
        needs: Slugs of the steps that have to be settled first.
    """

    blueprint: BlueprintStep
    provider: Provider | None
    secrets: Mapping[str, str]
    renderer: RequestRenderer | None
    poll_renderer: RequestRenderer | None
    reader: ResponseReader
    runs_if: Callable[[Mapping[str, Any]], bool] | None
    door: Door | None
    slots: asyncio.Semaphore
    lookahead: Lookahead
    version: str
    echo: EchoGuard
    simulated: bool = False
    ended_by: tuple[str, ...] = ()
    stopped: str | None = None
    rests_until: float | None = None
    refusals: Refusals = field(default_factory=Refusals)
    slug: str = field(init=False)
    workflow: WorkflowDefinition = field(init=False)
    gate: RateGate | None = field(init=False)
    needs: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """What every item asks for again and again, looked up once."""
        self.workflow = self.blueprint.workflow
        self.slug = self.workflow.slug
        self.gate = self.door.gate if self.door is not None else None
        self.needs = self.blueprint.needs

    @property
    def account_key(self) -> str:
        """Whose quota, payment and right to call it is: provider, address and key (hashed, never the key)."""
        return account_key(self.workflow, self.provider, self.secrets)

    @property
    def limit_key(self) -> str:
        """Whose rate it is: providers count per account and endpoint."""
        return f"{self.account_key}:{self.workflow.operation}"

    def authorised(self, rendered: RenderedRequest) -> RenderedRequest:
        """The request as it may leave: secrets in their places, the provider's address and credentials added.

        Raises:
            ConfigurationError: A header names a secret that the workflow does not have, or there is no address.
        """
        if self.provider is None:
            raise ConfigurationError(f"{self.slug}: a local workflow sends nothing")
        return self.provider.authorise(fill_secrets(rendered, self.secrets), self.secrets, self.base_url())

    def base_url(self) -> str:
        """The address of this step's provider."""
        return base_url_of(self.workflow, self.provider) if self.provider else ""


def account_key(workflow: WorkflowDefinition, provider: Provider | None, secrets: Mapping[str, str]) -> str:
    """`provider:hash` of address and credentials: two clients with keys of their own have limits of their own."""
    address = workflow.base_url or (provider.base_url if provider else "")
    sent = sorted(set(secrets) - {CALLBACK_SECRET})
    material = "\n".join([address, *(f"{name}={secrets[name]}" for name in sent)])
    return f"{workflow.provider}:{hashlib.sha256(material.encode()).hexdigest()[:16]}"


def prepare_steps(
    blueprint: Blueprint,
    providers: Mapping[str, Provider],
    selection: set[str] | None,
    make_door: DoorFactory,
    sandbox_url: str | None,
) -> dict[str, Step]:
    """Compile the selected steps (None: all) of a blueprint.

    A step whose key is not in the environment is prepared with `stopped` set: its items stay PENDING, the run says so.

    Raises:
        ConfigurationError: a provider that does not exist, or a template or expression that does not compile.
    """
    ending = {step.slug for step in blueprint.steps if ends_parent(step.workflow)}
    return {
        step.slug: _prepare(
            step,
            providers,
            make_door,
            sandbox_url,
            tuple(name for name in step.after if name in ending and name not in step.fallback_of),
        )
        for step in blueprint.steps
        if selection is None or step.slug in selection
    }


DoorFactory = Callable[[str, WorkflowDefinition], Door | None]


def _prepare(
    step: BlueprintStep,
    providers: Mapping[str, Provider],
    make_door: DoorFactory,
    sandbox_url: str | None,
    ended_by: tuple[str, ...],
) -> Step:
    workflow = step.workflow
    provider = None
    secrets: Mapping[str, str] = {}
    simulated, stopped = False, None
    if workflow.mode is not Mode.LOCAL:
        provider = providers.get(workflow.provider)
        if provider is None:
            known = ", ".join(sorted(providers))
            raise ConfigurationError(f"{workflow.slug}: there is no provider {workflow.provider!r} (known: {known})")
        try:
            simulated = is_simulated(workflow, provider, sandbox_url)
            secrets = workflow_secrets(workflow, simulated=simulated)
        except ConfigurationError as error:
            stopped = str(error)
    concurrency = workflow.limits.concurrency
    door = (
        None
        if provider is None
        else make_door(f"{account_key(workflow, provider, secrets)}:{workflow.operation}", workflow)
    )
    return Step(
        blueprint=step,
        provider=provider,
        secrets=secrets,
        renderer=RequestRenderer(workflow) if workflow.request else None,
        poll_renderer=RequestRenderer.for_poll(workflow) if workflow.poll else None,
        reader=ResponseReader(workflow),
        runs_if=condition(workflow.run_if) if workflow.run_if else None,
        door=door,
        slots=asyncio.Semaphore(concurrency),
        lookahead=Lookahead(concurrency),
        version=workflow.version(),
        echo=EchoGuard({} if simulated else secrets),
        simulated=simulated,
        ended_by=ended_by,
        stopped=stopped,
    )
