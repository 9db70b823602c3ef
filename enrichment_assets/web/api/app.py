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

from enrichment_assets.domain.access import Caller
from enrichment_assets.domain.errors import EnrichError, NotFoundError
from enrichment_assets.services.access.logging_in import LoggedIn
from enrichment_assets.services.batches.status import batch_row
from enrichment_assets.services.catalog.configuration import get_client
from enrichment_assets.services.shapes.shape import plain
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.web.api.calls import Call, body_of
from enrichment_assets.web.api.doors import DEVICE, Doors
from enrichment_assets.web.api.errors import (
    NO_STORE,
    ApiError,
    answer_of,
    forbidden,
    of_a_fault,
    of_starlette,
    worded,
)
from enrichment_assets.web.api.handlers import cookies
from enrichment_assets.web.api.routes import ROUTES, ClientBy, Route, Whoever
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
        routes=[
            StarletteRoute(route.address, _endpoint(route, doors, hq, settings), methods=[route.method])
            for route in ROUTES
        ],
        exception_handlers={HTTPException: of_starlette, Exception: of_a_fault},
        lifespan=life,
    )
    app.router.redirect_slashes = False
    return OriginGuard(app, [*origins, *settings.ui_origins])


def _endpoint(route: Route, doors: Doors, hq: Hq, settings: Settings) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            body = await body_of(request)
            return await run_in_threadpool(_answered, route, doors, hq, settings, request, body)
        except EnrichError as error:
            return answer_of(error)

    return endpoint


def _answered(
    route: Route, doors: Doors, hq: Hq, settings: Settings, request: Request, body: dict[str, Any]
) -> Response:
    """The answer of a route. Raises `EnrichError`; nothing of the service was called then, or the service refused."""
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
        call.client = _authorised(route, caller, call)
    made = route.handler(call)
    shown = {"login": made.login} if isinstance(made, LoggedIn) else plain(made, worded)
    response = JSONResponse(shown, headers=NO_STORE)
    cookies(route.handler, request, response, made)
    return response


def _authorised(route: Route, caller: Caller, call: Call) -> str | None:
    """The client whom a request concerns. Raises where the caller does not see it, or may not."""
    if isinstance(route.needs, Whoever):
        return None
    client = None
    if route.client is ClientBy.BATCH:
        client = _client_of_batch(call.hq, caller, call.path["batch"])
    elif route.client is ClientBy.QUERY:
        client = call.query.get("client")
        if client is None and not caller.may(route.needs, None):
            client = _only_client(route, caller)
        elif client is not None:
            _see_client(call.hq, caller, client)
    if not caller.may(route.needs, client):
        raise forbidden(route.needs.value)
    return client


def _only_client(route: Route, caller: Caller) -> str:
    assert not isinstance(route.needs, Whoever)  # noqa: S101 - those have no client
    only = caller.only_client(route.needs)
    if only is not None:
        return only
    if not any(route.needs in grant.permissions for grant in caller.grants):
        raise forbidden(route.needs.value)
    raise ApiError(
        "say which client",
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        code="request.client_missing",
        hint=f"one of: {', '.join(sorted(caller.clients() or ()))}",
        fields={"client": "is missing"},
    )


def _client_of_batch(hq: Hq, caller: Caller, batch: str) -> str:
    """The batch's client, where the caller sees it; else the batch is not there, whether it is or not."""
    try:
        client = None if "\x00" in batch else batch_row(hq, batch).client
    except NotFoundError:
        client = None
    if client is None or not caller.sees(client):
        raise NotFoundError(f"there is no batch {batch[:200]!r}", code="batch.not_found") from None
    return client


def _see_client(hq: Hq, caller: Caller, client: str) -> None:
    try:
        found = get_client(hq, client).slug if "\x00" not in client and caller.sees(client) else None
    except NotFoundError:
        found = None
    if found is None:
        raise NotFoundError(f"there is no client {client[:200]!r}", code="client.not_found") from None
