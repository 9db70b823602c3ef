"""The router, made of the table of routes: doors, permission, client, body, one service call, answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as StarletteRoute

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.services.access.logging_in import LoggedIn
from enrichment_assets.services.shapes.shape import plain
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.web.api.authorising import authorised
from enrichment_assets.web.api.calls import Call, body_of
from enrichment_assets.web.api.doors import DEVICE, Doors
from enrichment_assets.web.api.errors import NO_STORE, answer_of, of_a_fault, of_starlette, worded
from enrichment_assets.web.api.handlers import cookies
from enrichment_assets.web.api.openapi import document
from enrichment_assets.web.api.preconditions import Versioned, is_known, seen_by, tag
from enrichment_assets.web.api.repeating import REPEATED, answered_once
from enrichment_assets.web.api.routes import PREFIX, ROUTES, Route, Whoever
from enrichment_assets.web.console.received import received
from enrichment_assets.web.origin_guard import OriginGuard


def build_api(hq: Hq, settings: Settings, origins: list[str]) -> OriginGuard:
    """The API behind its guard, which answers under these origins only; `hq` is closed when it stops.

    Raises:
        ConfigurationError: A trusted proxy, or the session secret, is none.
        ValueError: An origin is none.
    """
    doors = Doors(hq, settings)

    @asynccontextmanager
    async def life(_app: Starlette) -> AsyncIterator[None]:
        yield
        hq.close()

    app = Starlette(
        routes=api_routes(hq, settings, doors),
        exception_handlers={HTTPException: of_starlette, Exception: of_a_fault},
        lifespan=life,
    )
    app.router.redirect_slashes = False
    return OriginGuard(app, [*origins, *settings.ui_origins])


def api_routes(hq: Hq, settings: Settings, doors: Doors) -> list[StarletteRoute]:
    """A route for each row of the table."""
    served = [
        StarletteRoute(route.address, _endpoint(route, doors, hq, settings), methods=[route.method]) for route in ROUTES
    ]
    return [StarletteRoute(f"{PREFIX}/openapi.json", _openapi, methods=["GET"]), *served]


async def _openapi(_request: Request) -> Response:
    """What there is, for programs: it says nothing of any client."""
    return JSONResponse(document(ROUTES), headers={"cache-control": "no-cache"})


def _endpoint(route: Route, doors: Doors, hq: Hq, settings: Settings) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            if route.takes_file:
                call = await run_in_threadpool(_admitted, route, doors, hq, settings, request, {})
                async with received(request, settings, takes_file=True) as call.body:
                    return await run_in_threadpool(_answered, route, doors, request, call)
            body = await body_of(request)
            return await run_in_threadpool(_admitted_and_answered, route, doors, hq, settings, request, body)
        except EnrichError as error:
            return answer_of(error)

    return endpoint


def _admitted_and_answered(
    route: Route, doors: Doors, hq: Hq, settings: Settings, request: Request, body: dict[str, Any]
) -> Response:
    return _answered(route, doors, request, _admitted(route, doors, hq, settings, request, body))


def _admitted(route: Route, doors: Doors, hq: Hq, settings: Settings, request: Request, body: dict[str, Any]) -> Call:
    """The request as its handler sees it. Raises `EnrichError`: nothing of the service was called then."""
    if route.needs is Whoever.ANYBODY:
        doors.admit_stranger(request)
        caller = None
    else:
        caller = doors.admit(request)
    call = Call(
        hq,
        settings,
        doors.signing,
        caller,
        doors.address(request),
        request.cookies.get(DEVICE, ""),
        request.path_params,
        request.query_params,
        body,
    )
    if caller is not None:
        call.client = authorised(route.needs, route.client, caller, call)
    if route.is_versioned and route.method == "POST":
        call.seen = seen_by(request)
    return call


def _answered(route: Route, doors: Doors, request: Request, call: Call) -> Response:
    """The answer of a route. Raises `EnrichError`: the service refused."""
    made: Any = None

    def work() -> Any:
        nonlocal made
        made = route.handler(call)
        if isinstance(made, LoggedIn):
            return {"login": made.login}
        return plain(made.shown if isinstance(made, Versioned) else made, worded)

    shown, is_repeated = answered_once(call.hq, request, call.caller, route.address, call.body, work)
    headers = {**NO_STORE, **({} if call.caller is None else doors.pace_of(call.caller))}
    if is_repeated:
        headers[REPEATED] = "true"
    if isinstance(made, Versioned):
        headers["etag"] = tag(made.version)
        if route.method == "GET" and is_known(request, made.version):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    response = JSONResponse(shown, route.status, headers=headers)
    cookies(route.handler, request, response, made)
    return response
