"""A dashboard of a client or of all: the warehouse is opened once, and asked panel by panel."""

from __future__ import annotations

from enrichment_assets.services.catalog.known_clients import check_client
from enrichment_assets.services.insight.dashboards import building
from enrichment_assets.services.insight.dashboards.panels import Choice, Panel, Row
from enrichment_assets.services.insight.dashboards.questions import QUESTIONS
from enrichment_assets.services.pulls.figures import figures
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.insight.delivery_counts import delivery_counts
from enrichment_assets.store.money.currencies import currencies_of_batches
from enrichment_assets.warehouse import ensure_built, open_warehouse


def dashboard(hq: Hq, settings: Settings, choice: Choice, *, with_campaigns: bool) -> list[Panel]:
    """The panels, in the order of the page; what was not extracted yet is in none.

    Args:
        hq: The databases.
        settings: The installation.
        choice: Over which batches.
        with_campaigns: Also figures that were fetched from outside services; they are of no batch.

    Raises:
        NotFoundError: There is no such client.
    """
    check_client(hq, settings, choice.client)
    rows = _asked(settings, choice)
    with hq.transaction() as connection:
        currencies = currencies_of_batches(connection)
        delivered = delivery_counts(connection, choice.client, choice.batch, choice.since, choice.until)
    panels = [
        building.funnel(rows["funnel"]),
        building.answers(rows["providers"]),
        building.cost_per_found(rows["costs"], currencies),
        building.latency(rows["providers"]),
        building.errors(rows["errors"]),
        building.waterfall(rows["waterfall"]),
        building.leads(rows["leads"], currencies),
        building.fill(rows["fill"]),
        building.time(rows["time"]),
        building.deliveries(delivered),
        building.query_yield(rows["yield"]),
    ]
    if with_campaigns and choice.batch is None:
        panels.append(building.campaigns(figures(hq, "campaign_performance", client=choice.client)))
    return panels


def _asked(settings: Settings, choice: Choice) -> dict[str, list[Row]]:
    """Key of a question -> its rows."""
    everything = ";".join(QUESTIONS.values())
    ensure_built(settings, everything)
    parameters = {"batch": choice.batch, "since": choice.since, "until": choice.until}
    connection = open_warehouse(settings, client_slug=choice.client, question=everything)
    found: dict[str, list[Row]] = {}
    try:
        for key, question in QUESTIONS.items():
            result = connection.execute(question, parameters)
            names = [column[0] for column in result.description or []]
            found[key] = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    finally:
        connection.close()
    return found
