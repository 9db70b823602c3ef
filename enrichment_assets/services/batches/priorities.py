"""Changing how urgent a batch is, and how many turns a client has beside others."""

from __future__ import annotations

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.priorities import LEAST_WEIGHT, MOST_WEIGHT, Priority
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.batches import urgency as store
from enrichment_assets.store.batches.urgency import Urgency
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq


def set_priority(hq: Hq, batch_key: str, priority: Priority, *, actor: Actor) -> Urgency:
    """Give a batch another priority; it counts from then on, also for a run under way. What it was before.

    Raises:
        NotFoundError: There is no such batch.
    """
    with hq.transaction() as connection:
        return change_priority(connection, batch_key, priority, actor=actor)


def change_priority(connection: Connection, batch_key: str, priority: Priority, *, actor: Actor) -> Urgency:
    """As `set_priority`, on the connection of a change that this is part of."""
    before = store.urgency_of(connection, [batch_key]).get(batch_key)
    if before is None:
        raise no_such_batch(connection, batch_key)
    if before.rank != priority.rank:
        store.set_priority(connection, before.batch_id, priority.rank)
        note_action(
            connection,
            actor,
            Code.BATCH_PRIORITY,
            batch_key,
            client_id=before.client_id,
            batch_id=before.batch_id,
            before={"priority": Priority.of_rank(before.rank).value},
            after={"priority": priority.value},
        )
    return before


def set_weight(hq: Hq, client: str, weight: float, *, actor: Actor) -> float:
    """Give a client another weight: so many turns for one of a client of weight 1. What it was before.

    Raises:
        NotFoundError: There is no such client.
        ConfigurationError: The weight is none.
    """
    if not LEAST_WEIGHT <= weight <= MOST_WEIGHT:  # also what is no number
        raise ConfigurationError(
            f"a weight is a number from {LEAST_WEIGHT} to {MOST_WEIGHT:g}, and {weight:g} is not; 1 is usual",
            code="client.weight_invalid",
        )
    with hq.transaction() as connection:
        row = client_row(connection, client)
        before = float(row["weight"])
        if before != weight:
            store.set_weight(connection, row["id"], weight)
            note_action(
                connection,
                actor,
                Code.CLIENT_WEIGHT,
                client,
                client_id=row["id"],
                before={"weight": before},
                after={"weight": weight},
            )
    return before
