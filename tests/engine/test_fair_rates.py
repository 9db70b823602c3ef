"""A rate that several clients share goes round by client, whatever each has started; in virtual time, on real rows.

Every run asks through a connection of its own, as runs in different processes do.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import pytest

from enrichment_assets.engine.throttle.rates import RateGate
from enrichment_assets.settings import Settings
from enrichment_assets.store.limits.turns import GRACE, HEAD_START, LONGEST_WAIT, Contender
from tests.engine.test_limits import passes
from tests.engine.test_shared_rate import VIRTUAL_TIME, Bucket, Database, database_of
from tests.engine.virtual_clock import VirtualClock

CALLERS = 8
"""Calls of a run that wait at a time: it could always use more than it gets."""


class Agency:
    """Clients, their batches, and the runs of these at one provider key."""

    def __init__(self, database: Database, rate: float) -> None:
        self.clock = VirtualClock()
        self.left: dict[str, list[float]] = {}
        self._database = database
        self._rate = rate
        self._runners = itertools.count(1)
        self.sql("truncate clients, uploads, batches, rate_limits, rate_shares, rate_queue restart identity cascade")

    def sql(self, statement: str, *values: object) -> int:
        connection = self._database.connect()

        async def execute() -> int:
            cursor = await connection.execute(statement, values)
            row = await cursor.fetchone() if cursor.description else None
            return 0 if row is None else int(row["id"])

        return self._database.do(execute())

    def batch(self, client: str, priority: int = 0, weight: float = 1.0) -> Contender:
        """A run of a batch of its own."""
        owner = self.sql(
            "insert into clients (slug, name, weight) values (%s, '', %s) on conflict (slug) do update set name = '' "
            "returning id",
            client,
            weight,
        )
        upload = self.sql(
            "insert into uploads (client_id, filename, sha256, size_bytes, encoding, delimiter, columns, row_count, "
            "rejected_count, source) values (%s, 'a', gen_random_uuid(), 1, 'utf-8', ',', '[]', 1, 0, 'cli') "
            "returning id",
            owner,
        )
        batch = self.sql(
            "insert into batches (batch_key, client_id, upload_id, pipeline_slug, blueprint, priority) "
            "values (gen_random_uuid()::text, %s, %s, 'p', '{}', %s) returning id",
            owner,
            upload,
            priority,
        )
        return Contender(next(self._runners), batch, owner)

    async def works(self, name: str, who: Contender, calls: int | None, start: float = 0.0, end: float = 1e9) -> None:
        """A run that makes so many calls (None: until `end`), as fast as it may."""
        gate = RateGate(1 / self._rate, self.bucket(who).take, self.clock)
        left = self.left.setdefault(name, [])
        open_calls = itertools.count() if calls is None else iter(range(calls))
        await self.clock.sleep(start)

        async def caller() -> None:
            for _ in open_calls:
                if self.clock.now() >= end:
                    return
                await passes(gate, left)

        await asyncio.gather(*(caller() for _ in range(CALLERS)))

    def bucket(self, who: Contender) -> Bucket:
        """The row as this run sees it."""
        return Bucket(self._database, self._database.connect(), self.clock, "key", 0.0005, who)

    def shares(self, since: float, until: float) -> dict[str, float]:
        """Each name's share of the calls that left in that time."""
        counts = Counter({n: sum(since <= at < until for at in times) for n, times in self.left.items()})
        return {name: count / counts.total() for name, count in counts.items()}


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    with database_of(settings) as opened:
        opened.do(opened.connect().execute(VIRTUAL_TIME))
        yield opened


@pytest.mark.parametrize("rate", [1.0, 40.0])
def test_a_client_with_six_batches_has_no_more_than_one_with_one(database: Database, rate: float) -> None:
    agency, until = Agency(database, rate), 30 / min(rate, 5)
    big = [agency.batch("big") for _ in range(6)]
    small = agency.batch("small")
    agency.clock.run(
        *(agency.works("big", who, None, end=until) for who in big), agency.works("small", small, None, end=until)
    )
    assert agency.shares(0, until)["small"] == pytest.approx(0.5, abs=0.06)


def test_a_client_that_was_away_has_a_head_start_and_no_more(database: Database) -> None:
    agency = Agency(database, 10.0)
    agency.clock.run(
        agency.works("there", agency.batch("there"), None, end=90.0),
        agency.works("back", agency.batch("back"), None, start=30.0, end=90.0),
    )
    assert agency.shares(31, 30 + HEAD_START)["back"] > 0.9
    assert agency.shares(32 + HEAD_START, 90)["back"] == pytest.approx(0.5, abs=0.06)


def test_clients_that_are_new_to_a_key_do_not_wait_for_each_other(database: Database) -> None:
    agency = Agency(database, 2.0)
    agency.clock.run(*(agency.works(name, agency.batch(name), 5) for name in ("one", "two", "three")))
    assert max(at for times in agency.left.values() for at in times) <= 1.15 * 15 / 2


def test_clients_share_by_weight_and_the_batches_of_one_by_priority(database: Database) -> None:
    agency = Agency(database, 20.0)
    runs = {
        "heavy": agency.batch("heavy", weight=3.0),
        "high": agency.batch("light", priority=1),
        "normal": agency.batch("light"),
    }
    agency.clock.run(*(agency.works(name, who, None, end=20.0) for name, who in runs.items()))
    shares = agency.shares(0, 20)
    assert shares["heavy"] == pytest.approx(0.75, abs=0.05)
    assert shares["high"] == pytest.approx(0.2, abs=0.04)
    assert shares["normal"] == pytest.approx(0.05, abs=0.02)


def test_a_priority_that_is_changed_counts_from_then_on_for_runs_under_way(database: Database) -> None:
    agency = Agency(database, 20.0)
    first, second = agency.batch("acme"), agency.batch("acme")

    async def change() -> None:
        await agency.clock.sleep(8.0)
        agency.sql("update batches set priority = 1 where id = %s", second.batch_id)

    agency.clock.run(
        agency.works("first", first, None, end=20.0), agency.works("second", second, None, end=20.0), change()
    )
    assert agency.shares(0, 8)["second"] == pytest.approx(0.5, abs=0.06)
    assert agency.shares(9, 20)["second"] == pytest.approx(0.8, abs=0.06)


def test_a_short_list_is_hardly_slower_beside_a_long_one_which_loses_next_to_nothing(
    database: Database,
) -> None:
    """The long one is under way for a while, and owes nothing for the time in which nobody else wanted any."""
    calls, begins = 50, 20.0
    alone = Agency(database, 10.0)
    alone.clock.run(alone.works("small", alone.batch("small"), calls))
    took_alone = max(alone.left["small"])
    together = Agency(database, 10.0)
    together.clock.run(
        together.works("big", together.batch("big"), 1_000),
        together.works("small", together.batch("small"), calls, start=begins),
    )
    assert max(together.left["small"]) - begins <= 1.2 * took_alone
    # All the calls in the time that they take one after another, and 1 % for the seams.
    assert max(together.left["big"]) <= 1.01 * (1_000 + calls) / 10.0


def test_who_is_alone_has_everything_also_after_others_have_gone_or_died(database: Database) -> None:
    agency = Agency(database, 10.0)
    gone, dead, alone = agency.batch("gone"), agency.batch("dead"), agency.batch("alone")

    async def dies() -> None:
        """It asks for a turn that it will not come for."""
        await agency.clock.sleep(8.0)
        with suppress(asyncio.TimeoutError):
            assert (await agency.bucket(dead).take(5.0, lead=0.0)).opens is None

    agency.clock.run(agency.works("gone", gone, 20), agency.works("alone", alone, None, end=40.0), dies())
    assert len([at for at in agency.left["alone"] if 20 <= at < 40]) >= 199
    dead_time = LONGEST_WAIT + GRACE
    assert len([at for at in agency.left["alone"] if 8 <= at < 20]) >= (12 - dead_time) * 10 - 2
