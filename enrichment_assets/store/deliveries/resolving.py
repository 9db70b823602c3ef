"""What is said of one delivery without a call: it is gone there, it was made after all, nothing more goes there."""

from __future__ import annotations

from enrichment_assets.store.database import AsyncConnection


# crash point: delivery-is-marked-deleted
async def mark_deleted(connection: AsyncConnection, delivery_id: int, reason: str) -> None:
    """Note that somebody took a record away there; one about which a call is under way stays as it is."""
    await connection.execute(
        "update deliveries set state = 'deleted', reason = %s, generation = generation + 1, "
        "ended_at = clock_timestamp() where id = %s and state = 'delivered'",
        (reason, delivery_id),
    )
