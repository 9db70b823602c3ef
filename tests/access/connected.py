"""What a client has connected: a table that brings leads, a server that is told, and a service that tells."""

from __future__ import annotations

from enrichment_assets.domain.sources import TableSource
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.store.deliveries import sources as event_sources
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.outgoing import webhooks
from enrichment_assets.store.sources import table_sources


def connect_all(hq: Hq, client: str) -> dict[str, str]:
    """Rows of all three for a client; kind -> name. Nothing is looked at or sent."""
    names = {kind: f"{kind}-{client}" for kind in ("source", "webhook", "connection")}
    table = TableSource("courses", "id", {"status": "new"}, {"status": "done"}, {"status": "failed"})
    with hq.transaction() as connection:
        number = client_row(connection, client)["id"]
        table_sources.insert_source(connection, names["source"], number, "golf", table)
        webhooks.add(connection, number, names["webhook"], "https://crm.example/hook", ["lead.ready"], "HOOK", 1)
        event_sources.add(connection, number, names["connection"], "webhook", None, None, {}, None)
    return names
