"""Dashboards: charts over the batches of a client or of all, by batch and time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from enrichment_assets.domain.access import Permission
from enrichment_assets.services.insight.dashboards.asking import dashboard
from enrichment_assets.services.insight.dashboards.panels import Choice
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.console.views import Shown, View

_DAYS = (7, 30, 90, 365)


def show(call: Call) -> Shown:
    """All charts, each with its table."""
    since, until = _day(call, "since"), _day(call, "until")
    batch = call.query.get("batch") or None
    call.checked("since", "until", "batch", "said")
    behind = None if until is None else until + timedelta(days=1)
    choice = Choice(call.client, batch, since, behind)
    sees = call.known.may(Permission.PULLS_READ, call.client)
    today = datetime.now(UTC).date()
    context = {
        "panels": dashboard(call.hq, call.settings, choice, with_campaigns=sees),
        "client": call.client,
        "batch": batch,
        "since": None if since is None else since.date(),
        "until": None if until is None else until.date(),
        "spans": [(days, today - timedelta(days=days - 1)) for days in _DAYS],
    }
    return View("dashboards.html", "Dashboards", context)


def _day(call: Call, name: str) -> datetime | None:
    """A day behind the path, from its beginning in UTC. Raises the 422."""
    text = call.query.get(name) or None
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise invalid(**{name: "is no day, as 2026-11-01"}) from None
