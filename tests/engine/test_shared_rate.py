"""One rate for several runs, with the real statement on a real row: virtual time, that the database believes in too."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from enrichment_assets.engine.throttle.rates import RateGate
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import AsyncConnection, connect_async
from enrichment_assets.store.limits.rates import pause
from enrichment_assets.store.limits.turns import Contender, TimeSlot, take_time_slot
from tests.engine.test_limits import TINY, assert_kept, passes
from tests.engine.virtual_clock import VirtualClock

T = TypeVar("T")
MICROSECONDS = 5e-6
"""What the database's own rounding may cost."""

VIRTUAL_TIME = """
create schema virtual;
create function virtual.clock_timestamp() returns timestamptz language sql volatile
as $$ select to_timestamp(1700000000) + make_interval(secs => current_setting('virtual.now')::float8) $$;
"""


class Database:
    """Connections in a thread with an event loop of its own: waiting for them takes no virtual time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._connections: list[AsyncConnection] = []

    def do(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    def connect(self) -> AsyncConnection:
        """A connection of one more run, for which `clock_timestamp()` is the virtual time it is told."""
        connection = self.do(connect_async(self._url, autocommit=True))
        self.do(connection.execute("set search_path = virtual, public, pg_catalog"))
        self._connections.append(connection)
        return connection

    def close(self) -> None:
        for connection in self._connections:
            self.do(connection.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def database_of(settings: Settings) -> Iterator[Database]:
    database = Database(settings.hq_database_url or "")
    try:
        yield database
    finally:
        database.close()


class Bucket:
    """`store.limits.turns.take_time_slot` as one run sees it, through a connection of its own and a network.

    `who`: whose run it is; None: a client of its own.
    """

    _runs = itertools.count(1_000)

    def __init__(
        self,
        database: Database,
        connection: AsyncConnection,
        clock: VirtualClock,
        key: str,
        there: float,
        who: Contender | None = None,
    ) -> None:
        self._database = database
        self._connection = connection
        self._clock = clock
        self._key = key
        self._there = there
        number = next(self._runs)
        self.who = who or Contender(number, number, number)
        self.takes = 0

    async def take(self, seconds: float, lead: float = 1.0, ahead: float = 0.5) -> TimeSlot:
        self.takes += 1
        await self._clock.sleep(self._there)
        self.tell_time()
        stretch = self._database.do(take_time_slot(self._connection, self._key, self.who, seconds, lead, ahead))
        await self._clock.sleep(self._there)
        return stretch

    def tell_time(self) -> None:
        self._database.do(
            self._connection.execute("select set_config('virtual.now', %s, false)", (str(self._clock.now()),))
        )


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with database_of(settings) as opened:
        opened.do(opened.connect().execute(VIRTUAL_TIME))
        yield opened


@given(
    rate=st.sampled_from([0.5, 3, 20, 50, 400]),
    there=st.lists(st.sampled_from([0.0002, 0.001, 0.02, 0.15]), min_size=2, max_size=4),
    callers=st.integers(2, 12),
    late=st.lists(st.floats(0, 0.3), min_size=1, max_size=5),
)
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_runs_on_several_machines_never_exceed_the_rate_over_any_window(
    database: Database, rate: float, there: list[float], callers: int, late: list[float]
) -> None:
    """Each run is as far from the database as its network, and each call as late on the wire as its process is busy."""
    clock = VirtualClock()
    key = f"http:{rate}:{id(clock)}"
    database.do(database.connect().execute("delete from rate_limits"))
    buckets = [Bucket(database, database.connect(), clock, key, seconds) for seconds in there]
    gates = [RateGate(1 / rate, bucket.take, clock) for bucket in buckets]
    left: list[float] = []

    async def caller(number: int) -> None:
        async def on_the_way() -> None:
            await clock.sleep(late[number % len(late)])

        for _ in range(5):
            await passes(gates[number % len(gates)], left, on_the_way)

    clock.run(*(caller(number) for number in range(callers)))
    assert len(left) == 5 * callers
    assert_kept(left, rate, MICROSECONDS)


def test_stretches_of_one_key_follow_one_another_for_all_connections(database: Database) -> None:
    clock = VirtualClock()
    stretches: list[TimeSlot] = []

    async def run(bucket: Bucket) -> None:
        for _ in range(5):
            while (stretch := await bucket.take(0.5)).opens is None:
                await clock.sleep(stretch.ask_in)
            stretches.append(stretch)

    clock.run(*(run(Bucket(database, database.connect(), clock, "k", 0.001)) for _ in range(6)))
    opens = sorted(stretch.opens or 0.0 for stretch in stretches)
    assert len(opens) == 30
    assert all(abs(b - a - 0.5) < TINY for a, b in pairwise(opens))


def test_a_pause_that_another_run_noted_comes_before_the_next_stretch(database: Database) -> None:
    clock = VirtualClock()
    bucket = Bucket(database, database.connect(), clock, "k", 0.0)
    left: list[float] = []

    async def scenario() -> None:
        gate = RateGate(0.5, bucket.take, clock)
        await passes(gate, left)
        other = database.connect()
        database.do(other.execute("select set_config('virtual.now', %s, false)", (str(clock.now()),)))
        database.do(pause(other, "k", 40.0, "a test"))
        for _ in range(3):
            await passes(gate, left)

    clock.run(scenario())
    assert left[1] >= left[0] + 0.5 - TINY
    assert left[-1] >= 40.0


@pytest.mark.parametrize(("rate", "most"), [(50, 90), (1000, 8)])
def test_a_thousand_calls_cost_few_statements(database: Database, rate: int, most: int) -> None:
    clock = VirtualClock()
    bucket = Bucket(database, database.connect(), clock, "k", 0.0005)
    gate = RateGate(1 / rate, bucket.take, clock)
    left: list[float] = []

    async def caller() -> None:
        for _ in range(100):
            await passes(gate, left)

    clock.run(*(caller() for _ in range(10)))
    assert len(left) == 1000
    assert bucket.takes <= most
