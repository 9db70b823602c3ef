"""What a run of one batch selects: only what the batch has, so that nothing else of the graph looks planned or done.

A run that may come to the end selects the tables too. One that will have to wait for answers does not: tables that were
planned and then skipped because one batch waits would show their checks as skipped for every batch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import dagster as dg

from enrichment_assets.assets.publication import PUBLISHED
from enrichment_assets.assets.results import RESULTS
from enrichment_assets.assets.steps import step_key
from enrichment_assets.assets.uploads import BATCH_ITEMS, RAW_UPLOADS
from enrichment_assets.store.states.groups import Outlook
from enrichment_assets.warehouse.project import Project, load_project

WHERE_TAG = "enrich/where"
"""Tag of a run of one step for chosen items: the conditions by which they were chosen, as a JSON list of texts."""

ALL_STEPS = {"enrich/steps": "all"}
"""Tag of a run that works on every step of its batch, also on those that were added after the code location was loaded:
they have no asset that it could select."""


def steps_of(planned: Iterable[str], shown: Collection[dg.AssetKey]) -> list[dg.AssetKey]:
    """The upload, the items, and the steps of a batch.

    Args:
        planned: The workflows of the batch's blueprint.
        shown: The assets of the code location.
    """
    return [RAW_UPLOADS, BATCH_ITEMS, *_shown_steps(planned, shown)]


def assets_of_run(outlook: Outlook, shown: Collection[dg.AssetKey]) -> list[dg.AssetKey]:
    """What a run that the daemon starts selects: what is not there yet of the batch.

    The upload and the items once, and of a batch that grows each time that it may come to rest. Of the steps those that
    are open, or all of them where the tables follow: then their last figures are told.

    Args:
        outlook: What the run finds.
        shown: The assets of the code location.
    """
    if not outlook.laid_out or (outlook.grows and outlook.may_finish):
        first = steps_of(outlook.planned, shown)
        return [*first, *tables_of_a_batch(outlook.system)] if outlook.may_finish else first
    if outlook.may_finish:
        return [*_shown_steps(outlook.planned, shown), *tables_of_a_batch(outlook.system)]
    return _shown_steps(outlook.open, shown) or steps_of(outlook.planned, shown)


def _shown_steps(slugs: Iterable[str], shown: Collection[dg.AssetKey]) -> list[dg.AssetKey]:
    return [key for key in map(step_key, slugs) if key in shown]


def tables_of_a_batch(system: str | None) -> list[dg.AssetKey]:
    """The results, the models that a batch of this system (None: of none) has, and their publication."""
    return _tables(load_project().of_system(system))


def tables_of_any_batch() -> list[dg.AssetKey]:
    """The results, the models of the batches of all systems, and their publication."""
    return _tables(load_project())


def _tables(project: Project) -> list[dg.AssetKey]:
    models = [dg.AssetKey(m.name) for m in project.models.values() if m.partitioned]
    return [RESULTS, *models, PUBLISHED]
