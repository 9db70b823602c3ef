"""The console and the API in one application: the same doors, the same users, one origin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.web.api.app import api_routes
from enrichment_assets.web.api.doors import Doors
from enrichment_assets.web.api.errors import of_a_fault, of_starlette
from enrichment_assets.web.api.routes import ALIASES
from enrichment_assets.web.console.rendering import HEADERS, STATIC, frame, rendered
from enrichment_assets.web.console.router import console_routes
from enrichment_assets.web.cross_origin import CrossOrigin
from enrichment_assets.web.origin_guard import OriginGuard


def build_site(hq: Hq, settings: Settings, origins: list[str], *, is_open: bool = False, workers: int = 1) -> ASGIApp:
    """All of it behind its guard, which answers under these origins only; `hq` is closed when it stops.

    `is_open`: nobody has to log in, for development; then no other origin than those on loopback is answered.
    `workers`: processes that serve it together.

    Raises:
        ConfigurationError: A trusted proxy, or the session secret, is none.
        ValueError: An origin is none.
    """
    doors = Doors(hq, settings, is_open=is_open, workers=workers)

    @asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        yield
        hq.close()

    app = Starlette(
        routes=[
            Route("/health", _health, methods=["GET"]),
            *api_routes(hq, settings, doors),
            *console_routes(hq, settings, doors),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        exception_handlers={HTTPException: _of_starlette, Exception: _of_a_fault},
        lifespan=life,
    )
    app.router.redirect_slashes = False
    guarded = OriginGuard(app, origins if is_open else [*origins, *settings.ui_origins], forms=True)
    return guarded if is_open else CrossOrigin(guarded, settings.api_origins)


async def _health(_request: Request) -> Response:
    return Response("ok", media_type="text/plain")


async def _of_starlette(request: Request, error: Exception) -> Response:
    if request.url.path.startswith(f"{ALIASES}/"):
        return await of_starlette(request, error)
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _plain_page(status, "There is no such page." if status == 404 else "This page is not asked for in that way.")


async def _of_a_fault(request: Request, error: Exception) -> Response:
    if request.url.path.startswith(f"{ALIASES}/"):
        return await of_a_fault(request, error)
    return _plain_page(500, "The server failed; nothing is known to have changed. Its log says why.")


def _plain_page(status: int, what: str) -> Response:
    """A page for what no page is there for: it says nothing of whoever asks."""
    context: dict[str, Any] = {**frame(None, "", None), "title": "Not here", "what": what}
    return HTMLResponse(rendered("plain.html", context), status, headers=dict(HEADERS))
