"""Leads of a batch as they were last extracted, a page at a time: for programs and grids. Nothing is extracted here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from enrichment_assets.services.insight.queries import ask
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq

MOST = 1_000


@dataclass(frozen=True, slots=True)
class LeadPage:
    """Some leads, by `item_id`.

    Attributes:
        columns: Those of `final_leads`.
        rows: Their values.
        next: What to give as `after` for the next page; None: these are the last.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    next: int | None


def lead_page(hq: Hq, settings: Settings, client: str, batch_key: str, *, after: int = 0, limit: int = 100) -> LeadPage:
    """The leads of a client's batch whose `item_id` is higher than `after`; none where nothing was extracted yet.

    Args:
        hq: The databases.
        settings: The installation.
        client: The batch's client: no other's rows are there to be seen.
        batch_key: The batch.
        after: The last `item_id` of the page before; 0: the first page.
        limit: How many at most, up to 1,000.
    """
    most = min(max(limit, 1), MOST)
    query = "select * from final_leads where batch_key = ? and item_id > ? order by item_id limit ?"
    with ask(hq, settings, query, [batch_key, after, most + 1], client=client) as answer:
        columns, rows = tuple(answer.columns), tuple(answer.rows())
    place = columns.index("item_id")
    more = len(rows) > most
    return LeadPage(columns, rows[:most], int(rows[most - 1][place]) if more else None)
