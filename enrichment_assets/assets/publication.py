"""`workspace_tables`: the marts of a batch in the workspace database, and what has to add up there.

It is the last act of the op that builds the models (`extraction.py`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from enrichment_assets.assets.direct import direct_parents
from enrichment_assets.assets.partitions import OWNERS, batches
from enrichment_assets.store.hq import Hq
from enrichment_assets.warehouse.project import PUBLISHED_OF_SYSTEM, Model, Project

if TYPE_CHECKING:
    from enrichment_assets.warehouse import BatchSession

PUBLISHED = dg.AssetKey("workspace_tables")


def publication_spec(project: Project, parents: Mapping[dg.AssetKey, Sequence[dg.AssetKey]]) -> dg.AssetSpec:
    """The asset after the published marts; `parents`: what each model is directly made from."""
    names = [model.name for model in _published(project)]
    return dg.AssetSpec(
        key=PUBLISHED,
        deps=direct_parents({**parents, PUBLISHED: [dg.AssetKey(name) for name in names]})[PUBLISHED],
        skippable=True,
        partitions_def=batches,
        group_name="marts",
        owners=OWNERS,
        kinds={"postgres"},
        description=(
            f"The marts of the batch in the workspace database ({', '.join(names)}), replaced in one transaction."
        ),
    )


def publication_checks(project: Project) -> list[dg.AssetCheckSpec]:
    """One check for each reconciliation."""
    names = reconciliation_names(_published(project))
    return [dg.AssetCheckSpec(check_name(name), asset=PUBLISHED) for name in names]


def publish(hq: Hq, session: BatchSession, wanted: Collection[dg.AssetCheckKey]) -> dg.MaterializeResult:
    """Publish, reconcile, tell of it, and note that the batch is extracted; with the checks that are wanted."""
    from enrichment_assets.services.batches.advancing import mark_extracted
    from enrichment_assets.services.outgoing.leads import tell_of_leads
    from enrichment_assets.warehouse import publish_marts_in, reconcile_in

    rows = {report.name: report.rows for report in publish_marts_in(session, hq)}
    checks = [
        dg.AssetCheckResult(
            asset_key=PUBLISHED,
            check_name=check_name(check.name),
            passed=check.passed,
            metadata={"expected": check.expected, "actual": check.actual},
        )
        for check in reconcile_in(session, hq)
        if dg.AssetCheckKey(PUBLISHED, check_name(check.name)) in wanted
    ]
    tell_of_leads(hq, session)
    mark_extracted(hq, session.batch_key)
    if session.system == "freshness":
        from enrichment_assets.services.freshness.carrying import carry_over_batch

        carry_over_batch(hq, session.batch_key)
    return dg.MaterializeResult(
        asset_key=PUBLISHED,
        metadata={"dagster/row_count": sum(rows.values()), "rows_by_table": rows},
        check_results=checks,
    )


def reconciliation_names(published: Sequence[Model]) -> list[str]:
    """What `warehouse.reconcile` compares, by the names it gives."""
    counted = ["rows + children = items", "items = leads"]
    counted += [f"{kind} entries = rows + exclusions" for kind in ("history", "education")]
    return [*counted, *(f"published {m.name}" for m in published if m.system is None), PUBLISHED_OF_SYSTEM]


def check_name(reconciliation: str) -> str:
    """The name of a reconciliation as Dagster allows it: `items = leads` is `items_leads`."""
    return re.sub(r"[^A-Za-z0-9]+", "_", reconciliation).strip("_")


def _published(project: Project) -> list[Model]:
    return [m for m in project.models.values() if m.published and m.partitioned]
