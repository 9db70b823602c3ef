"""What one engine run shares among its items: the batch, its steps, the writer, the lease and the HTTP client."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

import httpx

from enrichment_assets.domain.bulk_answers import Place
from enrichment_assets.domain.client_profiles import PROFILE
from enrichment_assets.domain.deliveries import UNSUBSCRIBE
from enrichment_assets.domain.item_cells import StepSources
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.statuses import StopCause
from enrichment_assets.engine.calls.gathering import Crowd
from enrichment_assets.engine.calls.lookups import Lookups
from enrichment_assets.engine.commit.group_transaction import LeaseLost
from enrichment_assets.engine.commit.group_writer import GroupWriter
from enrichment_assets.engine.decisions.decision import Ending
from enrichment_assets.engine.deliveries.delivering import delivery_names
from enrichment_assets.engine.deliveries.opting_out import opt_out_of
from enrichment_assets.engine.run.guard import ErrorGuard
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.engine.run.reaching import Reaching
from enrichment_assets.engine.run.stops import HELD, Stop, stop_of
from enrichment_assets.engine.run.suppressing import Suppressing
from enrichment_assets.engine.throttle.rates import Clock, Closed, LoopClock
from enrichment_assets.store.batches.budget_holds import Want
from enrichment_assets.store.calls.bulk import place_of_call
from enrichment_assets.store.calls.prompt_inputs import inputs_of_call
from enrichment_assets.store.calls.readings import Counted, count_answer, count_callback
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.runs.contexts import LoadedItem
from enrichment_assets.store.runs.shared_answers import SharedAnswer
from enrichment_assets.store.states.transitions import StepFacts


@dataclass(frozen=True, slots=True)
class Batch:
    """The batch that a run advances."""

    batch_id: int
    batch_key: str
    client_id: int
    client_slug: str
    blueprint: Blueprint
    is_try: bool = False
    client_profile: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        """The profile's values, looked up once for all items."""
        told = self.blueprint.client_profile
        object.__setattr__(self, "client_profile", {} if told is None else told.profile.values())

    def item_context(self, item: LoadedItem, step: Step, **extra: Any) -> dict[str, Any]:
        """The names that templates and conditions of `step` see for `item`; a delivery sees its lead as planned."""
        planned = item.planned.get(step.slug) if step.delivering is not None else None
        seen = item.fields_at(step.blueprint.position) if planned is None else planned.lead
        return {**seen, "original": item.original or {}, **self.names_beside(item, step), **extra}

    def names_beside(self, item: LoadedItem, step: Step) -> dict[str, Any]:
        """What they see beside fields and the uploaded row."""
        return {
            "item": {
                "id": item.item_id,
                "row_number": item.row_number,
                "parent_id": item.parent_id,
                "batch": self.batch_key,
                "client": self.client_slug,
                "company_key": item.company_key,
            },
            "parameters": step.workflow.parameters,
            PROFILE: self.client_profile,
        }


class Lease:
    """How long this process may believe that its runner is alive, by a clock that also counts while it is stopped."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._valid_until = _boot_time() + seconds

    def renewed(self, asked_at: float) -> None:
        """The heartbeat that was sent at `asked_at` (`boot_time`) succeeded."""
        self._valid_until = asked_at + self.seconds

    def check(self) -> None:
        """Raise `LeaseLost` when the lease may have expired: the last thing before a call leaves."""
        if _boot_time() >= self._valid_until:
            raise LeaseLost(
                "this run was stopped for longer than its lease; it neither calls nor writes any more",
                code="run.paused_too_long",
            )

    @staticmethod
    def boot_time() -> float:
        """Seconds on the lease's clock."""
        return _boot_time()


@dataclass(frozen=True, slots=True)
class Bodies:
    """Bodies that are fetched when they are read, each reading counted (`store.calls.readings`)."""

    connection: AsyncConnection

    async def answer(self, call_id: int) -> Counted:
        """The stored answer of a call."""
        return await count_answer(self.connection, call_id)

    async def inputs(self, call_id: int) -> Mapping[str, str] | None:
        """What the prompt of a call asked about; None: it asked none."""
        return await inputs_of_call(self.connection, call_id)

    async def place(self, call_id: int) -> Place | None:
        """Where a call stands in the request that it shares; None: it has one to itself."""
        return await place_of_call(self.connection, call_id)

    async def callback(self, inbox_id: int, counts: bool) -> Counted:
        """The body of a callback; `counts`: this reading was not counted when it was loaded."""
        return await count_callback(self.connection, inbox_id, counts)


def _boot_time() -> float:
    """Seconds since boot, suspended time included where the system can say so."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


@dataclass
class Run:
    """One engine run on one batch."""

    batch: Batch
    steps: Mapping[str, Step]
    writer: GroupWriter
    lease: Lease
    client: httpx.AsyncClient
    receiver_url: str
    find_shared: Callable[[int], Awaitable[SharedAnswer | None]]
    lookups: Lookups
    bodies: Bodies
    suppressing: Suppressing
    reaching: Reaching
    pause_provider: Callable[[str, float, str], Awaitable[None]]
    clock: Clock = field(default_factory=LoopClock)
    in_flight: dict[str, asyncio.Future[Ending]] = field(default_factory=dict)
    moved: Counter[tuple[str, str]] = field(default_factory=Counter)
    stop: threading.Event = field(default_factory=threading.Event)
    failing: bool = False
    only: frozenset[int] | None = None
    """The items that this run works on, where somebody chose some; None: all of the batch."""
    guard: ErrorGuard | None = None
    wants: dict[str, Want] = field(default_factory=dict)
    """Workflow slug -> a call of it for which there was no money: it is still to be paused for that."""
    crowd: Crowd = field(default_factory=Crowd)
    polls: dict[UUID, asyncio.Future[Answer | None]] = field(default_factory=dict)
    order_searches: dict[UUID, asyncio.Future[Answer | bool | None]] = field(default_factory=dict)
    """Bulk calls whose answer is being asked for, for all of their members."""
    alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a body is read that is large, or that a run may have died of."""

    @cached_property
    def delivers(self) -> bool:
        """Whether it takes leads to destinations: such a run works on no step of the pipeline."""
        return any(step.delivering is not None for step in self.steps.values())

    @property
    def stopping(self) -> bool:
        """Start nothing new; finish what is under way."""
        return self.failing or self.stop.is_set()

    @cached_property
    def needs_original(self) -> bool:
        """Whether any template or expression may read the uploaded row."""
        return any("original" in step.workflow.model_dump_json() for step in self.steps.values())

    @cached_property
    def sources(self) -> StepSources:
        """The steps of the whole blueprint as sources of values."""
        return StepSources.of(self.batch.blueprint)

    def item_context(self, item: LoadedItem, step: Step, **extra: Any) -> dict[str, Any]:
        """The names that templates and conditions of `step` see for `item`."""
        return self.batch.item_context(item, step, **extra)

    def request_context(self, item: LoadedItem, step: Step, **extra: Any) -> dict[str, Any]:
        """What the request of `step` for `item` sees; that of a delivery also what is to be done about its lead.

        Raises:
            ContractError: A value of the lead cannot be one of the destination's field.
        """
        if step.delivering is None or (planned := item.planned.get(step.slug)) is None:
            return self.item_context(item, step, **extra)
        names = {**self.batch.names_beside(item, step), **delivery_names(step.delivering, planned), **extra}
        if step.delivering.opts_out:
            hasher = self.suppressing.hasher
            names[UNSUBSCRIBE] = opt_out_of(
                self.batch.client_id, planned, self.receiver_url, hasher, simulated=step.simulated
            )
        return names

    def hold_all(self, reason: str) -> None:
        """Let nothing more leave in this run: the batch is being paused."""
        for step in self.steps.values():
            step.stop = step.stop or Stop(StopCause.PAUSED, reason)

    def lacks_money(self, step: Step, amount: Decimal, reason: str) -> None:
        """Let nothing more of a step leave in this run: it is being paused for want of so much money."""
        self.wants.setdefault(step.slug, Want(step.slug, amount, step.workflow.price.currency))
        step.stop = step.stop or Stop(StopCause.PAUSED, reason)

    def rest(self, step: Step, closed: Closed, kept: str | None = None) -> None:
        """Send nothing more to this step's provider and operation for a while; its items stay PENDING.

        `kept` is the reason that is kept where it is not `closed.why`.
        """
        until = self.clock.now() + closed.seconds
        for other in self.steps.values():
            if other.provider is not None and other.limit_key == step.limit_key and other.stop is None:
                other.stop, other.rests_until = Stop(closed.cause, kept or closed.why, until, told=str(closed)), until

    def wake(self) -> None:
        """Let steps go on whose rest is over."""
        for step in self.steps.values():
            if step.rests_until is not None and step.rests_until <= self.clock.now():
                step.stop, step.rests_until = None, None

    @cached_property
    def facts(self) -> StepFacts:
        """What statements know of the blueprint's steps."""
        return StepFacts.of(self.batch.blueprint)

    def slugs_at_work(self) -> list[str]:
        """The steps that nothing has stopped."""
        return [step.slug for step in self.steps.values() if step.stopped is None]

    def slugs_looked_after(self) -> list[str]:
        """The steps whose calls under way are asked about: also those that are held, of which nothing new leaves."""
        return [step.slug for step in self.steps.values() if step.stop is None or step.stop.cause in HELD]

    def slugs_cancelled(self) -> list[str]:
        """The steps of which nothing leaves any more."""
        steps = self.steps.values()
        return [step.slug for step in steps if step.stop is not None and step.stop.cause is StopCause.CANCELLED]

    def stop_provider(self, step: Step, because: str, seconds: float, told: str | None = None) -> None:
        """Send nothing more with this step's provider and key in this run; its items stay PENDING.

        Args:
            step: The step that was refused.
            because: `cause: reason`, as pauses keep it.
            seconds: How long the provider's pause lasts; a later run may go on then.
            told: What the run's report says, where that is not the reason alone.
        """
        stop = stop_of(because, self.clock.now() + seconds, told)
        for other in self.steps.values():
            if other.provider is not None and other.account_key == step.account_key and other.stop is None:
                other.stop = stop
