"""Taking in what providers called back, without a run: for the sensor that looks every few seconds.

It is a run in all that counts (a runner with a lease, fences, the group writer), and makes no call: what it frees for
steps that call somebody waits for a run, which is asked for when a group of items can go on (`store.states.groups`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from enrichment_assets.domain.provider import Provider
from enrichment_assets.domain.workflow import Mode
from enrichment_assets.engine.run.advance import EngineOptions, started
from enrichment_assets.engine.run.context import Batch, Run
from enrichment_assets.engine.run.event_log import log_event
from enrichment_assets.engine.run.item import take_answers
from enrichment_assets.engine.run.loading import load_claimed
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.runs import claims
from enrichment_assets.store.states import batch_states
from enrichment_assets.store.states.groups import Settled, settle_later, settle_taken

CLAIM_SIZE = 100
"""Items taken at once; between two groups the time is looked at."""


QUICK = 0.2
"""Seconds that settling a batch may take at every look."""

REST_FACTOR = 20
"""A batch that takes longer is settled a twentieth of the time at most."""

LEAST_REST = 60.0


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of it: items that were looked at, and how the batch stands."""

    items: int
    settled: Settled


# crash point: callbacks-are-taken-in
async def take_in(
    hq_url: str, batch: Batch, providers: Mapping[str, Provider], options: EngineOptions, seconds: float
) -> Taken:
    """Apply a batch's waiting callbacks, do what they free and needs no call, and settle the batch.

    Args:
        hq_url: libpq URL of the HQ database.
        batch: The batch, its blueprint included.
        providers: By name, as `providers.build_providers` gives them.
        options: As for `advance`.
        seconds: No further group of items is begun after this time; what is left waits for the next look.

    Raises:
        ConfigurationError: a step that cannot be prepared.
        InfrastructureError: the database failed or the lease was lost; nothing is lost, the next look goes on.
    """
    async with started(hq_url, batch, providers, options, None, None) as (run, reader):
        until = run.clock.now() + seconds
        looked_at = 0
        while run.clock.now() < until and (items := await _group(run, reader)):
            looked_at += items
        await batch_states.adopt_shared_answers(reader, batch.batch_id, run.facts)
        settled = await _settled(run, reader)
        log_event(run, "callbacks_taken", items=looked_at, finished=settled.finished, goes_on=settled.goes_on)
        return Taken(looked_at, settled)


_rests: dict[int, float] = {}
"""Batch -> until when, by this process's clock, its states are not counted again: those of a long list are many."""


async def _settled(run: Run, reader: AsyncConnection) -> Settled:
    """Settle the batch, unless that took long a moment ago and answers are awaited still."""
    batch = run.batch
    left = _rests.get(batch.batch_id, 0.0) - time.monotonic()
    if left > 0 and await settle_later(reader, batch.batch_id, list(run.steps), left + LEAST_REST):
        return Settled(finished=False, goes_on=False)
    began = time.monotonic()
    settled = await settle_taken(reader, batch.batch_id, batch.blueprint.dependencies())
    took = time.monotonic() - began
    if settled.finished or took < QUICK:
        _rests.pop(batch.batch_id, None)
    else:
        _rests[batch.batch_id] = time.monotonic() + REST_FACTOR * took
    return settled


async def _group(run: Run, reader: AsyncConnection) -> int:
    """Claim and process items that nobody has begun to read the callbacks of; how many there were."""
    ids = await claims.find_unread(reader, run.batch.batch_id, list(run.steps), CLAIM_SIZE)
    held = await claims.claim(reader, run.batch.batch_id, run.writer.scope.runner_id, ids)
    loaded = await load_claimed(run, reader, held)
    uncalled = [step.slug for step in run.steps.values() if step.workflow.mode is Mode.LOCAL]
    # All of them come to their end, whatever becomes of one: what one cannot take must not hold up the others.
    ends = await asyncio.gather(*(take_answers(run, item, uncalled) for item in loaded), return_exceptions=True)
    for end in ends:
        if end is not None:
            raise end
    return len(loaded)
