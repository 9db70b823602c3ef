"""Every registered workflow as an asset of the graph: its key, what it comes after, and what people read about it.

What a run does with them is in `enrichment.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from enrichment_assets.assets.descriptions import plain
from enrichment_assets.assets.direct import direct_parents
from enrichment_assets.assets.partitions import OWNERS, batches
from enrichment_assets.assets.uploads import BATCH_ITEMS
from enrichment_assets.domain.expressions import fields_named
from enrichment_assets.domain.field_types import type_of
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition

GROUP = "enrichment"


def step_key(slug: str) -> dg.AssetKey:
    """The asset of a workflow: its slug with underscores (slugs have none of their own)."""
    return dg.AssetKey(slug.replace("-", "_"))


@dataclass(frozen=True)
class StepGraph:
    """The steps of a code location.

    Attributes:
        slugs: The workflow of each asset, in an order in which each comes after what it reads.
        parents: Of each asset, what it directly comes after: earlier steps, or the items.
        last: The steps that no other one comes after; the items, where there is no step.
    """

    slugs: Mapping[dg.AssetKey, str]
    parents: Mapping[dg.AssetKey, Sequence[dg.AssetKey]]
    last: Sequence[dg.AssetKey]


def step_graph(workflows: Sequence[WorkflowDefinition]) -> StepGraph:
    """A workflow comes after the items, and after the earlier ones that provide what it reads."""
    ordered = _in_order(workflows)
    reads = {step_key(w.slug): _read(w, ordered[:place]) for place, w in enumerate(ordered)}
    parents = direct_parents(reads)
    inner = {parent for mine in parents.values() for parent in mine}
    last = [key for key in parents if key not in inner] or [BATCH_ITEMS]
    return StepGraph({step_key(w.slug): w.slug for w in ordered}, parents, last)


def step_specs(workflows: Sequence[WorkflowDefinition]) -> list[dg.AssetSpec]:
    """One spec per workflow. Each may stay out of a run: a batch has the steps of its blueprint only."""
    parents = step_graph(workflows).parents
    return [_spec(workflow, parents[step_key(workflow.slug)]) for workflow in _in_order(workflows)]


def _in_order(workflows: Sequence[WorkflowDefinition]) -> list[WorkflowDefinition]:
    return sorted(workflows, key=lambda w: (w.step, w.slug))


def _read(workflow: WorkflowDefinition, earlier: Sequence[WorkflowDefinition]) -> list[dg.AssetKey]:
    reads = workflow.required_fields | set(workflow.uses)
    if workflow.run_if:
        reads |= fields_named(workflow.run_if)
    before = [w for w in earlier if w.step < workflow.step and reads & w.provided_fields]
    return [BATCH_ITEMS, *(step_key(w.slug) for w in before)]


def _spec(workflow: WorkflowDefinition, parents: Sequence[dg.AssetKey]) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=step_key(workflow.slug),
        deps=parents,
        skippable=True,
        partitions_def=batches,
        group_name=GROUP,
        owners=OWNERS,
        kinds={workflow.provider, workflow.mode.value},
        description=_describe(workflow),
        tags={"enrich/mode": workflow.mode.value, "enrich/entity": workflow.entity.value},
        metadata={
            "workflow": workflow.slug,
            "provider": workflow.provider,
            "operation": workflow.operation,
            "overall_step_number": workflow.step,
            "requires": dg.MetadataValue.json(list(workflow.requires)),
            "price_estimate": workflow.price.said,
            **({"runs_only_if": workflow.run_if} if workflow.run_if else {}),
            "dagster/column_schema": _columns(workflow),
        },
    )


def _columns(workflow: WorkflowDefinition) -> dg.TableSchema:
    """What the workflow provides, each with its type (`domain.field_types`)."""
    mapped = {name: f"JMESPath over the payload: {path}" for name, path in workflow.provides.items()}
    derived = dict.fromkeys(
        sorted(workflow.provided_fields - mapped.keys()), "From the addresses, numbers and verdicts."
    )
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name, type_of(name, workflow.types).value, description=origin)
            for name, origin in (mapped | derived).items()
        ]
    )


def _describe(workflow: WorkflowDefinition) -> str:
    """Sentences without markup: lists of assets show a description as it is written."""
    modes = {
        Mode.LOCAL: "computed here",
        Mode.SYNC: "answered in the response",
        Mode.ASYNC: "answered by a later callback",
    }
    sentences = [f"{workflow.title.rstrip('.')}, {modes[workflow.mode]}.", workflow.description]
    return plain("\n\n".join(sentence for sentence in sentences if sentence))
