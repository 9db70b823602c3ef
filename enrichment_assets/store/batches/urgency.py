"""How urgent batches are: their priority, and whose they are, with that client's weight."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class Urgency:
    """What decides when a batch's run gets a slot: `rank` is its priority as it is kept (`domain.priorities`)."""

    batch_id: int
    client_id: int
    client: str
    weight: float
    rank: int


def urgency_of(connection: Connection, batch_keys: Collection[str]) -> dict[str, Urgency]:
    """Batch key -> its urgency; a key without a batch is left out."""
    rows = connection.execute(
        "select b.batch_key, b.id as batch_id, b.client_id, c.slug as client, c.weight, b.priority as rank "
        "from batches b join clients c on c.id = b.client_id where b.batch_key = any(%s)",
        (list(batch_keys),),
    ).fetchall()
    return {row.pop("batch_key"): Urgency(**row) for row in rows}


# one row: by its key
def set_priority(connection: Connection, batch_id: int, rank: int) -> None:
    """Give a batch another priority; runs under way heed it from their next turn on."""
    connection.execute("update batches set priority = %s where id = %s", (rank, batch_id))


def set_weight(connection: Connection, client_id: int, weight: float) -> None:
    """Give a client another weight, likewise."""
    connection.execute("update clients set weight = %s where id = %s", (weight, client_id))
