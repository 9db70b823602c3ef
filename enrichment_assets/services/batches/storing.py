"""Storing results where configuration says: set-based, typed, upserted, per client.

At least once: results are upserted into the destination first and marked stored after, so that a crash in between
only repeats an upsert. A workflow's code knows no table name; its row in the registry does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.errors import UniqueViolation

from enrichment_assets.domain.coercion import UNFIT, coerce
from enrichment_assets.domain.companies import domain_of_row
from enrichment_assets.domain.destination import Destination
from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.expressions import Expression
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.services.batches.advancing import load_batch
from enrichment_assets.services.catalog.destination_names import refuse_reserved_name
from enrichment_assets.store.database import Connection
from enrichment_assets.store.database_errors import described
from enrichment_assets.store.hq import Database, Hq
from enrichment_assets.store.loading import Feed, Stream
from enrichment_assets.store.results import destinations, plain_values
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
    mapping = _Mapping(batch, slug, destination)
    target = hq.workspace if destination.database == "workspace" else hq
    written, unfit = 0, Counter[str]()
    with hq.transaction() as connection:
        waiting = destinations.unstored_items(connection, batch.batch_id, slug)
    if waiting:
        with target.transaction() as connection:
            destinations.ensure_table(connection, destination, slug)
    for start in range(0, len(waiting), mapping.chunk):
        chunk = _Chunk(hq, mapping, waiting[start : start + mapping.chunk])
        written += chunk.store(target)
        unfit += chunk.unfit
        with hq.transaction() as connection:
            transitions.mark_stored(connection, slug, chunk.stored)
    return StoreReport(slug, destination.table, written, dict(unfit))


class _Mapping:
    """`destination.columns` compiled: what is read of a result, and the destination row that it makes.

    A column with a plain path is read alone, in Postgres: a document of some KB need not travel for a title of it.

    Attributes:
        cells: What the columns read, with their types, where each of them reads a value alone; None: some do not.
    """

    def __init__(self, batch: Batch, slug: str, destination: Destination) -> None:
        self.whose = (batch.client_slug, batch.batch_key, slug)
        self.destination = destination
        self._columns: list[tuple[str, Expression, str, int | None]] = []
        self._cells: list[destinations.Cell] = []
        for name, column in destination.columns.items():
            expression = Expression(column.source, f"workflow {slug}, destination.columns.{name}")
            cell = destinations.cell_of(expression.path, as_text=column.type == "jsonb")
            self._columns.append((name, expression, column.type, None if cell is None else len(self._cells)))
            self._cells += [] if cell is None else [cell]
        self._whole = len(self._cells) < len(self._columns)
        types = [column.type for column in destination.columns.values()]
        self.cells = None if self._whole else list(zip(self._cells, types, strict=True))
        self.chunk = WHOLE_CHUNK if self._whole else CHUNK

    def read(self, connection: Connection, item_ids: Sequence[int]) -> list[tuple[Any, ...]]:
        """The waiting results of these items, as `row` takes them; each begins with item id and `fetched_at`."""
        return destinations.unstored_results(connection, self.whose[-1], item_ids, self._cells, whole=self._whole)

    def row(self, result: tuple[Any, ...], unfit: Counter[str]) -> tuple[Any, ...]:
        """The destination row of a result: built-in columns, then the mapped ones; counts what does not fit."""
        item_id, fetched_at, *values = result
        client, batch, slug = self.whose
        seen = dict(zip(("item", "fields", "payload"), values[-3:], strict=True)) if self._whole else {}
        if self._whole and seen["item"]["company_domain"] is None:
            # Lists have websites, and a key of no domain would be the same for all companies.
            seen["item"]["company_domain"] = domain_of_row(seen["item"])
        mapped = [_value(column, values, seen, unfit) for column in self._columns]
        return (client, batch, item_id, slug, fetched_at, *mapped)


def _value(
    column: tuple[str, Expression, str, int | None],
    values: Sequence[Any],
    seen: Mapping[str, Any],
    unfit: Counter[str],
) -> Any:
    name, expression, kind, place = column
    if place is not None and kind == "jsonb":
        return values[place]  # its text as Postgres gave it
    try:
        value = coerce(values[place] if place is not None else expression(seen), kind)
    except ContractError:
        value = UNFIT
    if value is UNFIT:
        unfit[name] += 1
        return None
    return value


class _Chunk:
    """Some waiting results on their way.

    Attributes:
        stored: (item id, fetched_at) of those that were written.
        unfit: Per column how many values did not fit its type.
    """

    def __init__(self, hq: Hq, mapping: _Mapping, item_ids: Sequence[int]) -> None:
        self.stored: list[tuple[int, datetime]] = []
        self.unfit: Counter[str] = Counter()
        self._hq = hq
        self._mapping = mapping
        self._item_ids = item_ids

    def store(self, target: Database) -> int:
        """Write them; how many rows that made. What is there is only looked for where something may be."""
        destination, (client, batch, _) = self._mapping.destination, self._mapping.whose
        feed = self._feed if target is not self._hq else self._fed_before()
        with target.transaction() as connection:
            are_new = destinations.takes_as_new(connection, destination, client, batch, self._item_ids)
        if are_new:
            try:
                with target.transaction() as connection:
                    destinations.insert(connection, destination, feed)
                return len(self.stored)
            except UniqueViolation:
                pass  # another process has stored one of them meanwhile
        with target.transaction() as connection:
            return destinations.upsert(connection, destination, feed)

    def _feed(self, stream: Stream) -> None:
        """Read the results, and write a row of each: as bytes where every value is plain, else with values coerced."""
        self.stored.clear()
        self.unfit.clear()
        odd = list(self._item_ids)
        with self._hq.transaction() as connection:
            if self._mapping.cells is not None:
                odd = []
                for line in plain_values.lines(connection, self._mapping.whose, self._item_ids, self._mapping.cells):
                    if line.row is None:
                        odd.append(line.item_id)
                    else:
                        stream.write(line.row)
                        self.stored.append((line.item_id, line.fetched_at))
            for result in self._mapping.read(connection, odd) if odd else ():
                stream.write_row(self._mapping.row(result, self.unfit))
                self.stored.append((result[0], result[1]))

    def _fed_before(self) -> Feed:
        """The rows, read before they are written: one database has one transaction of ours at a time."""
        kept = _Kept()
        self._feed(kept)
        return kept.write_into


class _Kept:
    """Rows and lines in memory."""

    def __init__(self) -> None:
        self._written: list[bytes | Sequence[Any]] = []

    def write(self, line: bytes) -> None:
        """Keep a line of COPY."""
        self._written.append(line)

    def write_row(self, row: Sequence[Any]) -> None:
        """Keep a row of values."""
        self._written.append(row)

    def write_into(self, stream: Stream) -> None:
        """Write all of it."""
        for one in self._written:
            if isinstance(one, bytes):
                stream.write(one)
            else:
                stream.write_row(one)
