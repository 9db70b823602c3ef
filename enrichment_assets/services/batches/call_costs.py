"""What the calls of a step can cost at most, before a launch: of a prompt from the rows themselves, where they tell.

A prompt's input that an earlier step gives is not known yet. Then, and for long lists, the bound is that of the largest
request that `prompt.max_input_tokens` lets through. A second ask of an answer that is not as asked is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson

from enrichment_assets.domain.client_profiles import PROFILE
from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.known_names import given_by
from enrichment_assets.domain.pipeline import BlueprintStep
from enrichment_assets.domain.prompts.model_provider import ModelProvider, as_dialect
from enrichment_assets.domain.prompts.rendering import PromptRenderer
from enrichment_assets.domain.prompts.settlement import reserved_for
from enrichment_assets.domain.provider import Provider
from enrichment_assets.domain.reads import reads_of
from enrichment_assets.domain.workflow import Entity
from enrichment_assets.services.batches.items import ItemMaker, loaded_row, rows_within
from enrichment_assets.store.batches.items import ITEM_COLUMNS
from enrichment_assets.store.runs.contexts import LoadedItem

if TYPE_CHECKING:
    from enrichment_assets.services.batches.launch_plan import Draft

MOST_ROWS = 5_000
"""Rows whose requests are made to see how large they are; of more the largest possible request is counted."""

_OF_THE_ITEM = frozenset({"item", "callback_url", "external_id"})
"""What a request says of an item, and nobody knows before there is one."""


@dataclass(frozen=True, slots=True)
class CallCosts:
    """Money for one call at most, and for all; `by_rows`: as the rows would be asked about."""

    each: Decimal
    total: Decimal
    by_rows: bool = False


def call_costs(draft: Draft, step: BlueprintStep, provider: Provider | None, calls: int, *, by_rows: bool) -> CallCosts:
    """The costs of a step that makes so many calls at most; `by_rows`: read the rows where they tell."""
    workflow = step.workflow
    if isinstance(provider, ModelProvider):
        workflow = as_dialect(workflow, provider)  # a vendor's batch API has a price of its own
    price, prompt = workflow.price, workflow.prompt
    asks = 1 if prompt is None else 1 + workflow.retry.invalid_answers
    if prompt is None or provider is None or price.tokens is None:
        each = max(price.estimate, price.not_found or Decimal(0)) * asks
        return CallCosts(each, each * calls)
    told = draft.blueprint.client_profile
    profile = {} if told is None else told.profile.values()
    context: dict[str, Any] = {"parameters": workflow.parameters, PROFILE: profile}
    try:
        renderer = PromptRenderer(workflow, provider)
        if by_rows and draft.items <= MOST_ROWS and _told_by_rows(draft, step):
            sizes = _sizes(draft, step, renderer, context)
            costs = [reserved_for(price, prompt, size, asks) for size in sizes]
            dearest = sorted(costs, reverse=True)[:calls] if draft.skipped else costs
            return CallCosts(max(costs, default=Decimal(0)), sum(dearest, Decimal(0)), by_rows=True)
        each = reserved_for(price, prompt, renderer.most_bytes(context), asks)
    except (ConfigurationError, ContractError):  # it is refused elsewhere
        each = Decimal(0)
    return CallCosts(each, each * calls)


def _told_by_rows(draft: Draft, step: BlueprintStep) -> bool:
    """Whether what a prompt reads stands in the rows: no earlier step gives it, and no item has to be there."""
    read = {one.head for one in reads_of(step.workflow)}
    given: set[str] = set()
    for earlier in draft.blueprint.steps[: step.position]:
        given |= given_by(earlier.workflow)
        if earlier.workflow.emits is not None:
            return False
    return not read & (given | _OF_THE_ITEM)


def _sizes(draft: Draft, step: BlueprintStep, renderer: PromptRenderer, context: dict[str, Any]) -> list[int]:
    """Bytes of the request about each row that can be asked about; of a company that of its largest row."""
    by_company: dict[str, int] = {}
    alone: list[int] = []
    for item in _items(draft):
        seen = {**item.fields_at(step.position), "original": item.original or {}, **context}
        if step.workflow.missing_requirements(seen):
            continue
        try:
            size = len(renderer.render(seen).content or b"")
        except ContractError:
            continue
        if step.workflow.entity is Entity.COMPANY and item.company_key is not None:
            by_company[item.company_key] = max(size, by_company.get(item.company_key, 0))
        else:
            alone.append(size)
    return [*by_company.values(), *alone]


def _items(draft: Draft) -> Iterator[LoadedItem]:
    maker = ItemMaker(0, 0, draft.upload["columns"], draft.blueprint.company_identity)
    for batch in rows_within(draft.read(), draft.window):
        for values in maker.items(batch):
            row = dict(zip(ITEM_COLUMNS, values, strict=True))
            details = orjson.loads(row["details"]) if row["details"] else {}
            yield loaded_row(row, details, orjson.loads(row["original_data"]))
