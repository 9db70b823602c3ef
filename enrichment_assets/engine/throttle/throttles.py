"""The throttles of one run: rate, breaker and calls per day of each provider key, as HQ shares them with all runs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.prepared_step import Throttle
from enrichment_assets.engine.throttle.breaker import COOLDOWN, OPENS_AT, Breaker, BreakerOpen
from enrichment_assets.engine.throttle.day_quota import DayQuota
from enrichment_assets.engine.throttle.rates import RateGate, interval_of
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.limits import breaker as breaker_store
from enrichment_assets.store.limits import day_counts, turns
from enrichment_assets.store.limits.breaker import BreakerState
from enrichment_assets.store.limits.turns import Contender, TimeSlot
from enrichment_assets.store.states import reasons


@dataclass(frozen=True)
class SharedBreakerRow:
    """A breaker's row in HQ."""

    connection: AsyncConnection
    key: str

    async def state(self) -> BreakerState:
        """See `BreakerRow`."""
        return await breaker_store.breaker_state(self.connection, self.key)

    async def failed(self) -> BreakerState:
        """See `BreakerRow`."""
        return await breaker_store.note_failure(self.connection, self.key, OPENS_AT, COOLDOWN)

    async def succeeded(self) -> None:
        """See `BreakerRow`."""
        await breaker_store.note_success(self.connection, self.key)

    async def take_probe(self) -> bool:
        """See `BreakerRow`."""
        return await breaker_store.take_probe(self.connection, self.key, OPENS_AT, COOLDOWN)


@dataclass
class Throttles:
    """One throttle per provider key and operation; steps that share it keep the strictest of their limits.

    `who`: whose turns are asked for; known once the run has signed on.
    """

    connection: AsyncConnection
    who: Contender | None = None
    _throttles: dict[str, Throttle] = field(default_factory=dict)
    _counting: asyncio.Lock = field(default_factory=asyncio.Lock)

    def make(self, limit_key: str, workflow: WorkflowDefinition) -> Throttle:
        """The throttle of this key (a `ThrottleFactory`)."""
        throttle = self._throttles.get(limit_key)
        if throttle is None:
            throttle = self._throttles[limit_key] = Throttle(
                RateGate(0.0, partial(self._take_time_slot, limit_key)),
                Breaker(SharedBreakerRow(self.connection, breaker_key(limit_key))),
            )
        throttle.gate.interval = max(throttle.gate.interval, interval_of(workflow.limits))
        per_day = workflow.limits.per_day
        if per_day is not None and (throttle.day is None or per_day < throttle.day.per_day):
            throttle.day = DayQuota(per_day, partial(self._take_day_tokens, limit_key))
        return throttle

    async def _take_time_slot(self, limit_key: str, seconds: float, lead: float, ahead: float) -> TimeSlot:
        assert self.who is not None, "a run that has not signed on sends nothing"  # noqa: S101
        return await turns.take_time_slot(self.connection, limit_key, self.who, seconds, lead, ahead)

    async def _take_day_tokens(self, limit_key: str, per_day: float, wanted: int) -> day_counts.DayTokens:
        async with self._counting:  # a transaction: one at a time on this connection
            return await day_counts.take_day_tokens(self.connection, limit_key, per_day, wanted)

    async def give_back(self) -> None:
        """At the end of a run: its places in the queues, and calls of the day that were taken and not made."""
        if self.who is not None and any(throttle.gate.interval for throttle in self._throttles.values()):
            await turns.leave_queue(self.connection, self.who.runner_id)
        for limit_key, throttle in self._throttles.items():
            if throttle.day is not None and throttle.day.unused:
                await day_counts.give_back_day_tokens(self.connection, limit_key, throttle.day.unused)


def breaker_key(limit_key: str) -> str:
    """The breaker's own row: a probe must not be held back by the pause that it ends."""
    return f"{limit_key}:breaker"


async def remember_refusals(run: Run, connection: AsyncConnection) -> None:
    """Steps that have been refused alike so far, and had no other answer, pause after one more refusal."""
    for found in await reasons.refusals(connection, run.batch.batch_id, list(run.steps)):
        run.steps[found.workflow].refusals.remember(found.reason, found.states)


async def look_at_breakers(run: Run) -> None:
    """Steps whose breaker another run has opened rest from the start."""
    for step in run.steps.values():
        if step.throttle is not None and step.stopped is None and (seconds := await step.throttle.breaker.look()) > 0:
            run.rest(step, BreakerOpen(seconds))
