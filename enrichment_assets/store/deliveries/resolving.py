"""What is said of one delivery without a call: it is gone there, it was made after all, nothing more goes there."""

from __future__ import annotations

from collections.abc import Mapping

from enrichment_assets.store.database import AsyncConnection, Connection


# crash point: delivery-is-marked-deleted
async def mark_deleted(connection: AsyncConnection, delivery_id: int, reason: str) -> None:
    """Note that somebody took a record away there; one about which a call is under way stays as it is."""
    await connection.execute(
        "update deliveries set state = 'deleted', reason = %s, generation = generation + 1, "
        "ended_at = clock_timestamp() where id = %s and state = 'delivered'",
        (reason, delivery_id),
    )


# crash point: deliveries-are-told-to-be-deleted
def note_deleted(connection: Connection, client_id: int, reasons: Mapping[int, str]) -> set[int]:
    """Note that records were taken away there, as their destination tells: delivery -> why. Which of them were there.

    One about which a call is under way stays as it is: its answer says what became of it. The caller commits.
    """
    rows = connection.execute(
        """
        update deliveries d set state = 'deleted', reason = g.reason, generation = d.generation + 1,
               ended_at = clock_timestamp()
        from unnest(%s::bigint[], %s::text[]) as g(id, reason)
        where d.id = g.id and d.client_id = %s and d.state = 'delivered' returning d.id
        """,
        (list(reasons), list(reasons.values()), client_id),
    ).fetchall()
    return {row["id"] for row in rows}
