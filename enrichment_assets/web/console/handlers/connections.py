"""What brings leads, what tells and takes them, and what comes back: how it stands, pausing it, sending again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from enrichment_assets.domain.statuses import EventInboxStatus
from enrichment_assets.services.catalog.configuration import get_client
from enrichment_assets.services.deliveries import connections
from enrichment_assets.services.outgoing import registering as webhooks
from enrichment_assets.services.sources import table_sources
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.console.views import Redirect, Shown, View

_SHOWN = 200
_STATES = ("waiting", "arrived", "given_up", "withheld")


def show(call: Call) -> Shown:
    """A client's tables, servers and connections."""
    call.checked("said")
    client = get_client(call.hq, call.path["client"])
    context = {
        "client": client,
        "webhooks": webhooks.list_webhooks(call.hq, client=client.slug),
        "sources": table_sources.list_sources(call.hq, call.settings, client.slug),
        "events": connections.list_connections(call.hq, client=client.slug),
    }
    return View("connections.html", f"Connections of {client.slug}", context)


def switch_source(call: Call) -> Shown:
    """Take no more rows of a table, or take them again."""
    on = _on(call)
    change: Callable[..., Any] = table_sources.resume_source if on else table_sources.pause_source
    change(call.hq, call.path["source"], actor=call.known.actor, client=call.path["client"])
    return Redirect(f"/clients/{call.path['client']}/connections", "source-on" if on else "source-off")


def switch_events(call: Call) -> Shown:
    """Read nothing of what comes by a connection, or go on reading."""
    on = _on(call)
    name, client = call.path["connection"], call.path["client"]
    connections.pause_connection(call.hq, name, paused=not on, actor=call.known.actor, client=client)
    return Redirect(f"/clients/{client}/connections", "events-on" if on else "events-off")


def events(call: Call) -> Shown:
    """What came by one connection, the newest first: all of it, or what could not be read."""
    dead = "dead" in call.query
    call.checked("dead", "said")
    name, client = call.path["connection"], call.path["client"]
    status = EventInboxStatus.DEAD if dead else None
    found = connections.list_messages(call.hq, status=status, source=name, client=client, limit=call.rows(_SHOWN))
    context = {"client": client, "name": name, "found": found, "dead": dead, "most": _SHOWN}
    return View("events.html", f"What came by {name}", context)


def replay_events(call: Call) -> Shown:
    """Read again what of a connection could not be read."""
    call.checked()
    name, client = call.path["connection"], call.path["client"]
    connections.replay(call.hq, actor=call.known.actor, source=name, client=client)
    return Redirect(f"/clients/{client}/events/{name}?dead=1", "replayed")


def webhook(call: Call) -> Shown:
    """One server that is told: its messages, how often each was tried, and which were given up."""
    state = call.query.get("state") or None
    call.checked("state", "said")
    if state not in (None, *_STATES):
        raise invalid(state=f"is one of: {', '.join(_STATES)}")
    name, client = call.path["webhook"], call.path["client"]
    context = {
        "client": client,
        "webhook": webhooks.find_webhook(call.hq, name, client=client),
        "found": webhooks.list_messages(call.hq, name, state=state, limit=call.rows(_SHOWN), client=client),
        "state": state,
        "states": _STATES,
        "most": _SHOWN,
        "today": datetime.now(UTC).date(),
    }
    return View("webhook.html", f"Webhook {name}", context)


def switch_webhook(call: Call) -> Shown:
    """Send nothing more to a server, or send again."""
    on = _on(call)
    name, client, actor = call.path["webhook"], call.path["client"], call.known.actor
    change: Callable[..., Any] = webhooks.enable_webhook if on else webhooks.disable_webhook
    change(call.hq, name, actor=actor, client=client)
    return Redirect(f"/clients/{client}/webhooks/{name}", "webhook-on" if on else "webhook-off")


def send_again(call: Call) -> Shown:
    """Send again what did not arrive since a day."""
    since = call.text("since", needed=True) or ""
    call.checked("since")
    try:
        day = datetime.fromisoformat(since).replace(tzinfo=UTC)
    except ValueError:
        raise invalid(since="is no day, as 2026-11-01") from None
    name, client = call.path["webhook"], call.path["client"]
    webhooks.recover_messages(call.hq, name, day, actor=call.known.actor, client=client)
    return Redirect(f"/clients/{client}/webhooks/{name}", "sent-again")


def _on(call: Call) -> bool:
    """What a form with two buttons says. Raises the 422."""
    to = call.text("to", needed=True)
    call.checked("to")
    if to not in ("on", "off"):
        raise invalid(to="is on or off")
    return to == "on"
