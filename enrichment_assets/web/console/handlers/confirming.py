"""What an assistant wants done, for a person to confirm."""

from __future__ import annotations

from enrichment_assets.services.access.confirming import CONFIRMED_MINUTES, NEEDS, Ask, confirm, read_ask
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import forbidden
from enrichment_assets.web.console.views import Shown, View


def show(call: Call) -> Shown:
    """What is asked."""
    text = call.query.get("ask") or ""
    call.checked("ask", "said")
    return _page(_asked(call, text), text, None)


def give(call: Call) -> Shown:
    """A person's word for it, which is shown once."""
    text = str(call.body.get("ask") or "")
    call.body = {}
    call.checked()
    ask = _asked(call, text)
    return _page(ask, text, confirm(call.signing, ask, call.known.actor.name))


def _asked(call: Call, text: str) -> Ask:
    """The ask, where this person may have it done. Raises `ConfigurationError`, and the 403."""
    ask = read_ask(call.signing, text)
    needed = NEEDS[ask.action]
    if not call.known.may(needed, ask.client):
        raise forbidden(needed.value)
    return ask


def _page(ask: Ask, text: str, confirmation: str | None) -> View:
    context = {"ask": ask, "text": text, "confirmation": confirmation, "minutes": CONFIRMED_MINUTES}
    return View("confirm.html", "Confirm", context)
