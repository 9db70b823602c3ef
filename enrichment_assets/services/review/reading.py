"""The drafts of a batch as they are now: their bytes, the facts they rest on, and the template they were written by."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from enrichment_assets.domain.drafts import Bytes, sha256
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.merge_policy import HUMAN_POSITION
from enrichment_assets.domain.pipeline import Blueprint, BlueprintStep, ClientWorkflowConfig
from enrichment_assets.domain.planning import apply_config, fields_read, profile_names
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.services.batches.loaded_items import load
from enrichment_assets.store.catalog import profiles, registry
from enrichment_assets.store.database import Connection, Row
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.review.drafts import items_with_drafts
from enrichment_assets.store.runs.contexts import LoadedItem

AT_ONCE = 1_000
"""Items that are in memory at once."""

_OF_TEMPLATE = {"provider", "operation", "parameters", "request", "prompt", "response", "provides"}
"""What of a workflow says how a draft comes about. Its price, limits and conditions change no word of it."""


@dataclass(frozen=True)
class Draft:
    """One draft of one lead.

    Attributes:
        item_id: The lead's item.
        workflow: Whose draft it is.
        values: Its fields, as the lead has them.
        of: What an approval of it is bound to.
        lead: All fields of the lead.
        facts: Those that the workflow reads.
    """

    item_id: int
    workflow: str
    values: Mapping[str, Any]
    of: Bytes
    lead: Mapping[str, Any]
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class ReviewedBatch:
    """A batch with workflows whose drafts are approved.

    Attributes:
        row: Its row, with the client's slug.
        templates: Workflow -> hash of its template as it is now.
    """

    row: Row
    templates: Mapping[str, bytes]

    @cached_property
    def blueprint(self) -> Blueprint:
        """Its snapshot of the pipeline."""
        return Blueprint.model_validate(self.row["blueprint"])

    @cached_property
    def steps(self) -> dict[str, BlueprintStep]:
        """Its steps that write drafts, by workflow."""
        return {step.slug: step for step in self.blueprint.steps if step.workflow.drafts}

    @cached_property
    def reads(self) -> dict[str, list[str]]:
        """The fields that each of them reads, in order."""
        return {slug: sorted(fields_read(step.workflow)) for slug, step in self.steps.items()}


def reviewed(connection: Connection, row: Row) -> ReviewedBatch:
    """A batch, with the templates of its drafts as registry, client's settings and profile have them now."""
    steps = ReviewedBatch(row, {}).steps
    found = {
        one["workflow_slug"]: one for one in registry.list_workflow_rows(connection) if one["workflow_slug"] in steps
    }
    configs = registry.client_configs(connection, row["client_id"])
    profile = profiles.latest(connection, row["client_id"])
    told = {} if profile is None else profile.profile.values()
    templates = {}
    for slug, step in steps.items():
        current = step.workflow
        if slug in found:
            current = _as_configured(row["client"], registry.workflow_of(found[slug]), configs.get(slug), current)
        templates[slug] = _template(current, told)
    return ReviewedBatch(row, templates)


def _as_configured(
    client: str, workflow: WorkflowDefinition, config: ClientWorkflowConfig | None, launched: WorkflowDefinition
) -> WorkflowDefinition:
    """The registry's workflow with the client's settings; where these do not fit it any more, as it was launched."""
    try:
        return apply_config(client, workflow, config or ClientWorkflowConfig())
    except ConfigurationError:
        return launched


def _template(workflow: WorkflowDefinition, profile: Mapping[str, Any]) -> bytes:
    written = workflow.model_dump(mode="json", by_alias=True, include=_OF_TEMPLATE)
    return sha256({"workflow": written, "profile": {name: profile.get(name) for name in profile_names(workflow)}})


def read_drafts(
    hq: Hq,
    batch: ReviewedBatch,
    workflows: Collection[str] | None = None,
    item_ids: Sequence[int] | None = None,
    first: int = 0,
) -> Iterator[Draft]:
    """The drafts of a batch by item and step: of these workflows and items, or all; from the item `first` on.

    There is one where the workflow has found something and a person has not emptied all of its fields since.
    """
    slugs = [slug for slug in batch.steps if workflows is None or slug in workflows]
    with hq.transaction() as connection:
        wanted = items_with_drafts(connection, batch.row["id"], slugs, item_ids, first)
    for start in range(0, len(wanted), AT_ONCE):
        some = wanted[start : start + AT_ONCE]
        items = load(hq, [item_id for item_id, _ in some], batch.blueprint)
        for item, (_, found) in zip(items, some, strict=True):
            yield from _drafts(batch, item, found)


def _drafts(batch: ReviewedBatch, item: LoadedItem, found: Sequence[str]) -> Iterator[Draft]:
    lead = item.fields_at(HUMAN_POSITION)
    for slug in found:
        step = batch.steps[slug]
        values = {name: lead[name] for name in step.workflow.drafts if lead.get(name) is not None}
        if not values:
            continue
        seen = item.fields_at(step.position)
        facts = {name: seen[name] for name in batch.reads[slug] if seen.get(name) is not None}
        yield Draft(
            item.item_id, slug, values, Bytes(sha256(values), sha256(facts), batch.templates[slug]), lead, facts
        )
