"""What runs by itself, and what people are told of: connections of all clients, schedules and sensors, alerts."""

from __future__ import annotations

from enrichment_assets.domain.alerts.kinds import KINDS, read_kind, read_threshold
from enrichment_assets.domain.alerts.notices import ChannelKind
from enrichment_assets.domain.alerts.quiet import QuietHours
from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.services.alerts import ruling
from enrichment_assets.services.catalog.configuration import list_clients
from enrichment_assets.services.deliveries.connections import list_connections
from enrichment_assets.services.operations.automations import SCHEDULE, SENSOR, list_automations, switch
from enrichment_assets.services.outgoing.registering import list_webhooks
from enrichment_assets.services.shapes.alerts import AlertChannel, AlertIncident, AlertRule
from enrichment_assets.services.sources.table_sources import list_sources
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.console.views import Redirect, Shown, View
from enrichment_assets.wire.channels import Address

_SHOWN = 200


def show(call: Call) -> Shown:
    """Where everything else is, and how what brings and takes leads stands, of a client or of all."""
    call.checked("said")
    context = {
        "client": call.client,
        "webhooks": list_webhooks(call.hq, client=call.client),
        "sources": list_sources(call.hq, call.settings, call.client),
        "events": list_connections(call.hq, client=call.client),
    }
    return View("operations.html", "Operations", context)


def automations(call: Call) -> Shown:
    """Dagster's schedules and sensors: which are on, and when each looks next."""
    call.checked("said")
    try:
        found, trouble = list_automations(call.settings), None
    except InfrastructureError as error:
        found, trouble = [], error.what
    return View("automations.html", "Schedules and sensors", {"found": found, "trouble": trouble})


def switch_automation(call: Call) -> Shown:
    """Switch one on or off."""
    to, kind = call.text("to", needed=True), call.path["kind"]
    call.checked("to")
    if to not in ("on", "off") or kind not in (SCHEDULE, SENSOR):
        raise invalid(to="is on or off, of a schedule or a sensor")
    switch(call.hq, call.settings, kind, call.path["name"], on=to == "on", actor=call.known.actor)
    return Redirect("/automations", "automation-on" if to == "on" else "automation-off")


def alerts(call: Call) -> Shown:
    """What came to pass, of a client or of all; for who sees all, also what is watched and where it is told."""
    only_open = "open" in call.query
    call.checked("open", "said")
    found = ruling.list_incidents(call.hq, client=call.client, limit=call.rows(_SHOWN), only_open=only_open)
    rules, off = ruling.list_rules(call.hq)
    context = {
        "client": call.client,
        "only_open": only_open,
        "incidents": [AlertIncident.of(one) for one in found],
        "rules": [*map(AlertRule.of, rules), *map(AlertRule.off, off)],
        "channels": [AlertChannel.of(one) for one in ruling.list_channels(call.hq)],
        "kinds": KINDS,
        "channel_kinds": list(ChannelKind),
        "clients": list_clients(call.hq),
    }
    return View("alerts.html", "Alerts", context)


def add_alert(call: Call) -> Shown:
    """Watch something, and tell it to a channel."""
    kind, threshold = call.text("kind", needed=True) or "", call.text("threshold") or None
    channel, variable = call.text("channel", needed=True) or "", call.text("variable", needed=True) or ""
    client, quiet, zone = call.text("of") or None, call.text("quiet") or None, call.text("zone") or "UTC"
    call.checked("kind", "threshold", "channel", "variable", "of", "quiet", "zone")
    watched = read_kind(kind)
    hours = None if quiet is None else QuietHours.parse(quiet, zone)
    address = Address.parse(f"{channel}:{variable.strip()}")
    wanted = ruling.Wanted(watched, read_threshold(watched, threshold), address, client, hours)
    ruling.add(call.hq, [wanted], actor=call.known.actor)
    return Redirect("/alerts", "alert-added")


def remove_alert(call: Call) -> Shown:
    """Watch something no more."""
    rule = call.path_number("rule")
    call.checked()
    ruling.remove(call.hq, rule, actor=call.known.actor)
    return Redirect("/alerts", "alert-removed")
