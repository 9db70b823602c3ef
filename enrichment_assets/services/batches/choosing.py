"""One step for chosen items of a batch: which they are, and what asking for them would do. Writes nothing.

Who chooses gives conditions over fields (`domain.conditions`), which see what the step would see of the item.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from enrichment_assets.domain.conditions import ORIGINAL, Condition
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.known_names import UPLOADED
from enrichment_assets.domain.pipeline import Blueprint, BlueprintStep
from enrichment_assets.domain.prompts.settlement import reserved_for
from enrichment_assets.domain.statuses import Status
from enrichment_assets.domain.suggestions import instead
from enrichment_assets.domain.workflow import Entity
from enrichment_assets.services.batches.extracting import NotStartedError
from enrichment_assets.services.batches.foresight import Hindrance, lacking, next_runner
from enrichment_assets.services.batches.loaded_items import load
from enrichment_assets.services.batches.status import batch_row
from enrichment_assets.services.operations.recovery import refuse_other_workflow
from enrichment_assets.services.operations.remedies import hold_remedy
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.holds import Gate, read_holds
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.runs.contexts import LoadedItem
from enrichment_assets.store.states.chosen import ItemInStep, items_in_step

_CHUNK = 5_000
"""Items that are loaded together."""

_OF_ITEM = ("item", "row", "company")
"""What of an item itself may be named: its id, its row in the upload, its company key."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a run of one step for chosen items finds, and would do at most.

    Attributes:
        items: The chosen items.
        of_items: How many items of the batch have the step.
        companies: How many companies the chosen ones are of.
        ready: Items that would be asked about now.
        waiting: Earlier step -> chosen items that wait for it.
        ended: Status or outcome -> chosen items whose state is not PENDING: nothing is asked again.
        calls_at_most: A company is asked about once.
        cost_at_most: Of these calls, by the price's estimate.
        hindrances: Why nothing would be asked.
    """

    batch: str
    workflow: str
    where: tuple[str, ...]
    items: frozenset[int]
    of_items: int
    companies: int
    ready: int
    waiting: Mapping[str, int]
    ended: Mapping[str, int]
    calls_at_most: int
    cost_at_most: Decimal
    currency: str
    hindrances: tuple[Hindrance, ...]


def choose(hq: Hq, settings: Settings, batch_key: str, workflow: str, where: Sequence[Condition]) -> Choice:
    """Say which items are chosen, and what a run of the step would ask for them.

    Raises:
        NotFoundError: No such batch, or it has no such step.
        ConfigurationError: A condition names a field that the step does not see.
        NotStartedError: The batch has no items yet.
    """
    row = batch_row(hq, batch_key)
    blueprint = Blueprint.model_validate(row.blueprint)
    refuse_other_workflow(batch_key, blueprint, workflow)
    step = blueprint.step(workflow)
    _check_fields(blueprint, step, where)
    with hq.transaction() as connection:
        states = items_in_step(connection, row.batch_id, workflow, step.needs)
    if not states:
        raise NotStartedError(f"batch {batch_key} has no items yet: nothing of it was laid out")
    chosen = _chosen(hq, blueprint, step, states, where)
    ready = [one for one in chosen if one.status == Status.PENDING and not one.waits_for]
    calls = _calls(step, ready)
    return Choice(
        batch_key,
        workflow,
        tuple(condition.said for condition in where),
        frozenset(one.item_id for one in chosen),
        len(states),
        len({one.company_key for one in chosen if one.company_key is not None}),
        len(ready),
        Counter(slug for one in chosen if one.status == Status.PENDING for slug in one.waits_for),
        Counter((one.outcome or one.status).lower() for one in chosen if one.status != Status.PENDING),
        calls,
        calls * _estimate(step),
        step.workflow.price.currency,
        tuple(_hindrances(settings, blueprint, workflow, row.holds)),
    )


def _check_fields(blueprint: Blueprint, step: BlueprintStep, where: Sequence[Condition]) -> None:
    """Refuse conditions over what the step cannot see: they would hold for no item, or for all, whatever is there."""
    known = {*IDENTITY_FIELDS, *UPLOADED, *_OF_ITEM}
    known |= {name for before in blueprint.steps[: step.position] for name in before.workflow.provided_fields}
    for condition in where:
        if not condition.field.startswith(ORIGINAL) and condition.field not in known:
            raise ConfigurationError(
                f"{condition.said}: {step.slug} sees no field {condition.field!r}: "
                f"{instead(condition.field, sorted(known))}; a column of the upload is original.COLUMN",
                code="condition.field_unknown",
            )


def _chosen(
    hq: Hq, blueprint: Blueprint, step: BlueprintStep, states: Sequence[ItemInStep], where: Sequence[Condition]
) -> list[ItemInStep]:
    """The items for which all conditions hold."""
    if not where:
        return list(states)
    columns: set[str] = set()
    found = []
    for start in range(0, len(states), _CHUNK):
        some = states[start : start + _CHUNK]
        for state, item in zip(some, load(hq, [one.item_id for one in some], blueprint), strict=True):
            values = _values(item, step, where)
            columns |= {ORIGINAL + name for name in item.original or {}}
            if all(condition.holds(values) for condition in where):
                found.append(state)
    for condition in where:
        if condition.field.startswith(ORIGINAL) and condition.field not in columns:
            raise ConfigurationError(
                f"{condition.said}: the upload has no such column: {instead(condition.field, sorted(columns))}",
                code="condition.column_unknown",
            )
    return found


def _values(item: LoadedItem, step: BlueprintStep, where: Sequence[Condition]) -> dict[str, Any]:
    """What the conditions read of an item."""
    seen = {**item.fields_at(step.position), "item": item.item_id, "row": item.row_number, "company": item.company_key}
    original = item.original or {}
    columns = {one.field: original.get(one.field.removeprefix(ORIGINAL)) for one in where if one.field not in seen}
    return {**columns, **seen}


def _calls(step: BlueprintStep, ready: Sequence[ItemInStep]) -> int:
    """Calls at most: one for each company of a company step, else one for each item."""
    if step.workflow.provider == "local":
        return 0
    if step.workflow.entity is not Entity.COMPANY:
        return len(ready)
    return len({one.company_key or one.item_id for one in ready})


def _estimate(step: BlueprintStep) -> Decimal:
    price, prompt = step.workflow.price, step.workflow.prompt
    return price.estimate if prompt is None else reserved_for(price, prompt, 0)


def _hindrances(
    settings: Settings, blueprint: Blueprint, workflow: str, holds: Mapping[str, Mapping[str, Any]]
) -> list[Hindrance]:
    """Why nothing would be asked now: it is paused or cancelled, or a variable is not set."""
    found = lacking(next_runner(settings), blueprint, [workflow])
    hold = Gate(False, read_holds(holds)).hold_on(workflow)
    return [*found, *([] if hold is None else [Hindrance(workflow, hold.sentence, (hold_remedy(hold),))])]
