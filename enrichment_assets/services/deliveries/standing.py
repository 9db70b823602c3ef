"""Where the leads of a batch can go, and how they stand where they went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.services.deliveries.destinations import destinations_of
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.deliveries import batches as store
from enrichment_assets.store.deliveries.batches import BatchDelivery, Counts
from enrichment_assets.store.hq import Hq


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What a batch delivers.

    Attributes:
        destinations: Where its client's leads can go.
        asked: What was asked for, in order.
        counts: How the leads of these stand.
    """

    destinations: Sequence[WorkflowDefinition]
    asked: Sequence[BatchDelivery]
    counts: Sequence[Counts]


def deliveries(hq: Hq, batch_key: str) -> Deliveries:
    """What a batch delivers. Raises `NotFoundError` for a batch that does not exist."""
    with hq.transaction() as connection:
        row = get_batch(connection, batch_key)
        if row is None:
            raise no_such_batch(connection, batch_key)
        asked = store.deliveries_of(connection, row["id"])
        counts = store.counts_of(connection, row["id"], [one.workflow_slug for one in asked])
    known = destinations_of(hq, row["client"], row["client_id"])
    there = [one for slug, one in sorted(known.workflows.items()) if slug not in known.switched_off]
    return Deliveries(there, asked, counts)
