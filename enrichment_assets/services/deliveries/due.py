"""What of a batch's deliveries is to be done now, without anybody who asks for it in words."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.provider import Provider
from enrichment_assets.services.deliveries.delivering import deliver, run_deliveries
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.deliveries import batches as store
from enrichment_assets.store.deliveries.over import why_over
from enrichment_assets.store.hq import Hq


def deliver_due(
    hq: Hq,
    settings: Settings,
    batch_key: str,
    slug: str,
    *,
    actor: Actor,
    providers: Mapping[str, Provider],
    stop: threading.Event | None = None,
) -> dict[str, int]:
    """Deliver a batch to one destination: what was planned goes on, and leads are planned where that is out of date.

    They are planned again where nobody planned them yet, where the batch was extracted since, and where a person has
    decided about a draft or corrected a lead since: by the conditions of whoever asked, which go on to count. Of a
    batch that is over nothing is planned, and what was under way ends.

    Returns:
        Where its leads stand: `delivered`, `pending`, `skipped`, `failed`, `ambiguous` ... to how many.

    Raises:
        NotFoundError: There is no such batch or delivery.
        ConfigurationError: The destination is switched off.
        Interrupted: `stop` was set.
    """
    with hq.transaction() as connection:
        row = get_batch(connection, batch_key)
        if row is None:
            raise no_such_batch(connection, batch_key)
        planned = why_over(connection, row["id"]) is not None or store.is_planned(connection, row["id"], slug)
        asked = {one.workflow_slug: one.conditions or [] for one in store.deliveries_of(connection, row["id"])}
    if planned:
        run_deliveries(hq, settings, batch_key, [slug], providers=providers, stop=stop)
    else:
        where = asked.get(slug, [])
        deliver(hq, settings, batch_key, [slug], where, actor=actor, providers=providers, stop=stop)
    with hq.transaction() as connection:
        counts = store.counts_of(connection, row["id"], [slug])
    found: dict[str, int] = {}
    for one in counts:
        word = "delivered" if one.status == "COMPLETED" else one.status.lower()
        found[word] = found.get(word, 0) + one.leads
    return found
