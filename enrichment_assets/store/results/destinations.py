"""Reading results that wait to be stored, and writing typed rows into tables that configuration names.

Every identifier comes from a validated `Destination` and is quoted; every value travels through COPY.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import sql
from psycopg.errors import UndefinedTable

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.workflow import Destination
from enrichment_assets.store.database import Connection, Row

Rows = Sequence[Sequence[Any]]

BUILT_IN = {
    "client_slug": "text",
    "batch_key": "text",
    "item_id": "bigint",
    "workflow_slug": "text",
    "fetched_at": "timestamptz",
}
"""Columns that every destination table has, in order, before the mapped ones."""


_UNSTORED = "s.workflow_slug = %s and s.status = 'COMPLETED' and s.outcome = 'found' and s.stored_at is null"


def unstored_items(connection: Connection, batch_id: int, workflow_slug: str) -> list[int]:
    """Ids, in order, of the items whose found result of a workflow has not reached its destination."""
    rows = connection.execute(
        f"select s.item_id from workflow_states s where s.batch_id = %s and {_UNSTORED} order by s.item_id",
        (batch_id, workflow_slug),
    )
    return [row["item_id"] for row in rows]


def has_unstored(connection: Connection, batch_id: int, workflow_slug: str) -> bool:
    """Whether there are `unstored_items`: stops at the first one."""
    found = connection.execute(
        f"select exists (select from workflow_states s where s.batch_id = %s and {_UNSTORED}) as found",
        (batch_id, workflow_slug),
    ).fetchone()
    return bool(found and found["found"])


def unstored_results(connection: Connection, workflow_slug: str, item_ids: Sequence[int]) -> list[Row]:
    """The results of these items that have not reached their destination, with the items' identities."""
    return connection.execute(
        f"""
        select s.item_id, r.payload, r.fields, r.fetched_at,
               to_jsonb(i) - array['original_data', 'details', 'rejected'] as item
        from workflow_states s
        join enrichment_results r on r.id = s.result_id
        join batch_items i on i.id = s.item_id
        where s.item_id = any(%s) and {_UNSTORED}
        order by s.item_id
        """,
        (list(item_ids), workflow_slug),
    ).fetchall()


# crash point: destination-is-made
def ensure_table(connection: Connection, destination: Destination, workflow_slug: str) -> None:
    """Create the table where configuration asks for it, and the columns it lacks; check its key.

    Raises:
        ConfigurationError: the table is not there and `create` is not set.
    """
    table = sql.Identifier(destination.table)
    if destination.create:  # guard: table-is-made-from-the-row
        columns = [
            *(sql.SQL("{} {} not null").format(sql.Identifier(n), sql.SQL(t)) for n, t in BUILT_IN.items()),
            *(
                sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(column.type))
                for name, column in destination.columns.items()
            ),
        ]
        connection.execute(sql.SQL("create table if not exists {} ({})").format(table, sql.SQL(", ").join(columns)))
        for name, column in destination.columns.items():
            connection.execute(
                sql.SQL("alter table {} add column if not exists {} {}").format(
                    table, sql.Identifier(name), sql.SQL(column.type)
                )
            )
        index = sql.Identifier(f"uq_{destination.table}"[:63])
        connection.execute(
            sql.SQL("create unique index if not exists {} on {} ({}) nulls not distinct").format(
                index, table, _key(destination)
            )
        )
        return
    try:
        connection.execute(sql.SQL("select 1 from {} limit 0").format(table))
    except UndefinedTable:
        raise ConfigurationError(
            f"workflow {workflow_slug}: the destination table {destination.table!r} does not exist in the "
            f"{destination.database} database; create it, or set `destination.create: true`",
            code="destination.table_missing",
        ) from None


def key_columns(destination: Destination) -> list[str]:
    """What identifies a row: the client always, then the configured key."""
    return list(dict.fromkeys(["client_slug", *destination.key]))


# one row: each, of a table of the user's own, by its key
# crash point: values-are-stored
def upsert(connection: Connection, destination: Destination, rows: Rows) -> int:
    """Upsert rows (built-in columns, then the mapped ones in order); returns how many were written.

    Of rows with the same key the last one wins.
    """
    names = [*BUILT_IN, *destination.columns]
    types = [*BUILT_IN.values(), *(column.type for column in destination.columns.values())]
    table, staged = sql.Identifier(destination.table), sql.Identifier("enrich_staged")
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    connection.execute(
        sql.SQL("create temporary table {} (row_order bigint, {}) on commit drop").format(
            staged,
            sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
                for name, kind in zip(names, types, strict=True)
            ),
        )
    )
    copy = sql.SQL("copy {} (row_order, {}) from stdin").format(staged, columns)
    with connection.cursor() as cursor, cursor.copy(copy) as stream:
        for place, row in enumerate(rows):
            stream.write_row((place, *row))
    keys = set(key_columns(destination))
    updates = [sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in names if name not in keys]
    result = connection.execute(
        sql.SQL(
            "insert into {table} ({columns}) select distinct on ({key}) {columns} from {staged} "
            "order by {key}, row_order desc on conflict ({key}) do update set {updates}"
        ).format(
            table=table, columns=columns, key=_key(destination), staged=staged, updates=sql.SQL(", ").join(updates)
        )
    )
    connection.execute(sql.SQL("drop table {}").format(staged))
    return result.rowcount


def _key(destination: Destination) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, key_columns(destination)))
