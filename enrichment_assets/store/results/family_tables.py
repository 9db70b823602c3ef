"""Rows of families into their tables: typed, upserted by key, all of it in the caller's transaction.

A table of the platform's is a destination like a workflow's (`destinations`): made, protected, each client's rows its
own. A table of the user's has what columns and types they gave it; nothing is made in it, and a value of ours that is
null leaves theirs as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from psycopg import sql

from enrichment_assets.domain.destination import Destination
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.families import BUILT_IN, FamilyTable
from enrichment_assets.store.database import Connection
from enrichment_assets.store.loading import Stream, load
from enrichment_assets.store.results import destinations

_STAGED = "enrich_staged"

Row = Sequence[Any]
"""Values of `BUILT_IN`, then of the table's columns in order."""


def as_destination(table: FamilyTable) -> Destination:
    """The table as a workflow would name it."""
    return Destination(table=table.table, create=table.create, key=table.key, columns=table.columns)


def ensure_table(connection: Connection, table: FamilyTable, pipeline: str) -> None:
    """Make the table where the pipeline asks for it, with the columns it lacks.

    Raises:
        ConfigurationError: It is not there, or has not the columns that it needs.
    """
    if table.create:
        destinations.ensure_table(connection, as_destination(table), pipeline)
        return
    columns = _columns_of(connection, table.table)
    if not columns:
        raise ConfigurationError(
            f"pipeline {pipeline}: the table {table.table!r} does not exist in the workspace; create it, or set "
            "`create: true`",
            code="families.table_missing",
        )
    if lacking := [name for name in dict.fromkeys([*table.columns, *table.key]) if name not in columns]:
        raise ConfigurationError(
            f"pipeline {pipeline}: the table {table.table!r} has no column {', '.join(lacking)}: add it, or leave it "
            "out of `families`",
            code="families.column_missing",
        )


# crash point: family-rows-are-written
def write_rows(connection: Connection, table: FamilyTable, rows: Sequence[Row]) -> None:
    """Insert or update rows by their key; of several with one key the last counts. The caller commits.

    A row that is there as it is to be is not written again.

    Raises:
        ConfigurationError: A row has no value for a column of the key.
    """
    names = [*BUILT_IN, *table.columns]
    there = _columns_of(connection, table.table)
    key = list(dict.fromkeys(["client_slug", *table.key])) if "client_slug" in there else list(table.key)
    chosen = {_key_of(row, names, key, table): row for row in rows}
    written = [name for name in names if name in there]
    places = [names.index(name) for name in written]
    target, staged = sql.Identifier(table.table), sql.Identifier(_STAGED)
    connection.execute(
        sql.SQL("create temporary table {} on commit drop as select {} from {} with no data").format(
            staged, _listed("{0}", written), target
        )
    )
    load(connection, _STAGED, written, partial(_feed, list(chosen.values()), places))
    # Without a unique index on the key, which a table of the user's need not have, two writers could insert one row.
    connection.execute("select pg_advisory_xact_lock(hashtext('enrich families'), hashtext(%s))", (table.table,))
    others = [name for name in written if name not in key]
    value = "s.{0}" if table.create else "coalesce(s.{0}, t.{0})"
    same = sql.SQL(" and ").join(sql.SQL("t.{0} = s.{0}").format(sql.Identifier(name)) for name in key)
    if others:
        connection.execute(
            sql.SQL(
                "update {target} t set {changes} from {staged} s where {same} "
                "and record_image_ne(row({stored}), row({given}))"
            ).format(
                target=target,
                staged=staged,
                same=same,
                changes=_listed("{0} = " + value, others),
                stored=_listed("t.{0}", others),
                given=_listed(value, others),
            )
        )
    connection.execute(
        sql.SQL("insert into {} ({}) select {} from {} s where not exists (select from {} t where {})").format(
            target, _listed("{0}", written), _listed("s.{0}", written), staged, target, same
        )
    )
    connection.execute(sql.SQL("drop table {}").format(staged))


def _feed(rows: Sequence[Row], places: Sequence[int], stream: Stream) -> None:
    for row in rows:
        stream.write_row([row[place] for place in places])


def _key_of(row: Row, names: Sequence[str], key: Sequence[str], table: FamilyTable) -> tuple[Any, ...]:
    values = tuple(row[names.index(name)] for name in key)
    if any(value is None for value in values):
        empty = key[values.index(None)]
        raise ConfigurationError(
            f"the table {table.table!r}: a row has no {empty}, by which rows are known there", code="families.no_key"
        )
    return values


def _columns_of(connection: Connection, table: str) -> set[str]:
    """The columns of a table or view by that name; none: it is not there."""
    rows = connection.execute(
        "select attname as name from pg_attribute where attrelid = to_regclass(quote_ident(%s)) and attnum > 0 "
        "and not attisdropped and attgenerated = ''",
        (table,),
    ).fetchall()
    return {row["name"] for row in rows}


def _listed(each: str, names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.SQL(each).format(sql.Identifier(name)) for name in names)
