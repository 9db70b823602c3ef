"""Running the sandbox: in the current event loop (`running_sandbox`) or as the whole process (`serve`)."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import uvloop
from aiohttp import web

from enrichment_assets.sandbox.admin import PREFIX, handle_admin
from enrichment_assets.sandbox.server import SandboxServer
from enrichment_assets.sandbox.settings import SandboxSettings

HIGHEST_REQUEST_BYTES = 16 * 1024 * 1024
SHUTDOWN_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Running:
    """A sandbox that answers at `url`, for example `http://127.0.0.1:8720`."""

    url: str
    server: SandboxServer


@contextlib.asynccontextmanager
async def running_sandbox(
    settings: SandboxSettings | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Running]:
    """Serve in the current event loop until the block ends; port 0 takes a free one."""
    server = SandboxServer(settings or SandboxSettings())

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith(PREFIX):
            return await handle_admin(server, request)
        return await server.handle(request)

    def large_request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        loop = asyncio.get_running_loop()
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=HIGHEST_REQUEST_BYTES)

    low_level = web.Server(handler, request_factory=large_request, access_log=None)
    runner = web.ServerRunner(low_level, shutdown_timeout=SHUTDOWN_SECONDS)
    await server.callbacks.start()
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=4096)
        await site.start()
        bound = runner.addresses[0]
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        yield Running(f"http://{shown}:{bound[1]}", server)
    finally:
        await runner.cleanup()
        await server.callbacks.stop()


def serve(
    settings: SandboxSettings,
    host: str = "127.0.0.1",
    port: int = 8720,
    *,
    when_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve on uvloop until SIGINT or SIGTERM; `when_ready` is called with the address.

    Raises `OSError` when the address cannot be bound.
    """
    uvloop.run(_serve(settings, host, port, when_ready))


async def _serve(settings: SandboxSettings, host: str, port: int, when_ready: Callable[[str], None] | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running_sandbox(settings, host=host, port=port) as running:
        if when_ready is not None:
            when_ready(running.url)
        await stop.wait()
