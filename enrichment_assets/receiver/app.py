"""The receiver as an ASGI application: callbacks, events, links to unsubscribe, `GET /health` and `GET /ready`.

What belongs here: putting the parts together, and their life from start to stop. Starlette serves the rare paths; a
callback goes straight to its endpoint, past routing and middleware it has no use for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from enrichment_assets.domain.mail.opt_out import PATH
from enrichment_assets.installation.databases import locate_external, open_databases
from enrichment_assets.receiver.endpoint import EVENTS, PREFIX, CallbackEndpoint, EventEndpoint
from enrichment_assets.receiver.limits import ReceiverLimits
from enrichment_assets.receiver.opting_out import KeptOptOuts, OptOutEndpoint
from enrichment_assets.receiver.paces import Paces
from enrichment_assets.receiver.writer import Connect, InboxWriter, Sink
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import AsyncConnection, connect_async


class ReceiverApp(Starlette):
    """Starlette with a short way to the endpoints whose paths hold a token."""

    def __init__(
        self, sink: Sink, opt_outs: KeptOptOuts, limits: ReceiverLimits, trusted_proxies: tuple[str, ...] = ()
    ) -> None:
        @asynccontextmanager
        async def life(app: Starlette) -> AsyncIterator[None]:
            await sink.start()
            try:
                yield
            finally:  # the server has let every request finish by now
                await sink.stop()
                opt_outs.close()

        async def ready(request: Request) -> JSONResponse:
            stores = await sink.probe()
            return JSONResponse({"status": "ready" if stores else "database away"}, 200 if stores else 503)

        super().__init__(routes=[Route("/health", _health), Route("/ready", ready)], lifespan=life)
        paces = Paces(limits, trusted_proxies)
        self._endpoints: dict[str, ASGIApp] = {
            PREFIX: CallbackEndpoint(sink, limits, paces),
            EVENTS: EventEndpoint(sink, limits, paces),
            PATH: OptOutEndpoint(opt_outs, limits, paces),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what has a token to its endpoint and everything else through Starlette."""
        if scope["type"] == "http":
            for prefix, endpoint in self._endpoints.items():
                if scope["path"].startswith(prefix):
                    await endpoint(scope, receive, send)
                    return
        await super().__call__(scope, receive, send)


def build_app(settings: Settings, limits: ReceiverLimits | None = None) -> Starlette:
    """The receiver over the HQ database of `settings`. Starts, and answers 503, when that database is away.

    Raises `ConfigurationError` for a database URL, a limit or a trusted proxy that cannot be read.
    """
    if settings.hq_database_url is not None:
        locate_external(settings)
    limits = limits or ReceiverLimits.from_environment()
    writer = InboxWriter(_hq_connector(settings, limits.statement_seconds), limits)
    return ReceiverApp(writer, KeptOptOuts(settings), limits, settings.trusted_proxies)


def _hq_connector(settings: Settings, statement_seconds: float) -> Connect:
    """How a writer connects: the first time the databases are opened (and migrated), later they are only joined."""
    url: str | None = None
    opening = asyncio.Lock()

    async def connect() -> AsyncConnection:
        nonlocal url
        async with opening:
            if url is None:
                url = (await asyncio.to_thread(open_databases, settings)).hq
        # The server ends a statement that takes long: what takes longer is a line that went silent.
        return await connect_async(url, autocommit=True, patience=statement_seconds + 1)

    return connect


async def _health(request: Request) -> JSONResponse:
    return JSONResponse({"status": "up"})
