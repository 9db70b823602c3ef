"""The note that a batch's tables hold what is known of it."""

from __future__ import annotations

from enrichment_assets.store.database import Connection
from enrichment_assets.store.deliveries.batches import AUTOMATIC
from enrichment_assets.store.outgoing.events import FINISHED


# one row: by its key
def mark_extracted(connection: Connection, batch_key: str) -> None:
    """Note that the batch was extracted and published just now; where it is finished, its client is told so."""
    connection.execute(
        f"""
        with marked as (
          update batches set extracted_at = clock_timestamp() where batch_key = %s
          returning id, client_id, batch_key, pipeline_slug, finished_at
        ), delivering as ({AUTOMATIC}) {FINISHED}
        """,
        (batch_key,),
    )
    connection.commit()
