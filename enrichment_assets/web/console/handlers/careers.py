"""Careers: who worked at an organisation, who moved to another, whose job changed; and what an organisation is."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from typing import Any

from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.services.insight import organisation_decisions, work_history
from enrichment_assets.services.insight.organisations import get_organisation
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.console.handlers.entering import own_path
from enrichment_assets.web.console.views import Redirect, Shown, View

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
    """One organisation: how it is named, why these names are one, and what people said about that."""
    call.checked("said")
    found = get_organisation(call.hq, call.settings, call.path["organisation"], client=call.client)
    keys = {one.key for one in found.aliases}
    decisions = [
        one
        for one in organisation_decisions.list_decisions(call.hq, found.client)
        if {one.alias_key, one.other_key} & keys
    ]
    return View("organisation.html", found.name, {"found": found, "decisions": decisions})


def decide(call: Call) -> Shown:
    """Join an organisation with another, let an alias of it stand alone, or take such a word back."""
    action, back = call.text("action", needed=True), own_path(call.text("back") or "/careers")
    alias, other, reason = (call.text(name) or "" for name in ("alias", "other", "reason"))
    decision = call.text("decision") or ""
    call.checked("action", "back", "alias", "other", "reason", "decision")
    hq, client, actor = call.hq, call.path["client"], call.known.actor
    if action == "join":
        organisation_decisions.join(hq, client, alias, other, reason, actor=actor)
    elif action == "part":
        organisation_decisions.part(hq, client, alias, reason, actor=actor)
    elif action == "undo" and decision.isascii() and decision.isdecimal() and len(decision) < 19:
        organisation_decisions.undo(hq, client, int(decision), actor=actor)
    else:
        raise invalid(action="is join, part, or undo of a decision")
    return Redirect(back, "organisation-decided")


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
