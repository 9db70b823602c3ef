"""Calls per day over all runs, and what answers say about the calls that are left."""

from __future__ import annotations

import asyncio

import pytest

from enrichment_assets.engine.throttle.day_quota import DayQuota, DayUsedUp
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect_async
from enrichment_assets.store.limits.day_counts import DayTokens, give_back_day_tokens, take_day_tokens
from enrichment_assets.wire.quota_headers import rest_after
from tests.engine.hostile_server import answering
from tests.engine.virtual_clock import VirtualClock
from tests.harness.batches import BatchHarness, people, step


def test_a_day_is_never_overdrawn_by_several_machines_and_an_hour_counts_until_it_is_a_day_old(
    settings: Settings,
) -> None:
    async def scenario() -> None:
        url = settings.hq_database_url or ""
        connections = [await connect_async(url, autocommit=True) for _ in range(4)]
        taken = await asyncio.gather(*(take_day_tokens(connection, "k", 50, 7) for connection in connections[:3]))
        assert [tokens.count for tokens in taken] == [7, 7, 7]

        async def drain(connection: object) -> int:
            total = 0
            while (tokens := await take_day_tokens(connection, "k", 50, 7)).count:  # type: ignore[arg-type]
                total += tokens.count
            return total

        assert sum(await asyncio.gather(*map(drain, connections))) == 50 - 21
        first = connections[0]
        empty = await take_day_tokens(first, "k", 50, 7)
        assert empty.count == 0 and 24 * 3600 < empty.free_in <= 25 * 3600
        await give_back_day_tokens(first, "k", 3)
        assert (await take_day_tokens(first, "k", 50, 7)).count == 3
        await first.execute("update rate_counts set hour = hour - interval '24 hours'")
        assert (await take_day_tokens(first, "k", 50, 7)).count == 0
        await first.execute("update rate_counts set hour = hour - interval '1 hour'")
        assert (await take_day_tokens(first, "k", 50, 7)).count == 7
        for connection in connections:
            await connection.close()

    asyncio.run(scenario())


def test_tokens_are_not_used_after_their_hour() -> None:
    clock = VirtualClock()
    asked: list[int] = []

    async def take(per_day: float, wanted: int) -> DayTokens:
        asked.append(wanted)
        return DayTokens(wanted, 30.0, 0.0) if len(asked) < 3 else DayTokens(0, 30.0, 900.0)

    quota = DayQuota(2_000, take, clock)

    async def caller() -> None:
        await quota.take()
        await quota.take()
        assert asked == [20]
        await clock.sleep(31.0)
        await quota.take()
        assert asked == [20, 20]
        await clock.sleep(31.0)
        with pytest.raises(DayUsedUp):
            await quota.take()
        with pytest.raises(DayUsedUp):
            await quota.take()
        assert asked == [20, 20, 20]

    clock.run(caller())


def test_what_is_over_a_days_limit_stays_pending_and_the_run_says_so(harness: BatchHarness) -> None:
    batch = harness.launch(people(9), step("find", limits={"per_day": 4, "concurrency": 3}), step("free"))
    report = batch.run()
    assert batch.statuses("find") == {"COMPLETED": 4, "PENDING": 5}
    assert batch.statuses("free") == {"COMPLETED": 9}
    assert "4 calls of a day are used up" in report.stopped["find"]
    assert len(batch.calls("find")) == 4
    (row,) = batch.rows("select extract(epoch from resume_at - now()) as wait from batches")
    assert row["wait"] > 23 * 3600
    assert "day" in batch.run().stopped["find"]
    assert len(batch.calls("find")) == 4
    batch.change("update rate_counts set hour = hour - interval '25 hours'")
    batch.run()
    assert batch.statuses("find") == {"COMPLETED": 8, "PENDING": 1}


def test_an_answer_that_says_no_calls_are_left_holds_back_the_others_of_all_runs(harness: BatchHarness) -> None:
    with answering() as answers:
        answers.headers["x-minute-requests-left"] = "0"
        find = step("find", url=f"{answers.url}/find", limits={"concurrency": 1})
        batch = harness.launch(people(9), find)
        report = batch.run()
        assert "asked for quiet" in report.stopped["find"]
        asked = answers.asked["/find"]
        assert asked <= 3  # what was already on its way
        assert batch.statuses("find")["PENDING"] == 9 - asked
        batch.run()
        assert answers.asked["/find"] == asked
        answers.headers.clear()
        batch.change("update rate_limits set paused_until = null")
        assert batch.run().finished


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"x-minute-requests-left": "0"}, 60.0),
        ({"x-minute-requests-left": "1"}, 0.0),
        ({"x-minute-requests-left": "0", "x-hourly-requests-left": "0"}, 3600.0),
        ({"x-24-hour-requests-left": "0"}, 3600.0),
        ({"x-ratelimit-remaining": "0"}, 60.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "7"}, 7.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000012"}, 12.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, 60.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "-5"}, 60.0),
        ({"x-ratelimit-remaining": "3", "x-ratelimit-reset": "7"}, 0.0),
        ({"concurrency-remaining": "0", "concurrency-limit": "10"}, 0.25),
        ({"x-minute-requests-left": "0", "retry-after": "3"}, 0.0),
        ({"x-ratelimit-remaining": "0", "retry-after-ms": "300"}, 0.0),
        # People Data Labs (docs.peopledatalabs.com/docs/usage-limits): a dict as Python prints it, resets in UTC.
        ({"x-ratelimit-remaining": "{'minute': 99}"}, 0.0),
        ({"x-ratelimit-remaining": "{'minute': 0}"}, 60.0),
        ({"x-ratelimit-remaining": '{"minute": 0}'}, 60.0),
        ({"x-ratelimit-remaining": "{'second': 0, 'minute': 40}"}, 1.0),
        ({"x-ratelimit-remaining": "{'minute': 0, 'day': 0}"}, 3600.0),
        ({"x-ratelimit-remaining": "{'minute': 0}", "x-ratelimit-reset": "2023-11-14 22:13:45"}, 25.0),
        ({"x-ratelimit-remaining": "{'minute': 0}", "x-ratelimit-reset": "{'minute': '2023-11-14T22:13:45Z'}"}, 25.0),
        ({"x-ratelimit-remaining": "{}"}, 0.0),
        ({"x-ratelimit-remaining": "{'minute': None}"}, 0.0),
        # Brave (api-dashboard.search.brave.com, rate limiting): per second, per month.
        ({"x-ratelimit-remaining": "0, 1832", "x-ratelimit-reset": "1, 1419704"}, 1.0),
        ({"x-ratelimit-remaining": "1, 0", "x-ratelimit-reset": "1, 900"}, 900.0),
        ({"x-ratelimit-remaining": "1, 1832"}, 0.0),
        # OpenAI (platform.openai.com, rate limits in headers): durations; Azure sends -1 for no limit.
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30s"}, 90.0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "500ms"}, 0.5),
        ({"x-ratelimit-remaining-requests": "-1", "x-ratelimit-reset-requests": "0"}, 0.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000012000"}, 12.0),  # OpenRouter: milliseconds
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1699999999"}, 60.0),  # over already
        # Anthropic (platform.claude.com, rate limits): RFC 3339.
        (
            {
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2023-11-14T22:13:30Z",
            },
            10.0,
        ),
    ],
)
def test_headers_say_how_long_to_leave_a_provider_alone(headers: dict[str, str], seconds: float) -> None:
    assert rest_after(headers, 1_700_000_000.0) == seconds
