"""Items of a batch as the engine would see them, for reading only."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from enrichment_assets.domain.item_cells import StepSources
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.store.database import connect_async
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.runs.contexts import LoadedItem, load_answered


def load(hq: Hq, item_ids: Sequence[int], blueprint: Blueprint) -> list[LoadedItem]:
    """Items with their rows, answers and corrections, in the order given."""

    async def loaded() -> list[LoadedItem]:
        async with await connect_async(hq.url, autocommit=True) as connection:
            found = await load_answered(connection, item_ids, StepSources.of(blueprint), corrected=True)
        return [found[item_id] for item_id in item_ids]

    return asyncio.run(loaded())
