"""Items that were claimed, with all that their steps may ask for."""

from __future__ import annotations

from collections.abc import Sequence

from enrichment_assets.engine.run.context import Run
from enrichment_assets.store.database import AsyncConnection
from enrichment_assets.store.deliveries.planned import load_planned
from enrichment_assets.store.runs import contexts
from enrichment_assets.store.runs.contexts import LoadedItem


async def load_claimed(run: Run, reader: AsyncConnection, held: Sequence[tuple[int, int]]) -> list[LoadedItem]:
    """The items of claimed (item id, fence) pairs; of a run that delivers with their leads as they were planned."""
    items = await contexts.load_items(
        reader, run.batch.batch_id, held, sources=run.sources, with_original=run.needs_original
    )
    if delivering := [step.slug for step in run.steps.values() if step.delivering is not None]:
        planned = await load_planned(
            reader, [item.item_id for item in items], delivering, simulated=bool(run.batch.blueprint.simulated)
        )
        for item in items:
            item.planned = {slug: planned[item.item_id, slug] for slug in delivering if (item.item_id, slug) in planned}
    return items
