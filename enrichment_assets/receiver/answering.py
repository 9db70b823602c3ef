"""Sending an answer: after the body was read, or before it, which closes the connection."""

from __future__ import annotations

import asyncio

from starlette.types import Message, Receive, Scope, Send

LINGER_SECONDS = 2.0
"""How long an early answer stays readable before the connection is cut, while what still comes in is thrown away.

Closing at once with unread bytes would reset the connection, and the sender would never see its 413.
"""
LINGER_BYTES = 4 * 1024 * 1024


async def answer(send: Send, messages: tuple[Message, Message]) -> None:
    """Send an answer to a request that was read to its end."""
    await send(messages[0])
    await send(messages[1])


async def refuse(scope: Scope, receive: Receive, send: Send, messages: tuple[Message, Message]) -> None:
    """Answer before the body was read, linger for a moment, close the connection."""
    await answer(send, messages)
    if not any(name == b"expect" for name, _ in scope["headers"]):  # who asked first has sent no body
        await _linger(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _linger(receive: Receive) -> None:
    left = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return
