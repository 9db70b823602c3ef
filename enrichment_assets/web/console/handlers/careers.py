"""Careers: who worked at an organisation, who moved to another, whose job changed; and what an organisation is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any

from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.services.insight import work_history
from enrichment_assets.services.insight.organisations import get_organisation
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.console.views import Shown, View

_LATELY = 90


def worked_at(call: Call) -> Shown:
    """Who worked at an organisation that was named, and as what it was understood; on a day, or at any time."""
    day = _day(call, "on")
    call.checked("organisation", "exact", "on", "said")
    organisation, exact = call.query.get("organisation", "").strip(), "exact" in call.query
    asked = {"organisation": organisation, "exact": exact, "on": day}
    found: Any = None
    try:
        if organisation:
            found = work_history.worked_at(
                call.hq, call.settings, organisation, exact=exact, on=day, client=call.client
            )
    except NotFoundError as error:
        return _page(call, "worked-at", "Everyone who worked at", None, asked, error)
    return _page(call, "worked-at", "Everyone who worked at", found, asked)


def moves(call: Call) -> Shown:
    """Who went from one organisation to another."""
    call.checked("from", "to", "said")
    left, joined = call.query.get("from", "").strip(), call.query.get("to", "").strip()
    title, asked = "Who moved from one to another", {"from": left, "to": joined}
    found: Any = None
    try:
        if left and joined:
            found = work_history.moves(call.hq, call.settings, left, joined, client=call.client)
    except NotFoundError as error:
        return _page(call, "moves", title, None, asked, error)
    return _page(call, "moves", title, found, asked)


def changes(call: Call) -> Shown:
    """Leads who began a job at another organisation since a day."""
    since = _day(call, "since")
    call.checked("since", "said")
    shown = since or datetime.now(UTC).date() - timedelta(days=_LATELY)
    found = work_history.job_changes(call.hq, call.settings, shown, client=call.client)
    return _page(call, "changes", "Job changes", found, {"since": shown})


def organisation(call: Call) -> Shown:
    """One organisation: how it is named, and why these names are one."""
    call.checked("said")
    found = get_organisation(call.hq, call.settings, call.path["organisation"], client=call.client)
    return View("organisation.html", found.name, {"found": found})


def _page(
    call: Call, which: str, title: str, found: Any, asked: dict[str, Any], error: NotFoundError | None = None
) -> View:
    """The form as it was filled in, with what was found, or that nothing has that name: another can be tried."""
    context = {"which": which, "found": found, "asked": asked, "client": call.client, "error": error}
    return View("careers.html", title, context, HTTPStatus.OK if error is None else HTTPStatus.NOT_FOUND)


def _day(call: Call, name: str) -> date | None:
    """A day behind the path. Raises the 422."""
    text = call.query.get(name) or None
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise invalid(**{name: "is no day, as 2026-11-01"}) from None
