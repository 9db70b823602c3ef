"""`enrich instantly report --html`: one page about a client's outreach. Everything is in the file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.insight import report_charts as charts
from enrichment_assets.services.insight.html_report import AMBER, BLUE, GREEN, GREY, RED, TEMPLATES, counted
from enrichment_assets.services.insight.target_files import checked_target, note_written
from enrichment_assets.services.pulls.figures import Rows, figures
from enrichment_assets.store.hq import Hq
from enrichment_assets.warehouse.files import put_in_place

DAYS_SHOWN = 20
ACCOUNTS_SHOWN = 50
_SUMMED = ("contacted", "sent", "replied", "replied_automatically", "bounced", "opportunities")
_HEALTH = {"bad": RED, "watch": AMBER, "good": GREEN, "paused": GREY, None: GREY}


def write_report(hq: Hq, client: str, target: Path) -> None:
    """Write the page about a client; it takes its place whole, and where it is, is noted.

    Raises:
        NotFoundError: There is no such client.
        EnrichError: The file cannot be where it was asked for.
    """
    path = checked_target(target)
    page = render_report(hq, client)
    with put_in_place(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")
        note_written(hq, "report", None, path)


def render_report(hq: Hq, client: str) -> str:
    """The page as text."""
    with hq.transaction() as connection:
        name = client_row(connection, client)["name"]
    campaigns = figures(hq, "campaign_performance", client=client)
    accounts = figures(hq, "account_health", client=client)
    days = [day for day in figures(hq, "day_totals", client=client) if day["sent"]][-DAYS_SHOWN:]
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    return environment.get_template("outreach.html").render(
        client=client,
        client_name=name,
        campaigns=campaigns,
        accounts=accounts,
        accounts_shown=accounts[:ACCOUNTS_SHOWN],
        total=_total(campaigns),
        pulled_at=max((row["pulled_at"].astimezone(UTC) for row in campaigns), default=None),
        charts={
            "campaigns": _campaign_chart(campaigns),
            "reply_rates": _rate_chart(campaigns),
            "days": _day_chart(days),
            "health": _health_chart(accounts),
        },
        days_shown=len(days),
        made_at=datetime.now(UTC),
        counted=counted,
    )


def _total(campaigns: Rows) -> dict[str, Any]:
    total = {name: sum(row[name] or 0 for row in campaigns) for name in _SUMMED}
    contacted = total["contacted"]
    rates = {"reply_rate": "replied", "bounce_rate": "bounced"}
    return {**total, **{name: total[of] / contacted if contacted else None for name, of in rates.items()}}


def _campaign_chart(campaigns: Rows) -> Markup:
    rows = []
    for row in (row for row in campaigns if row["contacted"]):
        rest = max(row["contacted"] - row["replied"] - row["bounced"], 0)
        parts = [
            charts.Segment(f"{row['replied']:,} replied", row["replied"], GREEN),
            charts.Segment(f"{row['bounced']:,} bounced", row["bounced"], RED),
            charts.Segment(f"{rest:,} neither", rest, GREY),
        ]
        rows.append(charts.Row(_name(row), parts, counted(row["contacted"], "lead")))
    legend = [("replied", GREEN), ("bounced", RED), ("neither", GREY)]
    return charts.bars(rows, about="Leads written to, by campaign", legend=legend)


def _rate_chart(campaigns: Rows) -> Markup:
    known = sorted((row for row in campaigns if row["reply_rate"] is not None), key=lambda row: -row["reply_rate"])
    rows = [
        charts.Row(
            _name(row),
            [charts.Segment(f"{row['replied']} of {row['contacted']}", row["reply_rate"], GREEN)],
            f"{row['reply_rate']:.1%}",
        )
        for row in known
    ]
    return charts.bars(rows, about="Reply rate by campaign")


def _day_chart(days: Rows) -> Markup:
    rows = []
    for day in days:
        parts = [charts.Segment(f"{day['sent']} sent", int(day["sent"]), BLUE)]
        note = f"{day['sent']} sent, {day['replied'] or 0} replied, {day['bounced'] or 0} bounced"
        rows.append(charts.Row(f"{day['day']:%a} {day['day']}", parts, note))
    return charts.bars(rows, about="Mails by day")


def _health_chart(accounts: Rows) -> Markup:
    groups: dict[str | None, int] = dict.fromkeys(("good", "paused", "watch", "bad"), 0)
    for row in accounts:
        groups[row["health"]] = groups.get(row["health"], 0) + 1
    rows = [
        charts.Row(name or "not known", [charts.Segment(str(count), count, _HEALTH[name])], counted(count, "account"))
        for name, count in groups.items()
        if count
    ]
    return charts.bars(rows, about="Sending accounts by health")


def _name(row: dict[str, Any]) -> str:
    return str(row["name"] or row["campaign_id"])
