"""Faults below HTTP: an answer that never comes or comes in drops, a connection that is reset in the middle of one."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct

from aiohttp import web

from enrichment_assets.sandbox.exchange import Reply

_LOOK_EVERY_SECONDS = 0.25
_PIECES = 10
_LINGER_ZERO = struct.pack("ii", 1, 0)


async def hang(request: web.BaseRequest, seconds: float) -> None:
    """Say nothing for so long (or until the client has gone), then cut the connection."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while (left := until - loop.time()) > 0 and not _is_gone(request):  # noqa: ASYNC110 - aiohttp tells nobody
        await asyncio.sleep(min(left, _LOOK_EVERY_SECONDS))
    if request.transport is not None:
        request.transport.abort()


async def drip(request: web.BaseRequest, reply: Reply, seconds: float) -> web.StreamResponse:
    """Answer at once, and send the body in pieces over so many seconds."""
    answer = web.StreamResponse(status=reply.status, headers={"content-type": reply.content_type, **reply.headers})
    await answer.prepare(request)
    size = -(-len(reply.body) // _PIECES) or 1
    for start in range(0, len(reply.body), size):
        await asyncio.sleep(seconds / _PIECES)
        await answer.write(reply.body[start : start + size])
    await answer.write_eof()
    return answer


async def reset_mid_answer(request: web.BaseRequest, reply: Reply | None) -> None:
    """Send the head and half of the body, then reset; without a reply, reset at once."""
    transport = request.transport
    if transport is None:
        return
    if reply is not None:
        head = f"HTTP/1.1 {reply.status} OK\r\ncontent-type: {reply.content_type}\r\ncontent-length: {len(reply.body)}"
        half = reply.body[: len(reply.body) // 2]
        transport.write(head.encode() + b"\r\n\r\n" + half)
        await asyncio.sleep(0.01)
    plug = transport.get_extra_info("socket")
    if plug is not None:
        with contextlib.suppress(OSError):
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    transport.abort()
    await asyncio.sleep(0)


def _is_gone(request: web.BaseRequest) -> bool:
    return request.transport is None or request.transport.is_closing()
