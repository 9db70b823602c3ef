"""Gives the amounts of a report their currency: the warehouse keeps numbers, a batch's blueprint the currency."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from enrichment_assets.domain.money import PLACES, Money
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.money.currencies import currencies_of_batches


def money_columns(columns: Sequence[str]) -> tuple[str, ...]:
    """Columns of a report that hold amounts: `cost`, `cost_per_lead` ..."""
    return tuple(name for name in columns if name == "cost" or name.startswith("cost_per_"))


def with_currencies(hq: Hq, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[tuple[Any, ...]]:
    """The rows, amounts as `Money`: in the workflow's currency, or in the batch's where all of its calls have one."""
    amounts = {columns.index(name) for name in money_columns(columns)}
    if not amounts:
        yield from map(tuple, rows)
        return
    with hq.transaction() as connection:
        known = currencies_of_batches(connection)
    for row in rows:
        said = dict(zip(columns, row, strict=True))
        currency = currency_of(known.get(said["batch_key"], {}), said.get("workflow_slug"))
        yield tuple(_money(value, currency) if place in amounts else value for place, value in enumerate(row))


def currency_of(by_workflow: Mapping[str, str], workflow: str | None) -> str:
    """The currency of a workflow of a batch; of all of them where they have one, else none."""
    if workflow is not None:
        return by_workflow.get(workflow, "")
    found = set(by_workflow.values())
    return found.pop() if len(found) == 1 else ""


def _money(value: Decimal | float | None, currency: str) -> Money | None:
    """Ratios are floats: they are rounded to the places that an amount can have. What was free is no amount."""
    if not value:
        return None
    return Money(round(Decimal(value), PLACES).normalize(), currency)
