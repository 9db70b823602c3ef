"""Which columns of `final_leads` a workflow may declare: one name has one meaning and one type, for all clients.

And which of them a delivery may read: those that there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from enrichment_assets.domain.delivery_checks import lead_column_faults
from enrichment_assets.domain.lead_columns import TYPES_IN_DUCKDB, ColumnType
from enrichment_assets.domain.name_checks import Fault
from enrichment_assets.domain.suggestions import did_you_mean
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.settings import Settings

_RENAME = "give the field another name"


def column_faults(
    settings: Settings, workflow: WorkflowDefinition, others: Iterable[WorkflowDefinition]
) -> list[Fault]:
    """What is wrong with the columns that a workflow declares, or reads as a delivery, beside the registry's others.

    A column that was extracted once keeps its type, also where nobody declares it any more: files and the published
    table are of that type.
    """
    if workflow.delivery is not None:
        return list(lead_column_faults(workflow, _columns_of_leads(others)))
    if not workflow.columns:
        return []
    from enrichment_assets.warehouse.copies import brought  # the models are read for it, and few workflows get here
    from enrichment_assets.warehouse.generations import ALL
    from enrichment_assets.warehouse.lead_columns import known_types, reserved

    kept = {name: TYPES_IN_DUCKDB[kind] for name, kind in known_types(brought(settings, batch_key=ALL)).items()}
    return list(_faults(workflow, list(others), reserved(), kept))


def _columns_of_leads(workflows: Iterable[WorkflowDefinition]) -> set[str]:
    """Every column that a lead has: those of the models, and what these workflows declare."""
    from enrichment_assets.warehouse.lead_columns import own_columns

    return {*own_columns(), *(name for workflow in workflows for name in workflow.columns)}


def _faults(
    workflow: WorkflowDefinition,
    others: list[WorkflowDefinition],
    reserved: frozenset[str],
    kept: dict[str, ColumnType],
) -> Iterator[Fault]:
    for name, column in workflow.columns.items():
        place = ("provides", name, "column")
        if name not in workflow.provides:
            meant = did_you_mean(name, workflow.provides)
            yield Fault(("columns", name), f"the workflow does not provide {name}{meant}")
            continue
        if name in reserved:
            yield Fault(place, f"final_leads has a column {name!r} of its own: leave `column` out, or {_RENAME}")
            continue
        other = next((o for o in others if name in o.columns and o.columns[name].type is not column.type), None)
        if other is not None:
            theirs = other.columns[name].type
            yield Fault(place, f"{name!r} is {theirs} in workflow {other.slug}: declare `type: {theirs}`, or {_RENAME}")
        elif kept.get(name, column.type) is not column.type:
            yield Fault(
                place,
                f"{name!r} is {kept[name]} in the leads that are there: declare `type: {kept[name]}`, or {_RENAME}",
            )
