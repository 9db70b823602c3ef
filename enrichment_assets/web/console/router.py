"""The router of the console, made of the table of pages: doors, permission, client, form, one handler, a page."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route as StarletteRoute

from enrichment_assets.domain.access import Caller
from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.web.api.authorising import authorised
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.doors import DEVICE, Doors, forget_session, keep_session
from enrichment_assets.web.api.errors import ApiError, status_of
from enrichment_assets.web.api.routes import Whoever
from enrichment_assets.web.console.live import Feeds
from enrichment_assets.web.console.pages import PAGES, Page
from enrichment_assets.web.console.received import received
from enrichment_assets.web.console.rendering import HEADERS, frame, rendered
from enrichment_assets.web.console.tables import PARAMETER, table_as_csv, with_links
from enrichment_assets.web.console.views import Download, Live, Redirect, Shown, View


@dataclass(slots=True)
class _Visit:
    """One request, and who turned out to make it."""

    request: Request
    caller: Caller | None = None

    @property
    def path(self) -> str:
        """The path with what stands behind it."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")


def console_routes(hq: Hq, settings: Settings, doors: Doors) -> list[StarletteRoute]:
    """A route for each page."""
    feeds = Feeds()
    return [
        StarletteRoute(page.path, _endpoint(page, hq, settings, doors, feeds), methods=[page.method]) for page in PAGES
    ]


def _endpoint(
    page: Page, hq: Hq, settings: Settings, doors: Doors, feeds: Feeds
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        visit = _Visit(request)
        try:
            call = await run_in_threadpool(_admitted, page, hq, settings, doors, visit)
            async with received(request, settings, takes_file=page.takes_file) as body:
                call.body = body
                shown = await run_in_threadpool(page.handler, call)
            if isinstance(shown, View) and call.table is not None:
                return await run_in_threadpool(_table, visit, shown, call.table)
        except EnrichError as error:
            return await run_in_threadpool(_refused, visit, error)
        if isinstance(shown, Live):
            headers = {**HEADERS, "x-accel-buffering": "no"}
            return StreamingResponse(feeds.stream(shown), headers=headers, media_type="text/event-stream")
        return await run_in_threadpool(_response, visit, shown)

    return endpoint


def _admitted(page: Page, hq: Hq, settings: Settings, doors: Doors, visit: _Visit) -> Call:
    """The request as its handler sees it, still without what was sent. Raises `EnrichError`: nothing was read then."""
    request = visit.request
    if page.needs is Whoever.ANYBODY:
        doors.admit_stranger(request)
    else:
        visit.caller = doors.admit(request)
    call = Call(
        hq,
        settings,
        doors.signing,
        visit.caller,
        doors.address(request),
        request.cookies.get(DEVICE, ""),
        request.path_params,
        _query(request) if page.method == "GET" or page.takes_file else {},  # a form goes to its page's address
        {},
        table=request.query_params.get(PARAMETER) if page.method == "GET" else None,
    )
    if visit.caller is not None:
        call.client = authorised(page.needs, page.client, visit.caller, call)
    return call


def _query(request: Request) -> Mapping[str, str]:
    """What stands behind the path, but for what names a table of the page."""
    return {name: value for name, value in request.query_params.items() if name != PARAMETER}


def _table(visit: _Visit, shown: View, name: str) -> Response:
    """A table of a page as CSV. Raises `NotFoundError`: it has none of that name."""
    context = {**_frame(visit), "title": shown.title, **shown.context}
    written = table_as_csv(rendered(shown.template, context, as_data=True), name)
    known = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{shown.title}-{name}").strip("-")
    headers = {**HEADERS, "content-disposition": f'attachment; filename="{known}.csv"'}
    return Response(written, headers=headers, media_type="text/csv; charset=utf-8")


def _response(visit: _Visit, shown: Shown) -> Response:
    match shown:
        case View():
            context = {**_frame(visit), "title": shown.title, **shown.context}
            page = rendered(shown.template, context)
            query = visit.request.query_params
            shows = with_links(page, query) if visit.request.method == "GET" else page  # a form's answer has no address
            return HTMLResponse(shows, shown.status, headers=dict(HEADERS))
        case Redirect():
            joined = "&" if "?" in shown.to else "?"
            to = shown.to if shown.said is None else f"{shown.to}{joined}said={shown.said}"
            response: Response = RedirectResponse(to, HTTPStatus.SEE_OTHER, headers=dict(HEADERS))
            if shown.let_in is not None:
                keep_session(visit.request, response, shown.let_in)
            if shown.is_leaving:
                forget_session(response)
            return response
        case Download():
            return FileResponse(
                shown.path,
                headers=dict(HEADERS),
                media_type=shown.media_type,
                filename=shown.name,
                background=BackgroundTask(shown.path.unlink, missing_ok=True),
            )
        case _:
            raise TypeError(shown)


def _refused(visit: _Visit, error: EnrichError) -> Response:
    """The page that says why not; who is not known is asked who they are, at the same address."""
    status = status_of(error)
    if status is HTTPStatus.UNAUTHORIZED and visit.caller is None and visit.request.method == "GET":
        to = visit.path
        return _response(visit, View("login.html", "Log in", {"to": to, "error": None, "login": ""}, status))
    context = {
        "error": error,
        "status": int(status),
        "hint": error.hint if isinstance(error, ApiError) else None,
        "fields": error.fields if isinstance(error, ApiError) else {},
        "back": _back(visit.request),
        "clients": _to_choose(visit, error),
    }
    return _response(visit, View("error.html", status.phrase, context, status))


def _to_choose(visit: _Visit, error: EnrichError) -> list[str]:
    """The clients of whom one has to be named."""
    if error.code != "request.client_missing" or visit.caller is None:
        return []
    return sorted(visit.caller.clients() or ())


def _back(request: Request) -> str:
    """The page of ours that somebody comes from; else the first one."""
    came = urlsplit(request.headers.get("referer", ""))
    if came.netloc != request.headers.get("host") or not came.path.startswith("/") or came.path.startswith("//"):
        return "/"
    return came.path + (f"?{came.query}" if came.query else "")


def _frame(visit: _Visit) -> Mapping[str, Any]:
    return frame(visit.caller, visit.path, visit.request.query_params.get("said"))
