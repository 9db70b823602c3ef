"""Whom nobody is asked about and nothing is sent to: of one client, or of all."""

from __future__ import annotations

from enrichment_assets.domain.suppression import read_identity
from enrichment_assets.services.people.suppressing import Terms, is_suppressed, lift, list_suppressed, suppress
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.console.views import Redirect, Shown, View

_SHOWN = 500
_MOST_DAYS = 36_500


def show(call: Call) -> Shown:
    """The newest: masked, for who looks need not learn whom."""
    call.checked("said")
    return _page(call)


def add(call: Call) -> Shown:
    """From now on nobody is asked about them, in no batch and by no retry."""
    whom, reason = call.text("whom", needed=True) or "", call.text("reason", needed=True) or ""
    days = call.text("days") or None
    call.checked("whom", "reason", "days")
    if days is not None and not (days.isascii() and days.isdecimal() and 1 <= int(days[:6]) <= _MOST_DAYS):
        raise invalid(days=f"is a number of days, from 1 to {_MOST_DAYS:,}; or empty: for good")
    terms = Terms(reason, call.path.get("client"), None if days is None else int(days))
    suppress(call.hq, call.settings, read_identity(whom.strip()), terms, actor=call.known.actor)
    return Redirect(_place(call), "suppressed")


def check(call: Call) -> Shown:
    """Whether somebody is kept out, and why."""
    whom = call.text("whom", needed=True) or ""
    call.checked("whom")
    found = is_suppressed(call.hq, call.settings, read_identity(whom.strip()), client=call.path.get("client"))
    return _page(call, whom=whom.strip(), named=found)


def remove(call: Call) -> Shown:
    """Let somebody be asked about again, who was kept out here."""
    whom = call.text("whom", needed=True) or ""
    call.checked("whom")
    identity, client = read_identity(whom.strip()), call.path.get("client")
    lift(call.hq, call.settings, identity, client=client, everywhere=False, actor=call.known.actor)
    return Redirect(_place(call), "lifted")


def _page(call: Call, **asked: object) -> View:
    client = call.path.get("client")
    found = list_suppressed(call.hq, call.settings, client=client, limit=call.rows(_SHOWN))
    context = {"client": client, "place": _place(call), "found": found, "most": _SHOWN, "whom": None, "named": []}
    title = "Kept out for all clients" if client is None else f"Kept out for {client}"
    return View("suppressions.html", title, context | asked)


def _place(call: Call) -> str:
    client = call.path.get("client")
    return "/suppressions" if client is None else f"/clients/{client}/suppressions"
