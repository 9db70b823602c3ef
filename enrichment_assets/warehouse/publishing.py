"""Publishes the marts to the workspace database, so that people and tools can use them with plain Postgres.

One transaction per batch: delete that batch, COPY it in again, all models together. Whoever reads sees the old rows
or the new ones. Tables are made and widened from the models' columns; a column is never dropped or retyped here.
What `schema.yml` says under `meta`: `published_indexes`, and `published_order`, in which rows are loaded (in the order
of a big index it fills twice as fast).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import duckdb
import psycopg
from psycopg import sql

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect as connect_postgres
from enrichment_assets.store.database import open_databases
from enrichment_assets.warehouse.files import Layout
from enrichment_assets.warehouse.project import Model, load_project
from enrichment_assets.warehouse.session import attach, connect

POSTGRES_TYPES = {
    "VARCHAR": "text",
    "BIGINT": "bigint",
    "INTEGER": "integer",
    "BOOLEAN": "boolean",
    "DOUBLE": "double precision",
    "DATE": "date",
    "TIMESTAMPTZ": "timestamptz",
    "DECIMAL(18,6)": "numeric(18,6)",
}
_ROWS_A_CHUNK = 20_000
_TABLES_LOCK = 7_210_100
_BATCH_LOCK = 7_210_101


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What was published of one model."""

    name: str
    rows: int
    seconds: float


def publish_marts(settings: Settings, batch_key: str) -> list[PublishReport]:
    """Publish every mart of one batch in one transaction. Doing it again changes nothing.

    Raises:
        NotFoundError: The warehouse has nothing of this batch.
        InfrastructureError: The workspace database cannot be written; it is as it was before.
    """
    layout = Layout.of(settings)
    client = layout.client_of(batch_key)
    project = load_project()
    models = [m for m in project.models.values() if m.published and m.partitioned]
    duck = connect(layout)
    attach(duck, project, layout, client_slug=client, batch_key=batch_key)
    try:
        return _publish(open_databases(settings).workspace, duck, models, batch_key)
    finally:
        duck.close()


def publish_organisations(settings: Settings) -> list[PublishReport]:
    """Publish the marts over all batches (organisations and their aliases): replaced whole, in one transaction."""
    layout = Layout.of(settings)
    project = load_project()
    models = [m for m in project.models.values() if m.published and not m.partitioned]
    duck = connect(layout)
    attach(duck, project, layout)
    try:
        return _publish(open_databases(settings).workspace, duck, models, None)
    finally:
        duck.close()


def _publish(
    url: str, duck: duckdb.DuckDBPyConnection, models: list[Model], batch_key: str | None
) -> list[PublishReport]:
    try:
        with connect_postgres(url) as workspace:
            workspace.execute("select pg_advisory_xact_lock(%s)", [_TABLES_LOCK])
            for model in models:
                _ensure_table(workspace, model)
        with adbc.connect(url) as connection:
            with connection.cursor() as cursor:
                cursor.execute(_lock(batch_key))
            reports = [_replace(connection, duck, model, batch_key) for model in models]
            connection.commit()
    except (psycopg.Error, adbc.Error) as error:
        raise InfrastructureError(f"The marts could not be published: {error}") from error
    return reports


def _lock(batch_key: str | None) -> str:
    """Two publishers of one batch go one after the other; others do not wait."""
    statement = sql.SQL("select pg_advisory_xact_lock({}, hashtext({}))")
    return statement.format(sql.Literal(_BATCH_LOCK), sql.Literal(batch_key or "")).as_string(None)


def _replace(connection: Any, duck: duckdb.DuckDBPyConnection, model: Model, batch_key: str | None) -> PublishReport:
    started = time.perf_counter()
    delete = sql.SQL("delete from {}").format(sql.Identifier(model.name))
    if batch_key is not None:
        delete += sql.SQL(" where batch_key = {}").format(sql.Literal(batch_key))
    columns = ", ".join(f'"{c.name}"' for c in model.columns)
    order = ", ".join(f'"{name}"' for name in model.meta.get("published_order", []))
    query = f'select {columns} from "{model.name}"' + (f" order by {order}" if order else "")
    reader = duck.execute(query).to_arrow_reader(_ROWS_A_CHUNK)
    with connection.cursor() as cursor:
        cursor.execute(delete.as_string(None))
        rows = cursor.adbc_ingest(model.name, reader, mode="append")
    return PublishReport(model.name, rows, time.perf_counter() - started)


def _ensure_table(workspace: psycopg.Connection[dict[str, Any]], model: Model) -> None:
    """Create the table, add columns that the model has grown, create its indexes. Cheap when all is there."""
    table = sql.Identifier(model.name)
    columns = [sql.SQL("{} {}").format(sql.Identifier(c.name), sql.SQL(POSTGRES_TYPES[c.type])) for c in model.columns]
    workspace.execute(sql.SQL("create table if not exists {} ({})").format(table, sql.SQL(", ").join(columns)))
    rows = workspace.execute(
        """select attname as name from pg_attribute
           where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped""",
        [f'"{model.name}"'],
    )
    there = {row["name"] for row in rows}
    for column, definition in zip(model.columns, columns, strict=True):
        if column.name not in there:
            workspace.execute(sql.SQL("alter table {} add column {}").format(table, definition))
    for keys in model.meta.get("published_indexes", []):
        name = sql.Identifier(f"ix_{model.name}_{'_'.join(keys)}"[:63])
        listed = sql.SQL(", ").join(map(sql.Identifier, keys))
        workspace.execute(sql.SQL("create index if not exists {} on {} ({})").format(name, table, listed))
