"""Reading results that wait to be stored, and writing typed rows into tables that configuration names.

Every identifier comes from a validated `Destination` and is quoted; every value travels through COPY. Rows whose values
are plain go as bytes: `plain_values`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from psycopg.errors import UndefinedTable
from psycopg.rows import tuple_row

from enrichment_assets.domain.destination import Destination
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.store.database import Connection
from enrichment_assets.store.loading import Feed, load
from enrichment_assets.store.tenancy.policies import rows_of_slug
from enrichment_assets.store.tenancy.workspace import protect_results

BUILT_IN = {
    "client_slug": "text",
    "batch_key": "text",
    "item_id": "bigint",
    "workflow_slug": "text",
    "fetched_at": "timestamptz",
}
"""Columns that every destination table has, in order, before the mapped ones."""


_FULL_NAMES = {"timestamptz": "timestamp with time zone"}
"""Types as the catalogue spells them."""

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
    values = [sql.SQL("s.item_id"), sql.SQL("r.fetched_at"), *(cell_value(cell) for cell in cells)]
    if whole:
        item = sql.SQL("to_jsonb(i) - array['original_data', 'details', 'rejected']")
        values += [item, sql.SQL("r.fields"), sql.SQL("r.payload")]
    query = sql.SQL("select {} {}").format(
        sql.SQL(", ").join(values), from_unstored(workflow_slug, item_ids, cells, with_item=whole)
    )
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(query).fetchall()


def from_unstored(
    workflow_slug: str, item_ids: Sequence[int], cells: Sequence[Cell], *, with_item: bool = False
) -> sql.Composed:
    """SQL from `from` on: the results of `unstored_results`, with what `cell_value` reads of these cells.

    Values stand in it as literals, for COPY takes no parameters.
    """
    return sql.SQL(
        "from workflow_states s join enrichment_results r on r.id = s.result_id {}{} "
        "where s.item_id = any({}) and {} order by s.item_id"
    ).format(
        sql.SQL("join batch_items i on i.id = s.item_id" if with_item else ""),
        sql.SQL("").join(_opened(document, cells) for document in ("fields", "payload")),
        list(item_ids),
        sql.SQL(_UNSTORED.replace("%s", "{}")).format(workflow_slug),
    )


def cell_value(cell: Cell) -> sql.Composed:
    """SQL of a cell's value, JSON or its text; null where it is not there."""
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
        _protect(connection, destination)
        return
    try:
        connection.execute(sql.SQL("select 1 from {} limit 0").format(table))
    except UndefinedTable:
        raise ConfigurationError(
            f"workflow {workflow_slug}: the destination table {destination.table!r} does not exist in the "
            f"{destination.database} database; create it, or set `destination.create: true`",
            code="destination.table_missing",
        ) from None
    _protect(connection, destination)


def destination_tables(connection: Connection) -> list[str]:
    """The tables that are destinations of some workflow, now or once: they have the columns that all of them have."""
    found = connection.execute(
        """
        select c.relname as name from pg_class c
        where pg_table_is_visible(c.oid) and c.relkind in ('r', 'p') and c.relpersistence <> 't'
          and %(columns)s::text[] <@ array(
            select a.attname || ' ' || format_type(a.atttypid, a.atttypmod) from pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)
        order by 1
        """,
        {"columns": [f"{name} {_FULL_NAMES.get(kind, kind)}" for name, kind in BUILT_IN.items()]},
    )
    return [row["name"] for row in found.fetchall()]


def _protect(connection: Connection, destination: Destination) -> None:
    """Row level security on the table, if it is ours; readers see its rows of their client, but not where HQ is."""
    open_ = [destination.table] if destination.database == "workspace" else []
    protect_results(connection, {destination.table: rows_of_slug()}, open_)


def key_columns(destination: Destination) -> list[str]:
    """What identifies a row: the client always, then the configured key."""
    return list(dict.fromkeys(["client_slug", *destination.key]))


# one row: looks for the first in a range of a key, of a table of the user's own
def takes_as_new(
    connection: Connection, destination: Destination, client: str, batch: str, item_ids: Sequence[int]
) -> bool:
    """Whether rows of these items (in order) can be inserted as they are.

    No row of theirs may be there, which only a key with batch and item tells, and the table's columns have to be of the
    types that are configured: into others Postgres casts on assignment, or says why not.
    """
    if not {"batch_key", "item_id"} <= set(key_columns(destination)):
        return False
    configured = BUILT_IN | {name: column.type for name, column in destination.columns.items()}
    found = connection.execute(
        sql.SQL(
            "select exists (select from {} where client_slug = %s and batch_key = %s and item_id between %s and %s) "
            "as is_there, array(select attname || ' ' || format_type(atttypid, atttypmod) from pg_attribute "
            "where attrelid = %s::regclass and attnum > 0 and not attisdropped) as columns"
        ).format(sql.Identifier(destination.table)),
        (client, batch, item_ids[0], item_ids[-1], f'"{destination.table}"'),
    ).fetchone()
    wanted = {f"{name} {_FULL_NAMES.get(kind, kind)}" for name, kind in configured.items()}
    return found is not None and not found["is_there"] and wanted <= set(found["columns"])


# crash point: values-are-stored
def insert(connection: Connection, destination: Destination, feed: Feed) -> None:
    """Insert rows of which none is there; raises `psycopg.errors.UniqueViolation` where one is.

    `feed` writes them (built-in columns, then the mapped ones in order) as rows or lines of COPY.
    """
    load(connection, destination.table, [*BUILT_IN, *destination.columns], feed)


def upsert(connection: Connection, destination: Destination, feed: Feed) -> int:
    """Insert or update rows, each of another item, that `feed` writes; how many keys they have.

    Of rows with the same key that of the last item wins. A row that is there byte for byte is not written again.
    """
    names = [*BUILT_IN, *destination.columns]
    table, staged = sql.Identifier(destination.table), sql.Identifier("enrich_staged")
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    types = [*BUILT_IN.values(), *(column.type for column in destination.columns.values())]
    connection.execute(
        sql.SQL("create temporary table {} ({}) on commit drop").format(
            staged,
            sql.SQL(", ").join(
                sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
                for name, kind in zip(names, types, strict=True)
            ),
        )
    )
    rows = load(connection, "enrich_staged", names, feed)
    others = [name for name in names if name not in key_columns(destination)]
    # A row each of its own item: no two have the same key, and sorting them would find none.
    one_each = sql.SQL("select {columns} from {staged} order by item_id")
    last_wins = sql.SQL("select distinct on ({key}) {columns} from {staged} order by {key}, item_id desc")
    chosen = (one_each if _is_of_items(destination) else last_wins).format(
        columns=columns, staged=staged, key=_key(destination)
    )
    if not _is_of_items(destination):
        counted = connection.execute(sql.SQL("select count(*) as n from ({}) as chosen").format(chosen)).fetchone()
        rows = counted["n"] if counted else 0
    connection.execute(
        sql.SQL(
            "insert into {table} as stored ({columns}) {chosen} on conflict ({key}) do update set {updates} "
            "where record_image_ne(row({stored}), row({given}))"
        ).format(
            table=table,
            columns=columns,
            chosen=chosen,
            key=_key(destination),
            updates=_listed("{0} = excluded.{0}", others),
            stored=_listed("stored.{0}", others),
            given=_listed("excluded.{0}", others),
        )
    )
    connection.execute(sql.SQL("drop table {}").format(staged))
    return rows


def _is_of_items(destination: Destination) -> bool:
    return "item_id" in key_columns(destination)


def _listed(each: str, names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL(each).format(sql.Identifier(name)) for name in names)


def _key(destination: Destination) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, key_columns(destination)))
