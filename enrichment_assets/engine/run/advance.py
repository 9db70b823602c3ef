"""Advancing a batch: claim items, let each go its way, stop when nothing more can be done now.

`advance` is the one entrance: the multi-asset, `enrich run` and the tests call it. It knows neither Dagster nor a
terminal; progress goes to a callback.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import psycopg

from enrichment_assets.collector import rare_collections
from enrichment_assets.domain.errors import EnrichError, InfrastructureError
from enrichment_assets.domain.provider import Provider
from enrichment_assets.domain.statuses import StopCause
from enrichment_assets.domain.suppression import hasher_of
from enrichment_assets.engine.calls.call import PROVIDER_PAUSE
from enrichment_assets.engine.calls.lookups import Lookups
from enrichment_assets.engine.commit.group_writer import GroupWriter
from enrichment_assets.engine.run.context import Batch, Bodies, Lease, Run
from enrichment_assets.engine.run.event_log import log_event
from enrichment_assets.engine.run.holding import HoldKeeper, heed_holds, set_guard
from enrichment_assets.engine.run.item_window import one_pass
from enrichment_assets.engine.run.prepared_step import prepare_steps
from enrichment_assets.engine.run.reaching import Reaching
from enrichment_assets.engine.run.standing import StopKeeper
from enrichment_assets.engine.run.stops import because
from enrichment_assets.engine.run.suppressing import Suppressing
from enrichment_assets.engine.run.time_spent import TimeKeeper
from enrichment_assets.engine.throttle.rates import Closed
from enrichment_assets.engine.throttle.throttles import Throttles, look_at_breakers, remember_refusals
from enrichment_assets.store.calls.ledger import Scope
from enrichment_assets.store.database import AsyncConnection, connect_async, unreachable
from enrichment_assets.store.deliveries.batches import settle_deliveries
from enrichment_assets.store.limits import rates
from enrichment_assets.store.limits.turns import Contender
from enrichment_assets.store.runs import claims
from enrichment_assets.store.runs.shared_answers import shared_answer
from enrichment_assets.store.states import batch_states
from enrichment_assets.wire.transport import build_client

LEASE_SECONDS = 60.0
"""How long a runner may be silent before its items are taken over."""

LEASES_OF_PATIENCE = 10
"""A statement of a run that takes so many leases is taken for lost with its connection, and the run ends: others have
its items since long."""

_NOWHERE = "http://simulator.invalid"
"""Where a batch for the simulator may call while there is none."""

LINGER_SECONDS = 30.0
"""A run waits this long for states that are deferred; longer waits are left to the sequencer."""


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How a run behaves; the defaults are for production, tests shorten the times.

    `process` is what a person knows this process by (default: `host:pid`, as `label`); `pepper`: of suppressions;
    `only`: the items that are worked on, where somebody chose some.
    """

    receiver_url: str
    sandbox_url: str | None = None
    lease_seconds: float = LEASE_SECONDS
    linger_seconds: float = LINGER_SECONDS
    label: str = ""
    process: str = ""
    progress_seconds: float = 0.5
    pepper: str | None = field(default=None, repr=False)
    only: frozenset[int] | None = None


_NO_PAUSE = rates.Pause(0.0, None)


class Interrupted(EnrichError):
    """The run was asked to stop and did so in good order: calls under way were applied, the rest stays PENDING."""

    default_code = "run.interrupted"


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of what this run has moved so far: (workflow slug, outcome or status) -> states."""

    moved: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class RunReport:
    """What one run did.

    Attributes:
        moved: (workflow slug, outcome or status) -> states moved by this run.
        stopped: Workflow slug -> why its provider was stopped (key, quota, payment); its items are PENDING.
        finished: Nothing of the batch is PENDING or IN_PROGRESS any more.
        commits: Ledger transactions; records / commits is the group size.
        records: Ledger records.
    """

    moved: Mapping[tuple[str, str], int]
    stopped: Mapping[str, str]
    finished: bool
    commits: int
    records: int


async def advance(
    hq_url: str,
    batch: Batch,
    providers: Mapping[str, Provider],
    options: EngineOptions,
    selection: set[str] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> RunReport:
    """Do everything that can be done for a batch now.

    Args:
        hq_url: libpq URL of the HQ database.
        batch: The batch, its blueprint included.
        providers: By name, as `providers.build_providers` gives them.
        options: Lease, addresses, patience.
        selection: Workflow slugs that may run; None: all of the blueprint.
        on_progress: Called about twice a second.
        stop: When set, calls under way end and nothing more is claimed: stopping must not make answers ambiguous.

    Raises:
        ConfigurationError: a step that cannot be prepared; names workflow and cause.
        Interrupted: `stop` was set.
        InfrastructureError: the database failed or the lease was lost; nothing is lost, another run continues.
    """
    async with started(hq_url, batch, providers, options, selection, stop) as (run, reader):
        log_event(run, "run_started", runner=run.writer.scope.runner_id)
        stops = StopKeeper(run, reader, options.process or own_label())
        await stops.keep()
        times = TimeKeeper(run, reader)
        holds = HoldKeeper(run, reader, hq_url)
        await set_guard(run, reader)
        aside = [
            asyncio.create_task(_report_progress(run, on_progress, options.progress_seconds)),
            asyncio.create_task(stops.watch()),
            asyncio.create_task(times.watch()),
            asyncio.create_task(holds.watch()),
        ]
        try:
            await _passes(run, reader, options, holds)
        finally:
            for task in aside:
                task.cancel()
            await asyncio.gather(*aside, return_exceptions=True)
        await holds.look()
        await stops.keep()
        times.look()
        await times.keep()
        stopped = {step.slug: step.stopped for step in run.steps.values() if step.stopped}
        finished = await _settled(reader, run)
        if on_progress is not None:
            on_progress(Progress(dict(run.moved)))
        log_event(run, "run_ended", finished=finished, moved=sum(run.moved.values()), stopped=stopped or None)
        return RunReport(dict(run.moved), stopped, finished, run.writer.commits, run.writer.records)


async def _settled(reader: AsyncConnection, run: Run) -> bool:
    """Write when the batch, or its deliveries, want attention again; whether nothing of it is open."""
    batch, resume_in = run.batch, await _resume_in(reader, run)
    if run.delivers:
        return await settle_deliveries(reader, batch.batch_id, list(run.steps), resume_in)
    await batch_states.adopt_shared_answers(reader, batch.batch_id, run.facts)
    return await batch_states.settle_batch(reader, batch.batch_id, batch.blueprint.dependencies(), resume_in)


def own_label() -> str:
    """`host:pid` of this process."""
    return f"{socket.gethostname()}:{os.getpid()}"


async def _resume_in(reader: AsyncConnection, run: Run) -> float:
    """Seconds the sequencer should leave the batch alone: at once, unless a provider rests."""
    stopped = [step for step in run.steps.values() if step.stopped]
    if not stopped:
        return 0.0
    pauses = await rates.paused_for(reader, [step.account_key for step in stopped if step.rests_until is None])
    rests = [max(step.rests_until - run.clock.now(), 0.0) for step in stopped if step.rests_until is not None]
    return min([*(pause.seconds for pause in pauses.values()), *rests], default=PROVIDER_PAUSE)


@asynccontextmanager
async def started(
    hq_url: str,
    batch: Batch,
    providers: Mapping[str, Provider],
    options: EngineOptions,
    selection: set[str] | None,
    stop: threading.Event | None,
) -> AsyncIterator[tuple[Run, AsyncConnection]]:
    """A registered runner with its connections, heartbeat and writer; all ended in good order."""
    async with AsyncExitStack() as stack:
        stack.enter_context(_told_of_the_database(hq_url))
        stack.enter_context(rare_collections())
        patience = LEASES_OF_PATIENCE * options.lease_seconds
        reader = await _connection(stack, hq_url, patience)
        gates = await _connection(stack, hq_url, patience)
        ledger = await _connection(stack, hq_url, patience)
        # A stopped process must not hold its runner's row for ever: the server ends its transaction.
        await ledger.work_under({"idle_in_transaction_session_timeout": f"{max(int(options.lease_seconds / 2), 1)}s"})
        throttles = Throttles(gates)
        steps = prepare_steps(batch.blueprint, providers, selection, throttles.make, options.sandbox_url)
        # guard: dead-run-is-retired
        await claims.retire_expired_runners(reader, batch.batch_id)
        lease = Lease(options.lease_seconds)
        label = options.label or own_label()
        runner_id = await claims.start_runner(reader, batch.batch_id, label, options.lease_seconds)
        stack.push_async_callback(_end_runner, reader, runner_id)
        throttles.who = Contender(runner_id, batch.batch_id, batch.client_id)
        simulated = bool(batch.blueprint.simulated)
        writer = GroupWriter(ledger, Scope(batch.client_id, batch.batch_id, runner_id, simulated))
        concurrency = sum(step.workflow.limits.concurrency for step in steps.values())
        client = await stack.enter_async_context(
            build_client(min(max(concurrency, 10), 2_000), only_below=_only_below(batch, options))
        )
        run = Run(
            batch,
            steps,
            writer,
            lease,
            client,
            options.receiver_url,
            find_shared=partial(shared_answer, reader),
            lookups=Lookups(reader, batch.client_id, batch.batch_id),
            bodies=Bodies(reader),
            suppressing=Suppressing(reader, batch.client_id, hasher_of(options.pepper)),
            reaching=Reaching(reader, batch.batch_id, batch.blueprint),
            pause_provider=partial(rates.pause, gates),
            stop=stop or threading.Event(),
            only=options.only,
        )
        await _note_pauses(reader, run)
        await look_at_breakers(run)
        await remember_refusals(run, reader)
        await heed_holds(run, reader)
        await run.suppressing.look(list(steps.values()))
        writing = asyncio.create_task(writer.run())
        beating = asyncio.create_task(_heartbeat(hq_url, runner_id, lease))
        try:
            yield run, reader
            await writer.close()
            await writing
            await throttles.give_back()
        finally:
            for task in (beating, writing):
                task.cancel()
            await asyncio.gather(beating, writing, return_exceptions=True)


@contextmanager
def _told_of_the_database(hq_url: str) -> Iterator[None]:
    """A connection that is lost says where to, and ends a run as it does elsewhere."""
    try:
        yield
    except psycopg.OperationalError as error:
        raise unreachable(hq_url, error) from error


def _only_below(batch: Batch, options: EngineOptions) -> str | None:
    """The one address that a batch for the simulator may call; None: the batch is no such one."""
    return (options.sandbox_url or _NOWHERE) if batch.blueprint.simulated else None


async def _connection(stack: AsyncExitStack, hq_url: str, patience: float) -> AsyncConnection:
    connection = await connect_async(hq_url, autocommit=True, patience=patience)
    stack.push_async_callback(connection.close)
    return connection


async def _end_runner(connection: AsyncConnection, runner_id: int) -> None:
    """Free what this runner still holds; where the database is gone, its lease expires by itself."""
    with suppress(psycopg.Error):
        await claims.end_runner(connection, runner_id)


async def _note_pauses(reader: AsyncConnection, run: Run) -> None:
    """Providers that rest because of an earlier refusal are not asked again before their time."""
    paused = await rates.paused_for(reader, _pause_keys(run))
    for step in run.steps.values():
        refused, quiet = paused.get(step.account_key, _NO_PAUSE), paused.get(step.limit_key, _NO_PAUSE)
        if refused.seconds > LINGER_SECONDS:
            why = refused.because or because(StopCause.AUTH, "the provider refused an earlier call")
            told = f"the provider rests for another {round(refused.seconds)} s after an earlier refusal"
            run.stop_provider(step, why, refused.seconds, told)
        elif quiet.seconds > LINGER_SECONDS:
            why = (quiet.because or "").partition(": ")[2] or "the provider asked for quiet"
            run.rest(step, Closed("the provider rests", quiet.seconds, StopCause.QUIET, " for another"), kept=why)
        elif (seconds := max(refused.seconds, quiet.seconds)) > 0 and step.gate is not None:
            step.gate.close_for(seconds)


def _pause_keys(run: Run) -> list[str]:
    return sorted({key for s in run.steps.values() if s.provider is not None for key in (s.account_key, s.limit_key)})


async def _heartbeat(hq_url: str, runner_id: int, lease: Lease) -> None:
    """Keep the runner alive; renew a lost connection. If it was retired, the writer's next transaction says so."""
    while True:
        with suppress(psycopg.Error, InfrastructureError):  # the server may be away for a while
            connection = await connect_async(hq_url, autocommit=True, patience=lease.seconds / 4)
            async with connection:
                while True:
                    asked = Lease.boot_time()
                    if not await claims.heartbeat(connection, runner_id, lease.seconds):
                        return
                    lease.renewed(asked)
                    await asyncio.sleep(lease.seconds / 4)
        await asyncio.sleep(lease.seconds / 20)


async def _passes(run: Run, reader: AsyncConnection, options: EngineOptions, holds: HoldKeeper) -> None:
    """Pass over the batch until a pass moves nothing and nothing is due soon."""
    while True:
        if not run.delivers:
            await batch_states.adopt_shared_answers(reader, run.batch.batch_id, run.facts)
        run.wake()
        await holds.look()
        before, since = sum(run.moved.values()), await batch_states.now(reader)
        claimed = await one_pass(run, reader)
        if run.stopping:
            raise Interrupted("stopped as asked; calls under way were finished, the rest stays PENDING")
        if claimed and sum(run.moved.values()) > before:
            continue
        wait = await batch_states.next_due_in(reader, run.batch.batch_id, run.slugs_at_work(), since)
        if wait is None or wait > options.linger_seconds:
            return
        await asyncio.sleep(wait + 0.05)


async def _report_progress(run: Run, on_progress: Callable[[Progress], None] | None, every: float) -> None:
    while on_progress is not None:
        await asyncio.sleep(every)
        on_progress(Progress(dict(run.moved)))
