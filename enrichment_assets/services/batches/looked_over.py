"""What the rows of a list say of a launch before it: how many companies they name, and what steps lack of them.

A row is read once for both. Reading one takes 0.1 ms of the processor, so only the first rows are read where no company
step needs them all. A row lacks an input where neither its cells nor any step before that runs for it give one:
the batch would skip it there as `missing_input`. What an earlier step may or may not find counts as given.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa

from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.known_names import given_by
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.planning import ends_parent
from enrichment_assets.domain.workflow import Entity
from enrichment_assets.services.batches.items import ItemMaker, loaded_row, rows_within
from enrichment_assets.store.batches.items import ITEM_COLUMNS

ROWS_READ = 10_000
"""Rows that are looked at for what they lack, where the pipeline has no company step."""

_COMPANY, _DETAILS, _ORIGINAL = (ITEM_COLUMNS.index(name) for name in ("company_key", "details", "original_data"))
_IDENTITY = [(name, ITEM_COLUMNS.index(name)) for name in IDENTITY_FIELDS]


@dataclass(frozen=True, slots=True)
class LackingInput:
    """Rows that a step is certain to skip, for nobody gives them a field that it requires.

    Attributes:
        workflow: The step.
        fields: What it requires: any one of these would do.
        rows: How many rows have none, of those that were looked at.
        of: How many rows were looked at: the first ones.
        after: Earlier steps that would give one, and that are skipped for such rows themselves.
    """

    workflow: str
    fields: tuple[str, ...]
    rows: int
    of: int
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LookedOver:
    """What was seen. `companies`: how often a company step calls at most; None where the pipeline has none."""

    companies: int | None
    lacking: tuple[LackingInput, ...]


def look_over(
    rows: Iterable[pa.RecordBatch], columns: Sequence[dict[str, Any]], blueprint: Blueprint, window: slice
) -> LookedOver:
    """Read the rows of an upload that become items, as `rows` gives them.

    A company step calls once a distinct company, and once for each row that names none.
    """
    has_companies = any(step.workflow.entity is Entity.COMPANY for step in blueprint.steps)
    if not has_companies:
        window = slice(window.start, min(window.stop or sys.maxsize, (window.start or 0) + ROWS_READ))
    maker = ItemMaker(0, 0, columns, blueprint.company_identity)
    distinct: set[str] = set()
    without = 0
    alike: Counter[frozenset[str]] = Counter()
    fields: dict[frozenset[str], frozenset[str]] = {}
    for batch in rows_within(rows, window):
        for item in maker.items(batch):
            if (company := item[_COMPANY]) is None:
                without += 1
            else:
                distinct.add(company)
            details = orjson.loads(item[_DETAILS]) if item[_DETAILS] else {}
            names = frozenset([name for name, place in _IDENTITY if item[place] is not None] + list(details))
            alike[names] += 1
            if names not in fields:
                fields[names] = _fields_of(item, details)
    kinds: Counter[frozenset[str]] = Counter()
    for names, count in alike.items():
        kinds[fields[names]] += count
    return LookedOver(len(distinct) + without if has_companies else None, lacking_inputs(blueprint, kinds))


def lacking_inputs(blueprint: Blueprint, kinds: Mapping[frozenset[str], int]) -> tuple[LackingInput, ...]:
    """What is lacking, in the order of the steps; `kinds`: fields that rows have -> how many rows have just these."""
    found: dict[tuple[str, str], tuple[int, set[str]]] = {}
    for fields, count in kinds.items():
        available, skipped = dict.fromkeys(fields, "given"), list[tuple[str, frozenset[str]]]()
        for step in blueprint.steps:
            missing = step.workflow.missing_requirements(available)
            for alternatives in missing:
                wanted = set(alternatives.split("|"))
                rows, after = found.get((step.slug, alternatives), (0, set()))
                after |= {slug for slug, gives in skipped if gives & wanted}
                found[step.slug, alternatives] = rows + count, after
            if missing:
                skipped.append((step.slug, given_by(step.workflow)))
            elif ends_parent(step.workflow):
                break  # its child items take the steps behind it
            else:
                available |= dict.fromkeys(given_by(step.workflow), "given")
    of = sum(kinds.values())
    order = {step.slug: step.position for step in blueprint.steps}
    return tuple(
        LackingInput(slug, tuple(alternatives.split("|")), rows, of, tuple(sorted(after, key=order.__getitem__)))
        for (slug, alternatives), (rows, after) in sorted(found.items(), key=lambda one: order[one[0][0]])
    )


def _fields_of(item: tuple[Any, ...], details: Mapping[str, Any]) -> frozenset[str]:
    """The fields that the first step sees of a row; of rows with the same names all see the same ones."""
    loaded = loaded_row(dict(zip(ITEM_COLUMNS, item, strict=True)), details, orjson.loads(item[_ORIGINAL]))
    return frozenset(name for name, value in loaded.fields_at(0).items() if value not in (None, ""))
