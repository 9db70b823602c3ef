"""Running the receiver: uvicorn on httptools and uvloop, with the bounds that uvicorn itself does not have.

What belongs here: the protocol's limits on slow and huge request heads, the server's settings, the line that says
where it listens.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from enrichment_assets.collector import rare_collections
from enrichment_assets.receiver.limits import ReceiverLimits
from enrichment_assets.receiver.log_lines import bound_log_lines

READY_PREFIX = "receiver listens on "

_PIECE = 16 * 1024
"""Bytes fed to the parser at a time: of several requests in one packet, a head is blamed for so many at most."""

_HEAD_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with a clock and a size on every request head (uvicorn bounds only idle keep-alive)."""

    limits = ReceiverLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_open = True
        self._head_bytes = 0
        self._piece = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock: a connection that says nothing is as slow as one that says it byte by byte."""
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser no more of a head than its bound at a time: what is too large is never handed over."""
        view = memoryview(data)
        while view and not self.transport.is_closing():
            room = self.limits.head_bytes - (self._head_bytes if self._head_open else 0)
            if room <= 0:
                self.transport.write(_HEAD_TOO_LARGE)
                self.transport.close()
                return
            size = min(room, _PIECE)
            piece, view = bytes(view[:size]), view[size:]
            self._head_bytes += len(piece)
            self._piece = len(piece)
            super().data_received(piece)
        if self._head_open and self._head_timer is None and not self.transport.is_closing():
            self._start_clock()

    def on_message_begin(self) -> None:
        """A head opens, somewhere in the piece that is being fed: all of that counts."""
        self._head_open = True
        self._head_bytes = self._piece
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._head_open = False
        self._stop_clock()
        super().on_headers_complete()

    def _start_clock(self) -> None:
        self._head_timer = self.loop.call_later(self.limits.head_seconds, self.transport.close)

    def _stop_clock(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class ReceiverServer(uvicorn.Server):
    """A uvicorn server that prints one line when it listens."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say where; with port 0 this is how the port becomes known."""
        await super().startup(sockets)
        host, port = self.servers[0].sockets[0].getsockname()[:2]
        address = f"[{host}]" if ":" in host else host
        sys.stdout.write(f"{READY_PREFIX}http://{address}:{port}\n")
        sys.stdout.flush()


def serve(app: ASGIApp, host: str, port: int, limits: ReceiverLimits) -> None:
    """Serve until SIGTERM or SIGINT; requests in flight are finished within `limits.shutdown_seconds`.

    The access log is off: a callback's path is a capability.
    """
    protocol = type("LimitedProtocol", (BoundedProtocol,), {"limits": limits})
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=protocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        limit_concurrency=limits.max_connections,
        timeout_keep_alive=int(limits.idle_seconds),
        timeout_graceful_shutdown=int(limits.shutdown_seconds),
        backlog=2048,
    )
    bound_log_lines()
    with rare_collections():
        ReceiverServer(config).run()
