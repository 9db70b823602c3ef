"""Publishes the marts to the workspace database, so that people and tools can use them with plain Postgres.

One transaction per batch: delete what of it is not as it is now, COPY that in, all models together. Whoever reads sees
the old rows or the new ones. What is as it is now: `published_parts`. Tables are made and widened from the models'
columns; a column is never dropped or retyped here. What `schema.yml` says under `meta`: `published_indexes`;
`published_order`, in which rows are loaded (in the order of a big index it fills twice as fast); `published_folded`
(`folding`).

Indexes: the first batch of a table is loaded before there is any, in the same transaction. Building them afterwards
sorts once, where filling them row by row reads and writes pages all over them. Readers are not held up by either; other
publishers wait for the first one of a table, not for later ones.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import duckdb
import psycopg
import pyarrow as pa
from psycopg import sql

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.settings import Settings
from enrichment_assets.store.asked.changes import TABLE as ASKED
from enrichment_assets.store.database import connect as connect_postgres
from enrichment_assets.store.database_errors import described
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.links import with_signs_of_life
from enrichment_assets.store.loading import ASIDE, aside, from_aside
from enrichment_assets.store.tenancy.workspace import show_views
from enrichment_assets.warehouse.batch_session import BatchSession, open_session
from enrichment_assets.warehouse.chunks import ITEMS_A_CHUNK, ItemRange, ranges_of
from enrichment_assets.warehouse.copies import brought
from enrichment_assets.warehouse.folding import fold_rows, folded, tables_of
from enrichment_assets.warehouse.generations import ALL
from enrichment_assets.warehouse.lead_columns import project_of
from enrichment_assets.warehouse.project import Model, load_project
from enrichment_assets.warehouse.protecting import protect_marts
from enrichment_assets.warehouse.published_parts import (
    CREATION,
    ITEMS_A_PART,
    TABLE,
    Run,
    note_parts,
    of_batch,
    of_parts,
    parts_of,
    standing_parts,
)
from enrichment_assets.warehouse.published_tables import ensure, kind_of
from enrichment_assets.warehouse.session import attach, connect

_ROWS_A_CHUNK = 20_000
_INDEX_MEMORY = "256MB"
"""`maintenance_work_mem` while the indexes of a table are built."""
_TABLES_LOCK = 7_210_100
_BATCH_LOCK = 7_210_101


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What was published of one model."""

    name: str
    rows: int
    seconds: float


def publish_marts(
    hq: Hq, settings: Settings, batch_key: str, *, items_a_chunk: int = ITEMS_A_CHUNK
) -> list[PublishReport]:
    """Publish every mart of one batch in one transaction. Doing it again changes nothing.

    Raises:
        NotFoundError: The warehouse has nothing of this batch.
        InfrastructureError: The workspace database cannot be written; it is as it was before.
    """
    with open_session(settings, batch_key, items_a_chunk=items_a_chunk) as session:
        return publish_marts_in(session, hq)


# crash point: marts-are-published
def publish_marts_in(session: BatchSession, hq: Hq) -> list[PublishReport]:
    """`publish_marts` out of what a batch's session sees."""
    session.read_all()
    models = [m for m in session.project.models.values() if m.published and m.partitioned]
    url, system = hq.workspace.url, session.system
    return _publish(url, session.connection, models, session.batch_key, session.items_a_chunk, system)


def publish_organisations(hq: Hq, settings: Settings, built: Collection[str] | None = None) -> list[PublishReport]:
    """Publish the marts over all batches (organisations, golden records): replaced whole, in one transaction.

    `built`: of those that are built on demand only these; None: whichever are there.
    """
    layout = brought(settings, batch_key=ALL)
    project = project_of(layout)
    models = [
        m
        for m in project.models.values()
        if m.published
        and not m.partitioned
        and ((m.system is None and not m.on_demand) or layout.analytics(m.name).exists())
        and (not m.on_demand or built is None or m.name in built)
    ]
    duck = connect(layout)
    try:
        attach(duck, project.needed_for(model.name for model in models), layout)
        return _publish(hq.workspace.url, duck, models, None, ITEMS_A_CHUNK)
    finally:
        duck.close()


def _publish(
    url: str,
    duck: duckdb.DuckDBPyConnection,
    models: list[Model],
    batch_key: str | None,
    items_a_chunk: int,
    system: str | None = None,
) -> list[PublishReport]:
    try:
        with connect_postgres(url) as workspace:
            workspace.execute("select pg_advisory_xact_lock(%s)", [_TABLES_LOCK])
            workspace.execute(CREATION)
            for model in models:
                ensure(workspace, model)
            protect_marts(workspace, models)
            if system is not None:
                show_views(workspace, system)
        with adbc.connect(with_signs_of_life(url)) as connection:
            _execute(connection, _lock(batch_key))
            reports = [_replace(connection, duck, model, batch_key, items_a_chunk) for model in models]
            connection.commit()
    except (psycopg.Error, adbc.Error) as error:
        raise InfrastructureError(
            f"The marts could not be published: {described(error)}", code="marts.not_published"
        ) from error
    return reports


def withdraw_marts(hq: Hq, batch_key: str) -> None:
    """Delete a batch's rows from the marts that were published, and what was asked for of them by SQL.

    A mart that was never published is not made.
    """
    with hq.workspace.transaction() as workspace:
        for model in load_project().models.values():
            if not (model.published and model.partitioned):
                continue
            for name in tables_of(model):
                if kind_of(workspace, name):
                    delete = sql.SQL("delete from {} where batch_key = %s").format(sql.Identifier(name))
                    workspace.execute(delete, [batch_key])
        for name in (TABLE, ASKED):
            if kind_of(workspace, name):
                delete = sql.SQL("delete from {} where batch_key = %s").format(sql.Identifier(name))
                workspace.execute(delete, [batch_key])


def _lock(batch_key: str | None) -> sql.Composed:
    """Two publishers of one batch go one after the other; others do not wait."""
    statement = sql.SQL("select pg_advisory_xact_lock({}, hashtext({}))")
    return statement.format(sql.Literal(_BATCH_LOCK), sql.Literal(batch_key or ""))


def _execute(connection: adbc.Connection, statement: sql.Composable) -> list[tuple[Any, ...]]:
    """Run a statement on the driver's connection; the rows, where it gives any."""
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(None))
        rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
    return rows


# crash point: mart-is-replaced
def _replace(
    connection: adbc.Connection,
    duck: duckdb.DuckDBPyConnection,
    model: Model,
    batch_key: str | None,
    items_a_chunk: int,
) -> PublishReport:
    started = time.perf_counter()
    ranges = ranges_of(duck, model, items_a_chunk) if model.per_item else []
    missing = _missing_indexes(connection, model)
    if missing:
        # One publisher at a time decides what is missing and makes it: two of them would wait for each other's rows.
        lock = sql.SQL("lock table {} in share row exclusive mode")
        _execute(connection, lock.format(sql.Identifier(model.name)))
        missing = _missing_indexes(connection, model)
    run = partial(_execute, connection)
    wanted, standing = parts_of(duck, model), standing_parts(run, model, batch_key)
    changed = {part for part in wanted.keys() | standing.keys() if wanted.get(part) != standing.get(part)}
    if not standing:
        _write_whole(connection, duck, model, batch_key, ranges)
    elif changed:
        _write_parts(connection, duck, model, batch_key, ranges, changed, whole=changed >= standing.keys())
    note_parts(run, model, batch_key, wanted, changed)
    _make_indexes(run, model, missing)
    rows = duck.execute(f'select count(*) from "{model.name}"').fetchall()[0][0]
    return PublishReport(model.name, rows, time.perf_counter() - started)


def _write_parts(
    connection: adbc.Connection,
    duck: duckdb.DuckDBPyConnection,
    model: Model,
    batch_key: str | None,
    ranges: Sequence[ItemRange],
    changed: Collection[int],
    *,
    whole: bool,
) -> None:
    """Write the parts that changed; where all did, that is the whole batch."""
    if whole:
        _write_whole(connection, duck, model, batch_key, ranges)
        return
    delete = sql.SQL("delete from {}{} and {}").format(
        sql.Identifier(model.name), of_batch(batch_key), sql.SQL(of_parts(model, changed, "/"))
    )
    _execute(connection, delete)
    for part in ranges:
        inside = {one for one in changed if part.low // ITEMS_A_PART <= one <= part.high // ITEMS_A_PART}
        if inside:
            _load(connection, duck, model, f"{part.condition} and {of_parts(model, inside, '//')}")


def _write_whole(
    connection: adbc.Connection,
    duck: duckdb.DuckDBPyConnection,
    model: Model,
    batch_key: str | None,
    ranges: Sequence[ItemRange],
) -> None:
    for table in tables_of(model):
        _execute(connection, sql.SQL("delete from {}{}").format(sql.Identifier(table), of_batch(batch_key)))
    fold = folded(model)
    kinds = 0
    for part in ranges if model.per_item else [None]:
        if fold is None:
            _load(connection, duck, model, part.condition if part else None)
            continue
        for table, rows in fold_rows(duck, fold, part, kinds).items():
            written = _copy(connection, table, rows)
            kinds += written if table == fold.kinds else 0


def _load(connection: adbc.Connection, duck: duckdb.DuckDBPyConnection, model: Model, condition: str | None) -> None:
    """COPY the model's rows that meet a condition: of one range of items, for sorting takes memory."""
    columns = ", ".join(f'"{c.name}"' for c in model.columns)
    order = ", ".join(f'"{name}"' for name in model.meta.get("published_order", []))
    query = f'select {columns} from "{model.name}"' + (f" where {condition}" if condition else "")
    query += f" order by {order}" if order else ""
    _copy(connection, model.name, duck.execute(query).to_arrow_reader(_ROWS_A_CHUNK))


# crash point: mart-is-loaded
def _copy(connection: adbc.Connection, table: str, rows: pa.Table | pa.RecordBatchReader) -> int:
    """COPY rows into a table, or, where that is refused, beside it first (`store.loading`); how many there were."""
    with connection.cursor() as cursor:
        [active] = _execute(connection, sql.SQL("select row_security_active({})").format(sql.Literal(f'"{table}"')))
        if not active[0]:
            return int(cursor.adbc_ingest(table, rows, mode="append"))
        _execute(connection, aside(sql.Identifier(table), rows.schema.names))
        written = int(cursor.adbc_ingest(ASIDE, rows, mode="append", temporary=True))
        _execute(connection, from_aside(sql.Identifier(table), rows.schema.names))
        _execute(connection, sql.SQL("drop table {}").format(sql.Identifier(ASIDE)))
    return written


def _make_indexes(run: Run, model: Model, missing: Mapping[str, Sequence[str]]) -> None:
    if missing:
        run(sql.SQL("set local maintenance_work_mem = {}").format(sql.Literal(_INDEX_MEMORY)))
    for name, keys in missing.items():
        listed = sql.SQL(", ").join(map(sql.Identifier, keys))
        create = sql.SQL("create index {} on {} ({})")
        run(create.format(sql.Identifier(name), sql.Identifier(model.name), listed))


def _missing_indexes(connection: adbc.Connection, model: Model) -> dict[str, list[str]]:
    """Names and columns of the indexes that the table ought to have and has not."""
    wanted = {f"ix_{model.name}_{'_'.join(keys)}"[:63]: list(keys) for keys in model.meta.get("published_indexes", [])}
    query = sql.SQL("select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid "
                    "where i.indrelid = to_regclass({})").format(sql.Literal(f'"{model.name}"'))  # fmt: skip
    there = {row[0] for row in _execute(connection, query)}
    return {name: keys for name, keys in wanted.items() if name not in there}
