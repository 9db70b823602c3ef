"""What happened to one lead, as somebody looks it up who is asked about it."""

from __future__ import annotations

from enrichment_assets.services.batches.status import batch_row
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.insight.lead_history import Happened, history_of


def lead_history(hq: Hq, batch_key: str, item_id: int) -> list[Happened]:
    """Calls, corrections, decisions and what came back, the latest first. Raises `NotFoundError`."""
    batch_id = batch_row(hq, batch_key).batch_id
    with hq.transaction() as connection:
        return history_of(connection, batch_id, item_id)
