"""What a workflow found and cost, batch by batch, in the order of their launch."""

from __future__ import annotations

from enrichment_assets.domain.money import Money
from enrichment_assets.services.insight.dashboards.building import money_of, panel_of, shown_share
from enrichment_assets.services.insight.dashboards.panels import Bar, Panel, Part, Row
from enrichment_assets.services.insight.queries import ask
from enrichment_assets.services.insight.report_money import currency_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.money.currencies import currencies_of_batches

_QUESTION = """
    select p.batch_key, b.launched_at, p.answered, p.found, p.failed, p.found_rate, p.calls, p.cost, p.cost_per_found
    from provider_performance p join hq.batches b on b.batch_key = p.batch_key
    where p.workflow_slug = ? order by b.launched_at desc, p.batch_key limit 50
"""
_FOUND = ("batch_key", "launched_at", "answered", "found", "failed", "found_rate")
_COST = ("batch_key", "launched_at", "calls", "cost", "cost_per_found")


def workflow_over_time(hq: Hq, settings: Settings, slug: str, *, client: str | None = None) -> list[Panel]:
    """Found rate and cost per finding of a workflow in its newest batches, of a client or of all."""
    with ask(hq, settings, _QUESTION, [slug], client=client) as answer:
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows()]
    with hq.transaction() as connection:
        currencies = currencies_of_batches(connection)
    rates = [
        Bar(
            r["batch_key"],
            [Part("found", "found", r["found_rate"])],
            f"{shown_share(r['found_rate'])} of {r['answered']:,}",
        )
        for r in rows
        if r["found_rate"] is not None
    ]
    costs, paid = list[Bar](), list[Row]()
    for r in rows:
        currency = currency_of(currencies.get(r["batch_key"], {}), slug)
        price = money_of(r["cost_per_found"], currency)
        paid.append({**r, "cost": Money(r["cost"], currency), "cost_per_found": price})
        if price is not None:
            costs.append(Bar(r["batch_key"], [Part("asked", "for each finding", float(price.amount))], str(price)))
    return [
        panel_of(
            "found-rate",
            "Found, batch by batch",
            "The share of leads that it answered and found something for; the newest batch first.",
            rates,
            rows,
            _FOUND,
            full=1.0,
        ),
        panel_of(
            "cost-per-found",
            "Cost per finding, batch by batch",
            "What it cost for each lead that it found something for; the newest batch first.",
            costs,
            paid,
            _COST,
        ),
    ]
