"""What an answer emits, as the child items that are committed with it."""

from __future__ import annotations

from dataclasses import replace

from enrichment_assets.domain.emission import Emission, Parent, emission_of
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.planning import child_route
from enrichment_assets.domain.suppression import Hasher
from enrichment_assets.engine.decisions.decision import Decision
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.event_log import log_event
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.store.runs.contexts import LoadedItem


def with_children(run: Run, item: LoadedItem, step: Step, decision: Decision) -> tuple[Decision, Emission | None]:
    """The decision with a word on what was left out, and its child items; None: it emits nothing."""
    if decision.reading is None or not decision.reading.emitted:
        return decision, None
    known = {**item.fields_at(step.blueprint.position), **item.identity}
    parent = Parent(item.item_id, item.company_key, known, item.identity.get("country"))
    emission = emission_for(run.batch.blueprint, step, parent, decision, run.suppressing.hasher)
    if emission is None:
        return decision, None
    return replace(decision, reason="; ".join(filter(None, [emission.note, decision.reason])) or None), emission


def emission_for(
    blueprint: Blueprint, step: Step, parent: Parent, decision: Decision, hasher: Hasher | None
) -> Emission | None:
    """The child items of a decision about `parent`; the same for a live answer and for one that is read again.

    `hasher`: of the pepper, needed where the batch skips leads that the client has already.
    """
    emits = step.workflow.emits
    if emits is None or decision.reading is None or not decision.reading.emitted:
        return None
    emission = emission_of(
        decision.reading.emitted,
        parent,
        workflow=step.slug,
        emits=emits,
        key_of=step.reader.emitted_key,
        route=child_route(blueprint, step.slug),
        company_rules=blueprint.company_identity,
        hasher=hasher if blueprint.skips_known else None,
    )
    target = blueprint.target
    return replace(emission, most_in_batch=target.most) if target and target.of == step.slug else emission


def log_emission(run: Run, step: Step, item: LoadedItem, emission: Emission) -> None:
    """Say how many children an answer emitted, and how many elements of it became none."""
    log_event(
        run,
        "emitted",
        step,
        item_id=item.item_id,
        children=len(emission.children),
        unusable=emission.unusable or None,
        beyond=emission.beyond or None,
    )
