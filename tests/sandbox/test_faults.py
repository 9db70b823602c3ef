"""Each fault, as a client sees it, and what it costs."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import orjson
import pytest

from enrichment_assets.sandbox.latency import Latency
from enrichment_assets.sandbox.seeded_random import SeededRandom

from .conftest import MARIA, Client


async def units(sandbox: Client) -> str:
    return str((await sandbox.billing())["units"])


async def outcomes(sandbox: Client) -> dict[str, int]:
    account = (await sandbox.billing())["accounts"][0]
    return dict(account["outcomes"])


async def test_latency_is_waited_for(sandbox: Client) -> None:
    await sandbox.configure(latency="120ms")
    began = time.monotonic()
    await sandbox.match()
    assert time.monotonic() - began >= 0.12


@pytest.mark.parametrize(
    ("text", "low", "high", "mean"),
    [("50ms", 0.05, 0.05, 0.05), ("20ms-80ms", 0.02, 0.08, 0.05), ("exp:50ms", 0, 2, 0.05), ("0.2", 0.2, 0.2, 0.2)],
)
def test_latency_texts_mean_what_they_say(text: str, low: float, high: float, mean: float) -> None:
    drawn = [Latency.parse(text).sample(SeededRandom("latency", number)) for number in range(4000)]
    assert low <= min(drawn)
    assert max(drawn) <= high
    assert sum(drawn) / len(drawn) == pytest.approx(mean, rel=0.1)


def test_a_log_normal_latency_has_the_median_it_names() -> None:
    drawn = sorted(
        Latency.parse("lognormal:50ms:0.5").sample(SeededRandom("latency", number)) for number in range(4000)
    )
    assert drawn[2000] == pytest.approx(0.05, rel=0.1)
    assert drawn[-1] > 0.15


@pytest.mark.parametrize("text", ["soon", "-5ms", "exp:", "10ms-later"])
def test_a_latency_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        Latency.parse(text)


@pytest.mark.parametrize(("scenario", "statuses"), [("error", {500, 502, 503}), ("unavailable", {503})])
async def test_a_5xx_comes_before_the_work_and_is_free(sandbox: Client, scenario: str, statuses: set[int]) -> None:
    got = await sandbox.match(scenario=scenario)
    assert got.status in statuses
    assert await units(sandbox) == "0"
    assert await outcomes(sandbox) == {"error": 1}


async def test_a_429_fault_is_free_and_says_when_to_come_back(sandbox: Client) -> None:
    got = await sandbox.match(scenario="rate-limited")
    assert (got.status, got.headers["retry-after"]) == (429, "1")
    assert await units(sandbox) == "0"


async def test_a_time_out_after_the_work_is_billed(sandbox: Client) -> None:
    timeout = aiohttp.ClientTimeout(total=0.3)
    with pytest.raises(TimeoutError):
        await sandbox.post(
            "/apollo/api/v1/people/match",
            MARIA,
            headers={"x-api-key": "k", "x-sandbox-scenario": "timeout"},
            timeout=timeout,
        )
    assert await units(sandbox) == "1"


async def test_a_time_out_before_the_work_is_free(sandbox: Client) -> None:
    await sandbox.configure(hang="100ms")
    with pytest.raises(aiohttp.ClientConnectionError):
        await sandbox.match(scenario="timeout-before-work")
    assert await units(sandbox) == "0"
    assert await outcomes(sandbox) == {"timeout_before_work": 1}


async def test_a_reset_arrives_in_the_middle_of_the_answer_and_is_billed(sandbox: Client) -> None:
    host, port = sandbox.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = orjson.dumps(MARIA)
    head = "POST /apollo/api/v1/people/match HTTP/1.1\r\nhost: x\r\nx-api-key: k\r\nx-sandbox-scenario: reset\r\n"
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    start = await reader.readuntil(b"\r\n\r\n")
    assert start.startswith(b"HTTP/1.1 200")
    promised = int(start.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    came = b""
    with pytest.raises(ConnectionResetError):
        while chunk := await reader.read(65536):
            came += chunk
    writer.close()
    assert 0 < len(came) < promised
    assert await units(sandbox) == "1"


async def test_a_reset_before_the_work_is_free(sandbox: Client) -> None:
    with pytest.raises(aiohttp.ClientConnectionError):
        await sandbox.match(scenario="reset-before-work")
    assert await units(sandbox) == "0"


async def test_garbage_comes_with_status_200_and_is_billed(sandbox: Client) -> None:
    whole = await sandbox.match()
    invalid, truncated = await sandbox.match(scenario="garbage"), await sandbox.match(scenario="truncated")
    html, empty = await sandbox.match(scenario="html"), await sandbox.match(scenario="empty")
    assert [got.status for got in (invalid, truncated, html, empty)] == [200] * 4
    for got in (invalid, truncated, html, empty):
        with pytest.raises(orjson.JSONDecodeError):
            orjson.loads(got.body)
    assert whole.body.startswith(truncated.body)
    assert len(truncated.body) < len(whole.body)
    assert html.headers["content-type"] == "text/html"
    assert empty.body == b""
    assert await units(sandbox) == "5"


async def test_wrong_types_are_valid_json_that_does_not_fit_the_contract(sandbox: Client) -> None:
    right, wrong = (await sandbox.match()).json, (await sandbox.match(scenario="wrong-types")).json
    assert set(wrong["person"]) == set(right["person"])
    assert isinstance(wrong["person"]["employment_history"], dict)
    assert isinstance(wrong["person"]["first_name"], int)
    assert isinstance(wrong["request_id"], str)


async def test_shares_hold_over_many_calls_and_never_overlap(sandbox: Client) -> None:
    await sandbox.configure(errors=0.2, rate_limited=0.1, garbage=0.1, miss=0.25)
    for number in range(600):
        await sandbox.match({"name": f"Ann Number{number}", "domain": "acme.com"})
    counted = await outcomes(sandbox)
    assert counted["error"] == pytest.approx(120, abs=40)
    assert counted["rate_limited"] == pytest.approx(60, abs=30)
    assert counted["garbage"] == pytest.approx(60, abs=30)
    assert counted["not_found"] == pytest.approx(90, abs=40)
    assert sum(counted.values()) == 600


async def test_a_retry_has_a_fate_of_its_own_and_can_be_made_to_succeed(sandbox: Client) -> None:
    await sandbox.configure(errors=1, fault_attempts=2)
    statuses = [(await sandbox.match()).status for _ in range(3)]
    assert statuses[0] >= 500
    assert statuses[1] >= 500
    assert statuses[2] == 200


async def test_a_subject_that_is_missed_is_missed_every_time(sandbox: Client) -> None:
    await sandbox.configure(miss=0.5)
    asked = [{"name": f"Ann Number{number}", "domain": "acme.com"} for number in range(20)]
    first = [(await sandbox.match(one)).json["person"] is None for one in asked]
    again = [(await sandbox.match(one)).json["person"] is None for one in reversed(asked)]
    assert first == list(reversed(again))
    assert 0 < sum(first) < 20


async def test_faults_can_be_set_for_one_provider_and_for_one_request(sandbox: Client) -> None:
    await sandbox.configure(providers={"apollo": {"errors": 1}})
    assert (await sandbox.match()).status >= 500
    assert (await sandbox.post("/clay/tables/t/webhook", {})).status == 200
    assert (await sandbox.match(**{"x-sandbox-faults": '{"errors": 0}'})).status == 200
    refused = await sandbox.match(scenario="no-such-scenario")
    assert refused.status == 400
    assert "no-such-scenario" in refused.json["error"]


async def test_a_scenario_of_ones_own_can_be_named(sandbox: Client) -> None:
    await sandbox.configure(scenarios={"monday": {"errors": 1, "error_status": [599]}})
    assert (await sandbox.match(scenario="monday")).status == 599


async def test_no_window_ever_holds_more_calls_than_the_limit(sandbox: Client) -> None:
    await sandbox.configure(limits="5/s")
    served = []
    until = time.monotonic() + 1.6
    while time.monotonic() < until:
        if (await sandbox.match()).status == 200:
            served.append(time.monotonic())
        await asyncio.sleep(0.01)
    assert 5 < len(served) <= 10
    assert all(later - earlier > 0.9 for earlier, later in zip(served, served[5:], strict=False))


async def test_a_path_or_body_that_cannot_be_answered_is_a_client_error(sandbox: Client) -> None:
    assert (await sandbox.get("/nobody/v1")).status == 404
    assert (await sandbox.get("/apollo/api/v1/nothing", headers={"x-api-key": "k"})).status == 404
    async with sandbox.session.post(
        f"{sandbox.url}/apollo/api/v1/people/match", data=b"{no json", headers={"x-api-key": "k"}
    ) as answer:
        assert answer.status == 400
    assert await units(sandbox) == "0"
