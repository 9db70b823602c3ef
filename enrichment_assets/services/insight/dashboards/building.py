"""The panels of a dashboard, made of rows: numbers in, bars and tables out. No data is fetched here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from enrichment_assets.domain.money import PLACES, Money
from enrichment_assets.services.insight.dashboards.panels import Bar, Panel, Part, Row
from enrichment_assets.services.insight.report_money import currency_of

MOST_BARS = 24
Currencies = Mapping[str, Mapping[str, str]]
"""Batch -> workflow -> currency."""

_SHARES = ("share", "found_rate", "fill_rate")


def funnel(rows: Sequence[Row]) -> Panel:
    """How many leads reached each stage."""
    bars = [
        Bar(r["stage"], [Part("found", "leads", r["leads"])], f"{r['leads']:,} ({shown_share(r['share'])})")
        for r in rows
    ]
    return panel_of("funnel", "Leads by stage", "Leads that reached each stage, and their share of all.", bars, rows)


def answers(rows: Sequence[Row]) -> Panel:
    """What each step of an outside provider found."""
    bars = []
    for r in rows:
        parts = [
            Part("found", "found", r["found"]),
            Part("none", "nothing found", r["not_found"]),
            Part("failed", "failed or unknown", r["failed"] + r["ambiguous"]),
        ]
        bars.append(
            Bar(r["workflow"], parts, f"{shown_share(r['found_rate'])} of {r['answered']:,}" if r["answered"] else "")
        )
    says = "Leads for which each provider found something, or not, and the share of those that it answered."
    return panel_of("providers", "Found by provider", says, bars, rows)


def latency(rows: Sequence[Row]) -> Panel:
    """How long providers took to answer."""
    timed = [r for r in rows if r["p50_ms"] is not None]
    bars = [
        Bar(
            r["workflow"],
            [
                Part("found", "half of the answers within", r["p50_ms"]),
                Part("skipped", "95 % within", max(r["p95_ms"] - r["p50_ms"], 0)),
            ],
            f"{_seconds(r['p50_ms'])}, {_seconds(r['p95_ms'])}",
        )
        for r in sorted(timed, key=lambda r: -r["p95_ms"])
    ]
    says = "Within which time half of the answers came (the middle batch), and 95 % of them (the slowest batch)."
    columns = ("workflow", "provider", "calls", "p50_ms", "p95_ms")
    return panel_of("latency", "Time to answer", says, bars, timed, columns, report="providers")


def errors(rows: Sequence[Row]) -> Panel:
    """Attempts that failed, by their class."""
    bars = [
        Bar(f"{r['workflow']}: {r['error_class']}", [Part("failed", "errors", r["errors"])], f"{r['errors']:,}")
        for r in rows
    ]
    says = "Attempts that failed, by step and class; those that succeeded when they were tried again are among them."
    return panel_of("errors", "Errors", says, bars, rows, report="providers")


def cost_per_found(rows: Sequence[Row], currencies: Currencies) -> Panel:
    """What a finding cost, by step and currency."""
    sums: dict[tuple[str, str], tuple[Decimal, int]] = {}
    for r in rows:
        key = (r["workflow_slug"], currency_of(currencies.get(r["batch_key"], {}), r["workflow_slug"]))
        cost, found = sums.get(key, (Decimal(0), 0))
        sums[key] = cost + r["cost"], found + r["found"]
    each = [(slug, currency, *sums[slug, currency]) for slug, currency in sums]
    each.sort(key=lambda one: (-(one[2] / one[3] if one[3] else 0), one[0]))
    table, bars = list[Row](), list[Bar]()
    for slug, currency, cost, found in each:
        price = money_of(cost / found, currency) if found else None
        table.append({"workflow": slug, "cost": Money(cost, currency), "found": found, "cost_per_found": price})
        if price is not None:
            bars.append(Bar(slug, [Part("asked", "for each finding", float(price.amount))], str(price)))
    says = "What each step cost for each lead for which it found something."
    return panel_of("cost-per-found", "Cost per finding", says, bars, table, report="providers")


def leads(rows: Sequence[Row], currencies: Currencies) -> Panel:
    """What a lead cost, batch by batch, the newest first."""
    table, bars = list[Row](), list[Bar]()
    for r in rows:
        currency = currency_of(currencies.get(r["batch_key"], {}), None)
        price, verified = money_of(r["cost_per_lead"], currency), money_of(r["cost_per_verified_email"], currency)
        table.append(
            {
                "batch": r["batch_key"],
                "leads": r["leads"],
                "with_verified_email": r["with_verified_email"],
                "cost": money_of(r["cost"], currency),
                "cost_per_lead": price,
                "cost_per_verified_email": verified,
            }
        )
        if price is not None:
            bars.append(Bar(r["batch_key"], [Part("asked", "a lead", float(price.amount))], str(price)))
    return panel_of("cost", "Cost per lead", "What a lead of each batch cost, the newest first.", bars, table)


def fill(rows: Sequence[Row]) -> Panel:
    """How full each column is, and by whom."""
    bars = [
        Bar(
            r["field"],
            [
                Part("none", "came with the list", r["uploaded"] / r["leads"]),
                Part("found", "was found", max(r["gained"], 0) / r["leads"]),
            ],
            shown_share(r["fill_rate"]),
        )
        for r in rows
        if r["leads"]
    ]
    says = "The share of leads that have a value in each column: what came with the list, and what was found."
    return panel_of("fill-rate", "How full columns are", says, bars, rows, full=1.0)


def waterfall(rows: Sequence[Row]) -> Panel:
    """Who gave values, and whose value won, for fields that several gave."""
    bars = [
        Bar(
            f"{r['field']}: {r['source']}",
            [
                Part("found", "first, where nobody had one", r["gave_first"]),
                Part("skipped", "as well", max(r["gave"] - r["gave_first"], 0)),
            ],
            f"{r['gave_first']:,} of {r['gave']:,}; {r['won']:,} won",
        )
        for r in rows
        if r["sources"] > 1
    ]
    says = "For each field who gave a value first and who gave one as well, in the order of asking, and how many won."
    columns = ("field", "source", "asked", "gave", "gave_first", "won")
    return panel_of("waterfall", "Who found what", says, bars, rows, columns)


def time(rows: Sequence[Row]) -> Panel:
    """How long steps took to be done, from the launch on."""
    bars = [
        Bar(
            r["workflow"],
            [
                Part("found", "half of the leads within", r["half_seconds"]),
                Part("skipped", "95 % within", max(r["most_seconds"] - r["half_seconds"], 0)),
            ],
            f"{_duration(r['half_seconds'])}, {_duration(r['most_seconds'])}",
        )
        for r in rows
    ]
    says = (
        "From the launch until a step was done: for half of the leads (the middle batch), and for 95 % (the slowest)."
    )
    return panel_of("time", "Time until done", says, bars, rows, ("workflow", "states", "half_seconds", "most_seconds"))


def query_yield(rows: Sequence[Row]) -> Panel:
    """What each query of a search came to."""
    bars = [
        Bar(
            r["query"],
            [
                Part("found", "grade A", r["grade_a"]),
                Part("asked", "grade B", r["grade_b"]),
                Part("none", "other prospects", max(r["prospects"] - r["grade_a"] - r["grade_b"], 0)),
            ],
            f"{r['grade_a'] + r['grade_b']:,} of {r['prospects']:,}",
        )
        for r in rows
    ]
    says = "Prospects that each query of a search led to, and how many of them are of grade A or B."
    return panel_of("query-yield", "What queries came to", says, bars, rows)


def campaigns(rows: Sequence[Row]) -> Panel:
    """How leads of campaigns answered, as the service last said."""
    written_to = [r for r in rows if r["contacted"]]
    bars = []
    for r in written_to:
        replied, bounced = r["replied"] or 0, r["bounced"] or 0
        rest = max(r["contacted"] - replied - bounced, 0)
        parts = [Part("found", "replied", replied), Part("failed", "bounced", bounced), Part("none", "neither", rest)]
        bars.append(Bar(r["name"] or r["campaign_id"], parts, f"{replied:,} of {r['contacted']:,} replied"))
    says = "Leads that campaigns wrote to, as they stood when they were fetched last, whatever the time chosen."
    columns = ("client_slug", "name", "contacted", "sent", "replied", "bounced", "opportunities", "pulled_at")
    return panel_of("campaigns", "Campaigns", says, bars, rows, columns)


def deliveries(rows: Sequence[Row]) -> Panel:
    """How what was delivered stands at its destination."""
    kinds = {"delivered": "found", "refused": "failed", "unknown": "failed", "intended": "asked"}
    by_place: dict[str, list[Row]] = {}
    for r in rows:
        by_place.setdefault(f"{r['destination']}{' (simulator)' if r['simulated'] else ''}", []).append(r)
    bars = []
    for place, found in by_place.items():
        parts = [Part(kinds.get(r["state"], "none"), r["state"], r["leads"]) for r in found]
        delivered = sum(r["leads"] for r in found if r["state"] == "delivered")
        bars.append(Bar(place, parts, f"{delivered:,} of {sum(part.value for part in parts):,} there"))
    return panel_of("deliveries", "Deliveries", "Leads at each destination, by how they stand there now.", bars, rows)


def panel_of(
    key: str,
    title: str,
    says: str,
    bars: Sequence[Bar],
    rows: Sequence[Row],
    columns: Sequence[str] = (),
    *,
    full: float | None = None,
    report: str | None = None,
) -> Panel:
    """A panel of bars and rows; `columns`: those of the table, all of the rows where none is named."""
    names = columns or (list(rows[0]) if rows else [])
    table = [[_cell(name, row[name]) for name in names] for row in rows]
    more = f" The first {MOST_BARS} of {len(bars):,} are drawn." if len(bars) > MOST_BARS else ""
    return Panel(key, title, says + more, bars[:MOST_BARS], names, table, full, report or _REPORTS.get(key))


_REPORTS = {key: key for key in ("funnel", "providers", "cost", "fill-rate", "waterfall", "time", "query-yield")}


def _cell(name: str, value: Any) -> Any:
    convert: Callable[[Any], Any] = shown_share if name in _SHARES else lambda one: one
    return round(value, 3) if isinstance(value, float) and name not in _SHARES else convert(value)


def shown_share(value: float | None) -> str:
    """`42%`; empty for none."""
    return "" if value is None else f"{value:.0%}"


def money_of(value: Decimal | float | None, currency: str) -> Money | None:
    """An amount or a ratio as money; what was free is no amount."""
    return Money(round(Decimal(value), PLACES).normalize(), currency) if value else None


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds:,.0f} ms" if milliseconds < 1_000 else f"{milliseconds / 1_000:,.1f} s"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 7_200 else f"{seconds / 3_600:,.1f} h"
