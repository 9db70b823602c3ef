"""The tables of pulls, in the workspace: made, protected, and written by key; and the values that questions ask about.

Every identifier comes from a validated `PullDefinition` and is quoted. A row that was fetched earlier never takes the
place of a later one, so that two fetches of one client may meet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import sql

from enrichment_assets.domain.pulls import BUILT_IN, PullTable
from enrichment_assets.store.database import Connection
from enrichment_assets.store.loading import Stream, load
from enrichment_assets.store.tenancy.policies import rows_of_slug
from enrichment_assets.store.tenancy.workspace import protect_results

_LOCK = 7_210_107
_STAGED = "enrich_pulled"


def ensure_tables(connection: Connection, tables: Mapping[str, PullTable]) -> None:
    """Make the tables, and the columns that they lack; readers see their client's rows."""
    connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
    for name, table in tables.items():
        columns = {**BUILT_IN, **table.columns}
        connection.execute(
            sql.SQL("create table if not exists {} ({})").format(
                sql.Identifier(name), sql.SQL(", ").join(_column(c, t) for c, t in columns.items())
            )
        )
        for column, kind in table.columns.items():
            connection.execute(
                sql.SQL("alter table {} add column if not exists {}").format(
                    sql.Identifier(name), _column(column, kind)
                )
            )
        connection.execute(
            sql.SQL("create unique index if not exists {} on {} ({}) nulls not distinct").format(
                sql.Identifier(f"uq_{name}"[:63]), sql.Identifier(name), _key(table)
            )
        )
    protect_results(connection, dict.fromkeys(tables, rows_of_slug()), list(tables))


# one row: a table of the workspace, without a batch
def upsert(connection: Connection, name: str, table: PullTable, rows: Sequence[Sequence[Any]]) -> None:
    """Write rows (`BUILT_IN`, then the table's columns, in order); of two with one key the last counts."""
    if not rows:
        return
    columns = [*BUILT_IN, *table.columns]
    target, staged = sql.Identifier(name), sql.Identifier(_STAGED)
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    made = sql.SQL("create temporary table {} on commit drop as select {}, 0 as place from {} with no data")
    connection.execute(made.format(staged, listed, target))

    def feed(stream: Stream) -> None:
        for place, row in enumerate(rows):
            stream.write_row((*row, place))

    load(connection, _STAGED, [*columns, "place"], feed)
    others = [column for column in columns if column not in ("client_slug", *table.key)]
    connection.execute(
        sql.SQL(
            "insert into {table} as stored ({columns}) select distinct on ({key}) {columns} from {staged} "
            "order by {key}, place desc on conflict ({key}) do update set {updates} "
            "where excluded.pulled_at >= stored.pulled_at"
        ).format(
            table=target,
            columns=listed,
            key=_key(table),
            staged=staged,
            updates=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(one)) for one in others),
        )
    )
    connection.execute(sql.SQL("drop table {}").format(staged))


def values_of(connection: Connection, name: str, column: str, client: str) -> list[str]:
    """The different values of a column that a client's rows have, in order."""
    query = sql.SQL("select distinct {0} as value from {1} where client_slug = %s and {0} is not null order by 1")
    rows = connection.execute(query.format(sql.Identifier(column), sql.Identifier(name)), [client])
    return [str(row["value"]) for row in rows]


def count_rows(connection: Connection, name: str, client: str | None) -> int:
    """How many rows a table has, of a client or of all; none where it was never made."""
    found = connection.execute("select to_regclass(%s) is not null as found", [f'"{name}"']).fetchone()
    if not (found and found["found"]):
        return 0
    query = sql.SQL("select count(*) as n from {} where %s::text is null or client_slug = %s")
    row = connection.execute(query.format(sql.Identifier(name)), [client, client]).fetchone()
    return 0 if row is None else int(row["n"])


def delete_rows(connection: Connection, names: Sequence[str], client: str) -> None:
    """Delete a client's rows of these tables, where they are."""
    for name in names:
        if count_rows(connection, name, client):
            connection.execute(sql.SQL("delete from {} where client_slug = %s").format(sql.Identifier(name)), [client])


def _column(name: str, kind: str) -> sql.Composed:
    missing = " not null" if name in BUILT_IN else ""
    return sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind + missing))


def _key(table: PullTable) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, ("client_slug", *table.key)))
