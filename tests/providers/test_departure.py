"""The last moment before a request leaves: whose turn it is, whether it may leave, and that it leaves at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from enrichment_assets.domain.provider import RenderedRequest
from enrichment_assets.engine.calls.attempt import Departure
from enrichment_assets.wire.transport import FateUnknown, NotSent, build_client, send
from tests.engine.hostile_server import answering as answering_in_a_thread
from tests.providers.test_transport import answering, get, post, serving

REQUESTS = pytest.mark.parametrize("request_of", [post, get], ids=["with a body", "without a body"])
Runner = Callable[[Coroutine[Any, Any, None]], None]


class ForbiddenError(Exception):
    """What the caller raises when a request may not leave."""


def forbid() -> None:
    raise ForbiddenError


@REQUESTS
async def test_a_request_that_may_not_leave_sends_nothing_and_raises_what_forbade_it(
    request_of: Callable[[str], RenderedRequest],
) -> None:
    async with serving(answering(b"{}")) as server, build_client() as client:
        await send(client, request_of(server.url), 5)
        for _ in range(2):  # on a kept connection, and on a new one
            with pytest.raises(ForbiddenError):
                await send(client, request_of(server.url), 5, may_leave=forbid)
        await asyncio.sleep(0.1)
        assert len(server.requests) == 1
        assert (await send(client, request_of(server.url), 5)).status == 200
    assert len(server.requests) == 2


@REQUESTS
async def test_the_question_is_asked_once_when_the_connection_stands_and_after_the_turn_has_come(
    request_of: Callable[[str], RenderedRequest],
) -> None:
    asked: list[tuple[str, int]] = []

    async with serving(answering(b"{}")) as server, build_client() as client:

        async def turn() -> None:
            asked.append(("turn", len(server.requests)))
            await asyncio.sleep(0.1)

        await send(
            client, request_of(server.url), 5, turn=turn, may_leave=lambda: asked.append(("may", len(server.requests)))
        )
    assert asked == [("turn", 0), ("may", 0)]
    assert len(server.requests) == 1


@REQUESTS
async def test_a_providers_time_begins_when_the_request_leaves_not_while_it_waits_for_our_own_rate(
    request_of: Callable[[str], RenderedRequest],
) -> None:
    came: list[float] = []

    async def turn() -> None:
        await asyncio.sleep(0.1)
        came.append(time.perf_counter())

    departure = Departure(lambda: None)
    async with serving(answering(b"{}")) as server, build_client() as client:
        await send(client, request_of(server.url), 5, turn=turn, may_leave=departure)
    assert departure.at is not None and departure.at >= came[0]
    assert departure.milliseconds() is not None


async def test_what_never_left_took_no_time_of_the_provider() -> None:
    departure = Departure(forbid)
    async with serving(answering(b"{}")) as server, build_client() as client:
        with pytest.raises(ForbiddenError):
            await send(client, get(server.url), 5, may_leave=departure)
    assert departure.milliseconds() is None


@REQUESTS
async def test_a_turn_that_does_not_come_in_time_proves_that_nothing_was_sent_then_or_later(
    request_of: Callable[[str], RenderedRequest],
) -> None:
    async def turn() -> None:
        await asyncio.sleep(0.4)

    async with serving(answering(b"{}")) as server, build_client() as client:
        with pytest.raises(NotSent, match="time-out"):
            await send(client, request_of(server.url), 0.2, turn=turn)
        await asyncio.sleep(0.5)
    assert server.requests == []


@REQUESTS
@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 2\r\n\r\n{}"], ids=["lost", "said"]
)
async def test_a_kept_connection_that_is_lost_or_speaks_unasked_while_a_turn_is_awaited_proves_that_nothing_was_sent(
    request_of: Callable[[str], RenderedRequest], said: bytes
) -> None:
    answer = answering(b"{}")

    async def once(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(request, reader, writer)
        await asyncio.sleep(0.1)
        if said:
            writer.write(said)
        else:
            writer.close()

    async with serving(once) as server, build_client() as client:
        await send(client, request_of(server.url), 5)
        with pytest.raises(NotSent, match="before the request left"):
            await send(client, request_of(server.url), 5, turn=lambda: asyncio.sleep(0.3))
        assert len(server.requests) == 1
        assert (await send(client, request_of(server.url), 5)).status == 200


async def test_what_is_forbidden_after_the_request_has_left_does_not_hide_that_its_fate_is_unknown() -> None:
    async def never(*_: object) -> None:
        await asyncio.sleep(30)

    async with serving(never) as server, build_client() as client:
        with pytest.raises(FateUnknown):
            await send(client, post(server.url), 0.3, may_leave=lambda: None)
    assert len(server.requests) == 1


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_once_it_may_leave_it_leaves_at_once_although_the_loop_is_busy_right_after(run: Runner) -> None:
    """Nothing that waits for its turn in the event loop comes between the question and the system call."""
    arrived: list[float] = []
    with answering_in_a_thread() as answers:
        answers.before = lambda: arrived.append(time.monotonic())

        async def scenario() -> None:
            async with build_client() as client:
                for _ in range(2):
                    left: list[float] = []

                    def may_leave(left: list[float] = left) -> None:
                        left.append(time.monotonic())
                        asyncio.get_running_loop().call_soon(time.sleep, 0.5)

                    await send(client, post(f"{answers.url}/x"), 5, may_leave=may_leave)
                    assert arrived.pop() - left[0] < 0.25

        run(scenario())
