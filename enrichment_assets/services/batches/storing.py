"""Storing results where configuration says: set-based, typed, upserted, per client.

At least once: results are upserted into the destination first and marked stored after, so that a crash in between
only repeats an upsert. A workflow's code knows no table name; its row in the registry does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from enrichment_assets.domain.coercion import UNFIT, coerce
from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.mapping import Expression
from enrichment_assets.domain.workflow import Destination
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.services.batches.advancing import load_batch
from enrichment_assets.services.catalog.destination_names import refuse_reserved_name
from enrichment_assets.store.database import Connection
from enrichment_assets.store.database_errors import described
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.results import destinations
from enrichment_assets.store.states import transitions

CHUNK = 10_000
"""Results that are written and noted as stored together, where each is a few cells."""

WHOLE_CHUNK = 1_000
"""The same where an expression needs the documents whole."""


@dataclass(frozen=True, slots=True)
class StoreReport:
    """What one workflow stored: rows written, and per column how many values did not fit its type (stored as null).

    `problem`: why its destination could not be written; its results stay unstored, and a later run stores them.
    """

    workflow: str
    table: str
    rows: int
    unfit: Mapping[str, int]
    problem: str | None = None


# crash point: results-are-stored
def store_results(hq: Hq, batch_key: str) -> dict[str, StoreReport]:
    """Store every result of the batch that has a destination and is not stored yet. Workflow slug -> report.

    A destination that cannot be written (its table is missing, has other types, or may not be touched) keeps no other
    from being written: its report says why.

    Raises:
        InfrastructureError: A database cannot be reached.
    """
    batch = load_batch(hq, batch_key)
    reports = {}
    for step in batch.blueprint.steps:
        destination = step.workflow.destination
        if destination is None:
            continue
        try:
            refuse_reserved_name(step.workflow)
            reports[step.slug] = _store(hq, batch, step.slug, destination)
        except ConfigurationError as error:
            reports[step.slug] = StoreReport(step.slug, destination.table, 0, {}, str(error))
        except (psycopg.OperationalError, psycopg.InterfaceError):
            raise
        except psycopg.Error as error:
            problem = f"the table {destination.table!r} cannot be written: {described(error)}"
            reports[step.slug] = StoreReport(step.slug, destination.table, 0, {}, problem)
    return reports


def _store(hq: Hq, batch: Batch, slug: str, destination: Destination) -> StoreReport:
    target = hq.workspace if destination.database == "workspace" else hq
    mapping = _Mapping(batch, slug, destination)
    written = 0
    with hq.transaction() as connection:
        waiting = destinations.unstored_items(connection, batch.batch_id, slug)
    for start in range(0, len(waiting), mapping.chunk):
        with hq.transaction() as connection:
            chunk = mapping.read(connection, waiting[start : start + mapping.chunk])
        with target.transaction() as connection:
            if start == 0:
                destinations.ensure_table(connection, destination, slug)
            written += destinations.upsert(connection, destination, list(map(mapping.row, chunk)))
        with hq.transaction() as connection:
            transitions.mark_stored(connection, slug, [result[:2] for result in chunk])
    return StoreReport(slug, destination.table, written, dict(mapping.unfit))


class _Mapping:
    """`destination.columns` compiled: what is read of a result, and the destination row that it makes.

    A column with a plain path is read alone, in Postgres: a document of some KB need not travel for a title of it.
    """

    def __init__(self, batch: Batch, slug: str, destination: Destination) -> None:
        self._batch = batch
        self._slug = slug
        self._columns: list[tuple[str, Expression, str, int | None]] = []
        self._cells: list[destinations.Cell] = []
        for name, column in destination.columns.items():
            expression = Expression(column.source, f"workflow {slug}, destination.columns.{name}")
            cell = destinations.cell_of(expression.path, as_text=column.type == "jsonb")
            self._columns.append((name, expression, column.type, None if cell is None else len(self._cells)))
            self._cells += [] if cell is None else [cell]
        self._whole = len(self._cells) < len(self._columns)
        self.chunk = WHOLE_CHUNK if self._whole else CHUNK
        self.unfit: Counter[str] = Counter()

    def read(self, connection: Connection, item_ids: Sequence[int]) -> list[tuple[Any, ...]]:
        """The waiting results of these items, as `row` takes them; each begins with item id and `fetched_at`."""
        return destinations.unstored_results(connection, self._slug, item_ids, self._cells, whole=self._whole)

    def row(self, result: tuple[Any, ...]) -> tuple[Any, ...]:
        """The destination row of a result: built-in columns, then the mapped ones."""
        item_id, fetched_at, *values = result
        seen = dict(zip(("item", "fields", "payload"), values[-3:], strict=True)) if self._whole else {}
        mapped = [self._value(column, values, seen) for column in self._columns]
        return (self._batch.client_slug, self._batch.batch_key, item_id, self._slug, fetched_at, *mapped)

    def _value(
        self, column: tuple[str, Expression, str, int | None], values: Sequence[Any], seen: Mapping[str, Any]
    ) -> Any:
        name, expression, kind, place = column
        if place is not None and kind == "jsonb":
            return values[place]  # its text as Postgres gave it
        try:
            value = coerce(values[place] if place is not None else expression(seen), kind)
        except ContractError:
            value = UNFIT
        if value is UNFIT:
            self.unfit[name] += 1
            return None
        return value
