"""Statistics of a batch, as `enrich stats` shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.services.batches.status import batch_row, currencies_of
from enrichment_assets.services.operations.bottleneck import find_bottleneck, time_spent
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.results import families
from enrichment_assets.store.results.families import FamilyFigures
from enrichment_assets.store.results.statistics import WorkflowStatistics, workflow_statistics
from enrichment_assets.store.runs.step_times import callback_waits, times_of


def batch_statistics(hq: Hq, batch_key: str) -> list[WorkflowStatistics]:
    """Statistics per workflow, blueprint order; raises `NotFoundError`."""
    row = batch_row(hq, batch_key)
    currencies = currencies_of(row.blueprint)
    with hq.transaction() as connection:
        found = workflow_statistics(connection, row.batch_id)
        total, spent = time_spent(times_of(connection, row.batch_id), *callback_waits(connection, row.batch_id))
    workflows = [step.workflow for step in Blueprint.model_validate(row.blueprint).steps]
    narrowest = find_bottleneck(total, spent, workflows)
    if narrowest is None:
        found = _busiest(found)
    return [
        replace(
            one,
            currency=currencies.get(one.workflow, ""),
            spent=spent.get(one.workflow, {}),
            bottleneck=one.bottleneck if narrowest is None else narrowest.workflow == one.workflow,
            held_up=narrowest.sentence if narrowest is not None and narrowest.workflow == one.workflow else None,
        )
        for one in found
    ]


def family_figures(hq: Hq, batch_key: str) -> FamilyFigures | None:
    """How the families of a batch have ended; None: its pipeline has none. Raises `NotFoundError`."""
    row = batch_row(hq, batch_key)
    if Blueprint.model_validate(row.blueprint).families is None:
        return None
    with hq.transaction() as connection:
        return families.figures(connection, row.batch_id)


def _busiest(found: Sequence[WorkflowStatistics]) -> list[WorkflowStatistics]:
    """Of a batch that ran before its time was kept: the workflow that was busy for longest."""
    longest = max((one.busy_seconds for one in found), default=0.0)
    return [replace(one, bottleneck=one.busy_seconds == longest and longest > 0) for one in found]
