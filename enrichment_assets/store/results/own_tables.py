"""A family's row written into the table that brought it: the user's own, by the key of the source that took the row.

Only columns that the table has are written, and none that the source itself writes or chooses by. What the row said of
itself (`item.course_name`) is filled in where it is empty and never changed; what is not known changes nothing, and
neither does a value that its column cannot have: `$45` for a number is counted, and the rest of the row is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.families import BUILT_IN, FamilyTable
from enrichment_assets.domain.sources import TableSource
from enrichment_assets.store.database import Connection
from enrichment_assets.store.loading import Stream, load
from enrichment_assets.store.results.family_tables import Row
from enrichment_assets.store.sources.user_tables import UserTable, find_table

_STAGED, _KEY = "enrich_staged", "enrich_key"
_OF_THE_ROW = "item."
"""How an expression begins that gives what the row said itself."""
_UNFIT = (psycopg.DataError, psycopg.errors.CannotCoerce)
"""What Postgres says of a value that its column cannot have: a type, a length, a range."""
_NUMBERS = frozenset({"smallint", "integer", "bigint", "numeric", "real", "double precision"})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an item's row came from: the table source that took it, and its key there."""

    source: TableSource
    key: str


# one row: by its index, a row for each item
def origins(connection: Connection, item_ids: Sequence[int]) -> dict[int, Origin]:
    """Item id -> the table that its row was taken from; an item that no table brought is left out. HQ's connection."""
    rows = connection.execute(
        """
        select r.item_id, r.row_key, s.definition from source_rows r join sources s on s.id = r.source_id
        where r.item_id = any(%s::bigint[]) and r.row_key is not null
        """,
        (list(item_ids),),
    ).fetchall()
    return {row["item_id"]: Origin(TableSource.of(row["definition"]), row["row_key"]) for row in rows}


def users_own(connection: Connection, table: FamilyTable) -> UserTable | None:
    """The table of that name, if there is one that the platform has not made."""
    found = find_table(connection, table.table)
    return None if found is None or set(BUILT_IN) <= set(found.types) else found


def write_own_rows(
    connection: Connection,
    own: UserTable,
    table: FamilyTable,
    rows: Sequence[Row],
    brought: Mapping[int, Origin],
    pipeline: str,
) -> Counter[str]:
    """Update the rows that the table itself brought; one that is gone from it stays gone. The caller commits.

    Args:
        connection: The workspace.
        own: The table as the catalogue has it (`users_own`).
        table: The same as the pipeline names it.
        rows: Of roots.
        brought: Where their items came from.
        pipeline: Its slug.

    Returns:
        `table.column` -> values that it could not have, and that were left out.

    Raises:
        ConfigurationError: A row did not come from this table.
    """
    by_table: dict[str, list[tuple[TableSource, list[tuple[str, Row]]]]] = {}
    for row in rows:
        origin = brought.get(row[BUILT_IN.index("item_id")])
        if origin is None or (
            origin.source.table not in by_table and not _is_named(connection, own, origin.source.table)
        ):
            raise ConfigurationError(
                f"pipeline {pipeline}: the workspace has a table {table.table!r} that the platform has not made, and "
                "rows of the batch did not come from it: rename that table, or copy the pipeline with another name",
                code="families.table_taken",
            )
        sources = by_table.setdefault(origin.source.table, [])
        keyed = next((keyed for source, keyed in sources if source == origin.source), None)
        if keyed is None:
            sources.append((origin.source, keyed := []))
        keyed.append((origin.key, row))
    of_sources = [one for sources in by_table.values() for one in sources]
    return sum((_update(connection, own, source, table, keyed) for source, keyed in of_sources), Counter[str]())


def _is_named(connection: Connection, own: UserTable, name: str) -> bool:
    """Whether a source's name of a table, perhaps with its schema, is this table's."""
    found = find_table(connection, name)
    return found is not None and (found.schema, found.name) == (own.schema, own.name)


def _update(
    connection: Connection, own: UserTable, source: TableSource, table: FamilyTable, keyed: Sequence[tuple[str, Row]]
) -> Counter[str]:
    kept = {source.key, source.reason, *source.where, *source.done, *source.failed}
    names = [name for name in table.columns if name in own.writable - own.generated and name not in kept]
    if not names:
        return Counter()
    places = [len(BUILT_IN) + list(table.columns).index(name) for name in names]
    staged = sql.Identifier(_STAGED)
    types = [sql.SQL(f"{{}} {table.columns[name].type}").format(sql.Identifier(name)) for name in names]
    connection.execute(
        sql.SQL("create temporary table {} ({} text, {}) on commit drop").format(
            staged, sql.Identifier(_KEY), sql.SQL(", ").join(types)
        )
    )

    def feed(stream: Stream) -> None:
        for key, row in keyed:
            stream.write_row([key, *(row[place] for place in places)])

    load(connection, _STAGED, [_KEY, *names], feed)
    unfit = _write_staged(connection, own, source, table, names, [key for key, _ in keyed])
    connection.execute(sql.SQL("drop table {}").format(staged))
    return unfit


def _write_staged(
    connection: Connection,
    own: UserTable,
    source: TableSource,
    table: FamilyTable,
    names: Sequence[str],
    keys: Sequence[str],
) -> Counter[str]:
    """Write columns of rows together; where a value does not fit, column by column, and of that one row by row."""
    try:
        with connection.transaction():
            connection.execute(_statement(own, source, table, names, keys))
    except _UNFIT:
        if len(names) > 1:
            parts = [([name], keys) for name in names]
        elif len(keys) > 1:
            parts = [(list(names), [key]) for key in keys]
        else:
            return Counter([f"{table.table}.{names[0]}"])
        return sum((_write_staged(connection, own, source, table, *part) for part in parts), Counter[str]())
    return Counter()


def _statement(
    own: UserTable, source: TableSource, table: FamilyTable, names: Sequence[str], keys: Sequence[str]
) -> sql.Composed:
    """The update of these columns in rows of these keys, from what was staged."""
    values = [_value(own, name, fills=table.columns[name].source.startswith(_OF_THE_ROW)) for name in names]
    columns = [sql.Identifier(name) for name in names]
    return sql.SQL(
        "update {place} t set {changes} from {staged} s where t.{key} = cast(s.{staged_key} as {kind}) "
        "and s.{staged_key} = any({keys}::text[]) and record_image_ne(row({stored}), row({given}))"
    ).format(
        place=sql.Identifier(own.schema, own.name),
        changes=sql.SQL(", ").join(sql.SQL("{} = {}").format(c, v) for c, v in zip(columns, values, strict=True)),
        staged=sql.Identifier(_STAGED),
        key=sql.Identifier(source.key),
        staged_key=sql.Identifier(_KEY),
        kind=sql.SQL(own.types[source.key]),
        keys=sql.Literal(list(keys)),
        stored=sql.SQL(", ").join(sql.SQL("t.{}").format(c) for c in columns),
        given=sql.SQL(", ").join(values),
    )


def _value(own: UserTable, name: str, *, fills: bool) -> sql.Composed:
    """What a column becomes; `fills`: only where it is empty."""
    column = sql.Identifier(name)
    kind = own.types[name]
    # A number has casts of its own to other numbers; to all else, an enum say, the way leads over its text.
    given = sql.SQL("cast(s.{} as {})" if kind in _NUMBERS else "cast(s.{}::text as {})").format(column, sql.SQL(kind))
    stored = sql.SQL("t.{}").format(column)
    return sql.SQL("coalesce({}, {})").format(*((stored, given) if fills else (given, stored)))
