"""Sending the several requests of one call, and saying what became of the whole.

A request goes over HTTP, or is a file that is put into a folder: what its address begins with says which.
The rate of a provider counts calls: only the first request waits for its turn. The lease is asked before each of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx

from enrichment_assets.domain.provider import Answer, Conversation, RenderedRequest
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
            answer = await _sent(client, request, left, turn if is_first else None, may_leave)
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


async def _sent(
    client: httpx.AsyncClient,
    request: RenderedRequest,
    timeout: float,  # noqa: ASYNC109
    turn: Callable[[], Awaitable[None]] | None,
    may_leave: Callable[[], None] | None,
) -> Answer:
    """One request, by what its address says: over HTTP, or into a folder."""
    if request.url.startswith(("http://", "https://")):
        return await send(client, request, timeout, turn=turn, may_leave=may_leave)
    from enrichment_assets.wire.file_drop import drop

    if turn is not None:
        await turn()
    if may_leave is not None:
        may_leave()
    return await asyncio.to_thread(drop, request)
