"""What the gate says of leads whose drafts somebody looks at, before anything is planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.domain.gate.rules import Refusal
from enrichment_assets.services.deliveries.gate import Gate, Passing
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.hq import Hq
from enrichment_assets.warehouse import open_warehouse

ANY_DELIVERY = ""
"""Leads pass for none in particular: everybody who was contacted by one counts."""


@dataclass(frozen=True, slots=True)
class _Row:
    item_id: int
    values: Mapping[str, Any]


def refusals_of(hq: Hq, settings: Settings, batch_key: str, items: Sequence[int]) -> dict[int, list[Refusal]]:
    """Item -> why a mail to its lead would be refused now, by what was last extracted of the batch.

    Of a lead that was not extracted yet nothing is said.
    """
    with hq.transaction() as connection:
        batch = get_batch(connection, batch_key)
    if batch is None or not items:
        return {}
    passing = Passing(
        batch["client_id"], batch["client"], batch["id"], batch_key, ANY_DELIVERY, ["email"], reserves=False
    )
    with Gate(hq, settings, passing, items) as gate:
        return gate.refused(list(_leads(settings, batch["client"], batch_key, gate.columns, items)))


def _leads(settings: Settings, client: str, batch_key: str, columns: Iterable[str], items: Sequence[int]) -> list[_Row]:
    names = sorted(columns)
    listed = ", ".join(f'"{name}"' for name in names)
    question = (
        f"select item_id, {listed} from final_leads "
        "where batch_key = $batch and item_id in (select unnest($items)) order by item_id"
    )
    connection = open_warehouse(settings, client_slug=client, batch_key=batch_key, question=question)
    try:
        found = connection.execute(question, {"batch": batch_key, "items": sorted(set(items))}).fetchall()
    finally:
        connection.close()
    return [_Row(row[0], dict(zip(names, row[1:], strict=True))) for row in found]


def said_of(hq: Hq, settings: Settings, drafts: Iterable[tuple[str, int]]) -> dict[tuple[str, int], tuple[str, ...]]:
    """(batch, item) -> the gate's reasons, for the drafts of a list."""
    by_batch: dict[str, list[int]] = {}
    for batch, item in drafts:
        by_batch.setdefault(batch, []).append(item)
    found: dict[tuple[str, int], tuple[str, ...]] = {}
    for batch, items in by_batch.items():
        try:
            refused = refusals_of(hq, settings, batch, items)
        except EnrichError as error:  # the list is shown all the same, and says why this is missing
            refused, why = {}, (f"not known: {error}",)
            found |= {(batch, item): why for item in items}
        found |= {(batch, item): tuple(map(str, said)) for item, said in refused.items()}
    return found
