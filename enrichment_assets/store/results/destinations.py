"""Reading results that wait to be stored, and writing typed rows into tables that configuration names.

Every identifier comes from a validated `Destination` and is quoted; every value travels through COPY.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from psycopg.errors import UndefinedTable
from psycopg.rows import tuple_row

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.workflow import Destination
from enrichment_assets.store.database import Connection

Rows = Sequence[Sequence[Any]]

BUILT_IN = {
    "client_slug": "text",
    "batch_key": "text",
    "item_id": "bigint",
    "workflow_slug": "text",
    "fetched_at": "timestamptz",
}
"""Columns that every destination table has, in order, before the mapped ones."""


_LONGEST_NAME = 63
"""Bytes of a column's name; Postgres cuts longer ones."""
_PLACE_IN_A_LIST = re.compile(r"-?\d+")
"""A name that Postgres takes for a place when it meets a list."""

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


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of a result that is read alone: the document (`fields`, `payload`), and the names that lead to it.

    `as_text`: it is wanted as JSON text, not as the value.
    """

    document: str
    names: tuple[str, ...]
    as_text: bool


def cell_of(path: Sequence[str] | None, *, as_text: bool) -> Cell | None:
    """The cell at a plain path over `{item, fields, payload}`; None where the documents have to be read whole."""
    if path is None or len(path) < 2 or path[0] not in ("fields", "payload"):
        return None
    if len(path[1].encode()) > _LONGEST_NAME or any(_PLACE_IN_A_LIST.fullmatch(name) for name in path[1:]):
        return None
    return Cell(path[0], tuple(path[1:]), as_text)


def unstored_results(
    connection: Connection, workflow_slug: str, item_ids: Sequence[int], cells: Sequence[Cell], *, whole: bool
) -> list[tuple[Any, ...]]:
    """The results of these items that have not reached their destination, in the order of the items.

    Returns:
        (item id, fetched_at, a value for each of `cells` or null, and, with `whole`, item, fields and payload).
    """
    values = [sql.SQL("s.item_id"), sql.SQL("r.fetched_at"), *(_value(cell) for cell in cells)]
    if whole:
        item = sql.SQL("to_jsonb(i) - array['original_data', 'details', 'rejected']")
        values += [item, sql.SQL("r.fields"), sql.SQL("r.payload")]
    query = sql.SQL(
        "select {} from workflow_states s join enrichment_results r on r.id = s.result_id {}{} "
        f"where s.item_id = any(%s) and {_UNSTORED} order by s.item_id"
    ).format(
        sql.SQL(", ").join(values),
        sql.SQL("join batch_items i on i.id = s.item_id" if whole else ""),
        sql.SQL("").join(_opened(document, cells) for document in ("fields", "payload")),
    )
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(query, (list(item_ids), workflow_slug)).fetchall()


def _value(cell: Cell) -> sql.Composed:
    first, *rest = cell.names
    value = sql.SQL("{}.{}").format(sql.Identifier(f"of_{cell.document}"), sql.Identifier(first))
    if rest:
        value = sql.SQL("({} #> {})").format(value, sql.Literal(rest))
    # A JSON null is no value, also where it stands deep in the document.
    value = sql.SQL("nullif({}, 'null')").format(value)
    return value + sql.SQL("::text") if cell.as_text else value


def _opened(document: str, cells: Sequence[Cell]) -> sql.Composed:
    """A document's members that are asked for, all at once: each look-up by itself would decompress it again."""
    names = sorted({cell.names[0] for cell in cells if cell.document == document})
    if not names:
        return sql.Composed([])
    members = sql.SQL(", ").join(sql.SQL("{} jsonb").format(sql.Identifier(name)) for name in names)
    return sql.SQL(
        " cross join lateral jsonb_to_record(case when jsonb_typeof(r.{0}) = 'object' then r.{0} else '{{}}' end) "
        "as {1} ({2})"
    ).format(sql.Identifier(document), sql.Identifier(f"of_{document}"), members)


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
    """Upsert rows (built-in columns, then the mapped ones in order), each of another item; how many were written.

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
    # A row each of its own item: no two have the same key, and sorting them would find none.
    one_each = sql.SQL("select {columns} from {staged} order by row_order")
    last_wins = sql.SQL("select distinct on ({key}) {columns} from {staged} order by {key}, row_order desc")
    chosen = (one_each if "item_id" in keys else last_wins).format(
        columns=columns, staged=staged, key=_key(destination)
    )
    result = connection.execute(
        sql.SQL("insert into {table} ({columns}) {chosen} on conflict ({key}) do update set {updates}").format(
            table=table, columns=columns, chosen=chosen, key=_key(destination), updates=sql.SQL(", ").join(updates)
        )
    )
    connection.execute(sql.SQL("drop table {}").format(staged))
    return result.rowcount


def _key(destination: Destination) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, key_columns(destination)))
