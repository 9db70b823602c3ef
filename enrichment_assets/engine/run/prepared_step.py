"""What a run keeps ready for each step of the blueprint: compiled templates, provider, key, slots and rate gate."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from enrichment_assets.domain.bulk_answers import BulkReader
from enrichment_assets.domain.bulk_requests import BulkRenderer
from enrichment_assets.domain.delivery_answers import DeliveryReader
from enrichment_assets.domain.errors import ConfigurationError, MissingVariableError
from enrichment_assets.domain.expressions import condition
from enrichment_assets.domain.mapping import ResponseReader
from enrichment_assets.domain.pipeline import Blueprint, BlueprintStep
from enrichment_assets.domain.planning import ends_parent
from enrichment_assets.domain.prompts.batch_api import BatchApi, LineReader
from enrichment_assets.domain.prompts.batch_rendering import PromptBatchRenderer, batch_api_of
from enrichment_assets.domain.prompts.model_provider import as_dialect
from enrichment_assets.domain.prompts.reading import PromptReader
from enrichment_assets.domain.prompts.rendering import PromptRenderer, model_provider_of, prompt_of
from enrichment_assets.domain.prompts.settlement import reserved_for
from enrichment_assets.domain.provider import Provider, RenderedRequest
from enrichment_assets.domain.regions import Closing, closing
from enrichment_assets.domain.renderers import renderer_of
from enrichment_assets.domain.review_answers import ReviewReader
from enrichment_assets.domain.statuses import StopCause
from enrichment_assets.domain.templating import RequestRenderer
from enrichment_assets.domain.workflow import CALLBACK_SECRET, Mode, WorkflowDefinition
from enrichment_assets.engine.calls.gathering import Gathering
from enrichment_assets.engine.decisions.refusals import Refusals
from enrichment_assets.engine.deliveries.delivering import Delivering
from enrichment_assets.engine.run.stops import Stop
from enrichment_assets.engine.run.time_spent import Load
from enrichment_assets.engine.throttle.breaker import Breaker
from enrichment_assets.engine.throttle.day_quota import DayQuota
from enrichment_assets.engine.throttle.intent_window import Lookahead
from enrichment_assets.engine.throttle.rates import RateGate
from enrichment_assets.wire.addresses import base_url_of, is_simulated
from enrichment_assets.wire.echo import EchoGuard
from enrichment_assets.wire.secrets import fill_secrets, workflow_secrets
from enrichment_assets.wire.simulator import simulated_place

LINES_WAIT = 30.0
"""The longest that a line of an order to a vendor's batch API waits for company, in seconds."""

LINES_LEAST = 0.5
"""The shortest: lines of an order that has ended, and that are asked again, come one after the other."""


@dataclass(slots=True)
class Throttle:
    """What every call with one provider key and operation goes through."""

    gate: RateGate
    breaker: Breaker
    day: DayQuota | None = None


@dataclass(slots=True)
class Step:
    """One step of the blueprint, ready to run.

    Attributes:
        closing: Whom it is closed to; None: nobody.
        ended_by: Emitting steps that leave this one to their child items.
        slug, workflow: The definition with the client's overrides, and its slug.
        gate: The rate of this step's provider key.
        needs: Slugs of the steps that have to be settled first.
        gathering: Where its items wait for company; None: each calls by itself, and `bulk_renderer`
            and `bulk_reader` are not there.
        delivering: What it delivers by; None: it is a step of the pipeline.
        batch_api: The vendor's batch API, where its prompts go through one; then `lines` reads what comes back.
        simulated: Its requests go to the simulator, whose literal key will do.
        only_simulator: The simulator's address in a batch that was launched for it: nobody else is called.
    """

    blueprint: BlueprintStep
    provider: Provider | None
    secrets: Mapping[str, str]
    renderer: RequestRenderer | None
    poll_renderer: RequestRenderer | None
    reader: ResponseReader
    runs_if: Callable[[Mapping[str, Any]], bool] | None
    throttle: Throttle | None
    slots: asyncio.Semaphore
    lookahead: Lookahead
    version: str
    echo: EchoGuard
    simulated: bool = False
    only_simulator: str | None = None
    ended_by: tuple[str, ...] = ()
    stop: Stop | None = None
    rests_until: float | None = None
    refusals: Refusals = field(default_factory=Refusals)
    load: Load = field(default_factory=Load)
    gathering: Gathering[Any] | None = field(init=False, default=None)
    bulk_renderer: BulkRenderer = field(init=False)
    bulk_reader: BulkReader = field(init=False)
    batch_api: BatchApi | None = field(init=False, default=None)
    lines: LineReader = field(init=False)
    delivering: Delivering | None = field(init=False, default=None)
    closing: Closing | None = field(init=False)
    slug: str = field(init=False)
    workflow: WorkflowDefinition = field(init=False)
    gate: RateGate | None = field(init=False)
    needs: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """What every item asks for again and again, looked up once."""
        self.workflow = self.blueprint.workflow
        self.slug = self.workflow.slug
        self.closing = closing(self.workflow.not_for, self.workflow.not_for_unknown)
        self.gate = self.throttle.gate if self.throttle is not None else None
        self.needs = self.blueprint.needs
        if self.workflow.delivery is not None and self.provider is not None:
            self.delivering = Delivering.of(self.workflow, self.provider)
        if (bulk := self.workflow.bulk) is not None and isinstance(self.renderer, BulkRenderer):
            self.gathering = Gathering(bulk.at_most, bulk.wait)
            self.bulk_renderer, self.bulk_reader = self.renderer, BulkReader(self.workflow)
        if isinstance(self.renderer, PromptBatchRenderer) and self.provider is not None:
            models = model_provider_of(self.workflow, self.provider)
            self.gathering = Gathering(prompt_of(self.workflow).most_lines, LINES_WAIT, LINES_LEAST)
            self.batch_api, self.lines = batch_api_of(self.workflow, models), LineReader()

    @property
    def stopped(self) -> str | None:
        """Why nothing of this step is sent now; None: nothing has stopped it."""
        return None if self.stop is None else self.stop.told

    @property
    def is_paced(self) -> bool:
        """Whether its calls are spaced: a rate is configured."""
        return self.gate is not None and self.gate.interval > 0

    @property
    def account_key(self) -> str:
        """Whose quota, payment and right to call it is: provider, address and key (hashed, never the key)."""
        return account_key(self.workflow.provider, self.base_url(), self.secrets)

    @property
    def limit_key(self) -> str:
        """Whose rate it is: providers count per account and endpoint."""
        return f"{self.account_key}:{self.workflow.operation}"

    def render(self, context: Mapping[str, Any], again: str | None = None) -> RenderedRequest:
        """The request for one item; `again`: what was wrong with the last answer to a prompt.

        Raises:
            ContractError: This item cannot be put into it.
            ConfigurationError: The step has no request.
        """
        if self.renderer is None:
            raise ConfigurationError(f"{self.slug}: has no request", code="workflow.no_request")
        if isinstance(self.renderer, PromptRenderer):
            return self.renderer.render(context, again)
        return self.renderer.render(context)

    def reserves(self, request: RenderedRequest) -> Decimal:
        """The money to be set aside before this request leaves: the most that it should cost."""
        workflow = self.workflow
        if workflow.prompt is None:
            return workflow.price.estimate
        return reserved_for(workflow.price, workflow.prompt, len(request.content or b""))

    def authorised(self, rendered: RenderedRequest, *, is_poll: bool = False) -> RenderedRequest:
        """The request as it may leave: secrets in their places, the provider's address and credentials added.

        In a batch for the simulator the address is the simulator's, whatever is configured.

        Raises:
            ConfigurationError: A header names a secret that the workflow does not have, or there is no address.
        """
        if self.provider is None:
            raise ConfigurationError(
                f"{self.slug}: a local workflow sends nothing", code="workflow.local_sends_nothing"
            )
        base_url = self.base_url()
        if self.only_simulator is not None:
            base_url, url = simulated_place(
                self.workflow, self.provider, rendered, self.only_simulator, is_poll=is_poll
            )
            rendered = replace(rendered, url=url)
        return self.provider.authorise(fill_secrets(rendered, self.secrets), self.secrets, base_url)

    def base_url(self) -> str:
        """The address of this step's provider."""
        return _base_url(self.workflow, self.provider, self.only_simulator) if self.provider else ""


def _base_url(workflow: WorkflowDefinition, provider: Provider, only_simulator: str | None) -> str:
    return provider.base_url if only_simulator is not None else base_url_of(workflow, provider)


def account_key(provider: str, address: str, secrets: Mapping[str, str]) -> str:
    """`provider:hash` of address and credentials: two clients with keys of their own have limits of their own."""
    sent = sorted(set(secrets) - {CALLBACK_SECRET})
    material = "\n".join([address, *(f"{name}={secrets[name]}" for name in sent)])
    digest = hashlib.sha256(material.encode()).hexdigest()[:16]  # guard: key-is-hashed-in-names
    return f"{provider}:{digest}"


def prepare_steps(
    blueprint: Blueprint,
    providers: Mapping[str, Provider],
    selection: set[str] | None,
    make_throttle: ThrottleFactory,
    sandbox_url: str | None,
) -> dict[str, Step]:
    """Compile the selected steps (None: all) of a blueprint.

    A step whose key is not in the environment is prepared with `stop` set: its items stay PENDING, the run says so.

    Raises:
        ConfigurationError: a provider that does not exist, or a template or expression that does not compile.
    """
    ending = {step.slug for step in blueprint.steps if ends_parent(step.workflow)}
    return {
        step.slug: _prepare(
            step,
            providers,
            make_throttle,
            sandbox_url,
            sandbox_url if blueprint.simulated else None,
            tuple(name for name in step.after if name in ending and name not in step.fallback_of),
        )
        for step in blueprint.steps
        if selection is None or step.slug in selection
    }


ThrottleFactory = Callable[[str, WorkflowDefinition], Throttle | None]


def _prepare(
    step: BlueprintStep,
    providers: Mapping[str, Provider],
    make_throttle: ThrottleFactory,
    sandbox_url: str | None,
    only_simulator: str | None,
    ended_by: tuple[str, ...],
) -> Step:
    workflow, version = step.workflow, step.version
    provider = None
    secrets: Mapping[str, str] = {}
    simulated, stop = False, None
    if workflow.mode is not Mode.LOCAL:
        provider = providers.get(workflow.provider)
        if provider is None:
            known = ", ".join(sorted(providers))
            raise ConfigurationError(
                f"{workflow.slug}: there is no provider {workflow.provider!r} (known: {known})",
                code="provider.not_found",
            )
        try:
            simulated = only_simulator is not None or is_simulated(workflow, provider, sandbox_url)
            secrets = workflow_secrets(workflow, simulated=simulated)
        except MissingVariableError as error:
            stop = Stop(StopCause.MISSING_VARIABLE, str(error), variable=error.variable)
        except ConfigurationError as error:
            stop = Stop(StopCause.CONFIGURATION, str(error))
    reader = ResponseReader(workflow)
    if workflow.prompt is not None and provider is not None:
        workflow = as_dialect(workflow, model_provider_of(workflow, provider))
        step = step.model_copy(update={"workflow": workflow})
        reader = PromptReader(workflow, provider)
    if workflow.delivery is not None:
        reader = DeliveryReader(workflow)
    if workflow.review is not None:
        reader = ReviewReader(workflow, workflow.review)
    concurrency = workflow.limits.concurrency
    throttle = (
        None
        if provider is None
        else make_throttle(
            f"{account_key(workflow.provider, _base_url(workflow, provider, only_simulator), secrets)}"
            f":{workflow.operation}",
            workflow,
        )
    )
    return Step(
        blueprint=step,
        provider=provider,
        secrets=secrets,
        renderer=None if provider is None else renderer_of(workflow, provider),
        poll_renderer=RequestRenderer.for_poll(workflow) if workflow.poll else None,
        reader=reader,
        runs_if=condition(workflow.run_if) if workflow.run_if else None,
        throttle=throttle,
        slots=asyncio.Semaphore(concurrency),
        lookahead=Lookahead(concurrency),
        version=version,
        echo=EchoGuard({} if simulated else secrets),
        simulated=simulated,
        only_simulator=only_simulator,
        ended_by=ended_by,
        stop=stop,
    )
