"""Sending the several requests of one call, and saying what became of the whole.

The rate of a provider counts calls: only the first request waits for its turn. The lease is asked before each of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx

from enrichment_assets.domain.provider import Answer, Conversation
from enrichment_assets.wire.transport import FateUnknown, NotSent, send

SHORTEST = 1.0
"""Seconds that a request has at least, however little is left of the whole's."""


async def converse(
    client: httpx.AsyncClient,
    conversation: Conversation,
    timeout: float,  # noqa: ASYNC109
    *,
    turn: Callable[[], Awaitable[None]] | None = None,
    may_leave: Callable[[], None] | None = None,
) -> Answer:
    """Hold a conversation once and return its answer.

    Args:
        client: From `build_client`.
        conversation: Not begun.
        timeout: Seconds for all of it.
        turn: Awaited before the first request leaves.
        may_leave: Asked before each.

    Raises:
        NotSent: The first request did not leave.
        FateUnknown: A request left without an answer, or could not be followed by the next.
        AnswerTooLarge, NotTheSimulator, AddressNotAllowed: As `transport.send`, of any of its requests.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + timeout
    request, is_first = next(conversation), True
    while True:
        try:
            left = max(until - loop.time(), SHORTEST)
            answer = await send(client, request, left, turn=turn if is_first else None, may_leave=may_leave)
        except NotSent as error:
            if is_first:
                raise
            raise FateUnknown(f"in the middle of several requests: {error}", timed_out=False) from None
        is_first = False
        try:
            request = conversation.send(answer)
        except StopIteration as ended:
            whole: Answer = ended.value
            return whole
