"""A table of the user's in the workspace: what it is like, its rows that are chosen, and writing them back.

Names come out of the catalogue and are quoted; values travel as parameters and are cast to their columns' types, which
the catalogue names. All reading is as text, in one form whatever the server's settings are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import sql

from enrichment_assets.domain.sources import TableSource
from enrichment_assets.store.database import Connection, set_for_transaction

WRITTEN = "enrich_written_rows"
"""In the workspace: tokens of rows that were written back, until HQ has noted that. So nothing is written twice."""

COUNTED = 100_000
"""Matching rows are counted up to this many."""

_AS_TEXT = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}
_LOCK_TIMEOUT = "10s"
"""A table of theirs that somebody else holds for longer is written back at the next look."""

_LEFT_OUT = frozenset({"bytea", "tsvector"})
"""Types whose text says nothing to a workflow."""


@dataclass(frozen=True, slots=True)
class UserTable:
    """A table as the catalogue has it.

    Attributes:
        schema: Its schema.
        name: Its name.
        kind: `r` (a table), `p` (one that is partitioned), `v` and others.
        types: Column -> type without its length, in the order of the table: a value is cast to it and never cut.
        declared: Column -> type with its length.
        unique: Columns that know a row alone: not null, and unique over all rows.
        writable: Columns that this role may change.
        readable: Whether this role may read all of it.
        generated: Columns whose values Postgres makes.
    """

    schema: str
    name: str
    kind: str
    types: Mapping[str, str]
    declared: Mapping[str, str]
    unique: frozenset[str]
    writable: frozenset[str]
    readable: bool
    generated: frozenset[str]

    @property
    def cells(self) -> list[str]:
        """The columns that are read."""
        return [name for name, kind in self.types.items() if kind not in _LEFT_OUT]

    @property
    def place(self) -> sql.Composed:
        """Its name in SQL."""
        return sql.SQL("{}.{}").format(_name(self.schema), _name(self.name))

    def cast(self, column: str) -> sql.Composed:
        """SQL of a parameter as a value of a column."""
        return sql.SQL("cast({} as {})").format(sql.Placeholder(), _type(self.types[column]))


def find_table(connection: Connection, named: str) -> UserTable | None:
    """The table of that name, `courses` or `crm.courses`; None: this role finds none."""
    schema, dot, name = named.rpartition(".")
    row = connection.execute(
        """
        select n.nspname as schema, c.relname as name, c.relkind::text as kind,
               has_table_privilege(c.oid, 'select') as readable,
               array(select a.attname from pg_attribute a where a.attrelid = c.oid and a.attnum > 0
                     and not a.attisdropped and has_column_privilege(c.oid, a.attnum, 'update')) as writable,
               array(select a.attname from pg_attribute a where a.attrelid = c.oid and a.attnum > 0
                     and not a.attisdropped and (a.attgenerated <> '' or a.attidentity = 'a')) as generated,
               (select jsonb_agg(jsonb_build_array(a.attname, format_type(a.atttypid, -1),
                                                   format_type(a.atttypid, a.atttypmod)) order by a.attnum)
                from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
               array(select a.attname from pg_index x
                     join pg_attribute a on a.attrelid = c.oid and a.attnum = x.indkey[0]
                     where x.indrelid = c.oid and x.indisunique and x.indisvalid and x.indpred is null
                       and x.indnkeyatts = 1 and a.attnotnull) as "unique"
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.oid = to_regclass(case when %(dot)s then quote_ident(%(schema)s) || '.' else '' end
                                  || quote_ident(%(name)s))
        """,
        {"dot": bool(dot), "schema": schema, "name": name},
    ).fetchone()
    if row is None:
        return None
    columns = row["columns"] or []
    return UserTable(
        schema=row["schema"],
        name=row["name"],
        kind=row["kind"],
        types={name: kind for name, kind, _ in columns},
        declared={name: kind for name, _, kind in columns},
        unique=frozenset(row["unique"]),
        writable=frozenset(row["writable"]),
        readable=row["readable"],
        generated=frozenset(row["generated"]),
    )


def table_names(connection: Connection) -> list[str]:
    """The tables that this role may know of, as `find_table` takes their names: with a schema where they need one."""
    rows = connection.execute(
        "select case when pg_table_is_visible(c.oid) then '' else n.nspname || '.' end || c.relname as name "
        "from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where c.relkind in ('r', 'p') and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema' "
        "and has_schema_privilege(n.oid, 'usage') order by 1"
    ).fetchall()
    return [row["name"] for row in rows]


def unfit_value(connection: Connection, table: UserTable, column: str, value: str) -> str | None:
    """Why a column cannot have a value, in Postgres's words; None: it can."""
    try:
        with connection.transaction():
            connection.execute(sql.SQL("select {}").format(table.cast(column)), [value])
    except (psycopg.DataError, psycopg.ProgrammingError, psycopg.NotSupportedError) as error:
        return (error.diag.message_primary or type(error).__name__)[:300]
    return None


def count_matching(connection: Connection, table: UserTable, where: Mapping[str, str]) -> int:
    """How many rows would be taken, up to `COUNTED`."""
    query = sql.SQL("select count(*) as n from (select from {} t where {} limit {}) as found").format(
        table.place, _matches(table, where), COUNTED
    )
    row = connection.execute(query, list(where.values())).fetchone()
    return 0 if row is None else int(row["n"])


def unwritable(
    connection: Connection, table: UserTable, source: TableSource, assigned: Mapping[str, str]
) -> str | None:
    """Why a row that matches could not be written back so, in Postgres's words; None: it could, or none matches.

    One is written and the write is taken back at once: checks and triggers of the table have their say.
    """
    query = sql.SQL(
        "update {} t set {} where t.{} = (select t.{} from {} t where {} limit 1 for update skip locked)"
    ).format(
        table.place,
        _set(table, assigned),
        _name(source.key),
        _name(source.key),
        table.place,
        _matches(table, source.where),
    )
    try:
        with connection.transaction(force_rollback=True):
            set_for_transaction(connection, {"lock_timeout": "2s"})
            connection.execute(query, [*assigned.values(), *source.where.values()])
    except psycopg.errors.LockNotAvailable:
        return None
    except psycopg.Error as error:
        return (error.diag.message_primary or type(error).__name__)[:300]
    return None


@dataclass(frozen=True, slots=True)
class UserRow:
    """A row: its key as text, and its cells as text in the order of `UserTable.cells`; null where it has none."""

    key: str
    cells: list[str | None]


def read_rows(connection: Connection, table: UserTable, source: TableSource, taken: Sequence[str]) -> list[UserRow]:
    """Rows that match and are not among those that are taken, by key, at most as many as are taken at a time."""
    set_for_transaction(connection, _AS_TEXT)
    named = {"key": _name(source.key), "table": table.place, "matches": _matches(table, source.where)}
    keys = connection.execute(
        sql.SQL("select t.{key}::text as key from {table} t where {matches} order by t.{key} limit %s").format(**named),
        [*source.where.values(), source.at_most + len(taken)],
    ).fetchall()
    known = set(taken)
    new = [row["key"] for row in keys if row["key"] not in known][: source.at_most]
    if not new:
        return []
    query = sql.SQL(
        "select t.{key}::text as key, array[{cells}] as cells from {table} t "
        "where t.{key} = any(cast(%s::text[] as {type}[])) and {matches} order by t.{key}"
    ).format(
        cells=sql.SQL(", ").join(sql.SQL("t.{}::text").format(_name(name)) for name in table.cells),
        type=_type(table.types[source.key]),
        **named,
    )
    rows = connection.execute(query, [new, *source.where.values()]).fetchall()
    return [UserRow(**row) for row in rows]


@dataclass(frozen=True, slots=True)
class WrittenBack:
    """What became of rows that were to be written back.

    Attributes:
        written: Key -> whether the row was written, now or by a call before whose end was lost; a row that is not in
            the table is left out.
        busy: Keys of rows that somebody else holds in a transaction of their own: they wait.
    """

    written: Mapping[str, bool]
    busy: frozenset[str] = frozenset()


# crash point: table-is-written-back
def write_back(
    connection: Connection,
    table: UserTable,
    source: TableSource,
    assigned: Mapping[str, str],
    told: Sequence[tuple[UUID, str, str | None]],
) -> WrittenBack:
    """Write rows (token, key, reason) back that still match; each once, however often this is repeated."""
    connection.execute(
        sql.SQL(
            "create table if not exists {} (token uuid primary key, written_at timestamptz not null default now())"
        ).format(sql.SQL(WRITTEN))
    )
    set_for_transaction(connection, {**_AS_TEXT, "lock_timeout": _LOCK_TIMEOUT})
    named = {"table": table.place, "key": _name(source.key), "type": _type(table.types[source.key])}
    busy = _busy(connection, table, source, [key for _, key, _ in told])
    free = [one for one in told if one[1] not in busy]
    tokens, keys = [token for token, _, _ in free], [key for _, key, _ in free]
    connection.execute(
        sql.SQL(
            "with written as (update {table} t set {sets} "
            "from unnest(%s::uuid[], cast(%s::text[] as {type}[]), %s::text[]) as w (token, key, reason) "
            "where t.{key} = w.key and {matches} "
            "and not exists (select from {tokens} d where d.token = w.token) returning w.token) "
            "insert into {tokens} (token) select token from written"
        ).format(
            sets=_set(table, assigned, source.reason),
            matches=_matches(table, source.where),
            tokens=sql.SQL(WRITTEN),
            **named,
        ),
        [*assigned.values(), tokens, keys, [reason for _, _, reason in free], *source.where.values()],
    )
    found = connection.execute(
        sql.SQL(
            "select w.key, exists (select from {tokens} d where d.token = w.token) as written "
            "from unnest(%s::uuid[], %s::text[]) as w (token, key) "
            "where exists (select from {table} t where t.{key} = cast(w.key as {type}))"
        ).format(tokens=sql.SQL(WRITTEN), **named),
        (tokens, keys),
    ).fetchall()
    return WrittenBack({row["key"]: row["written"] for row in found}, busy)


def _busy(connection: Connection, table: UserTable, source: TableSource, keys: Sequence[str]) -> frozenset[str]:
    """Which rows that match somebody else holds; the others are held from here on, until the transaction ends."""
    matching = sql.SQL(
        "select t.{key}::text as key from {table} t where t.{key} = any(cast(%s::text[] as {type}[])) and {matches} "
    ).format(
        key=_name(source.key),
        table=table.place,
        type=_type(table.types[source.key]),
        matches=_matches(table, source.where),
    )
    parameters = [list(keys), *source.where.values()]
    held = connection.execute(matching + sql.SQL("for no key update of t skip locked"), parameters).fetchall()
    every = connection.execute(matching, parameters).fetchall()
    return frozenset(row["key"] for row in every) - {row["key"] for row in held}


def forget_tokens(connection: Connection, tokens: Sequence[UUID]) -> None:
    """HQ has noted how these rows ended: what the workspace knew of that can go."""
    connection.execute(
        sql.SQL("delete from {} where token = any(%s::uuid[])").format(sql.SQL(WRITTEN)), (list(tokens),)
    )


def _matches(table: UserTable, where: Mapping[str, str]) -> sql.Composed:
    return sql.SQL(" and ").join(sql.SQL("t.{} = {}").format(_name(column), table.cast(column)) for column in where)


def _set(table: UserTable, assigned: Mapping[str, str], reason: str | None = None) -> sql.Composed:
    parts = [sql.SQL("{} = {}").format(_name(column), table.cast(column)) for column in assigned]
    if reason is not None:
        cut = sql.SQL("{} = cast(w.reason as {})")  # to the column's length, where it has one
        parts.append(cut.format(_name(reason), _type(table.declared[reason])))
    return sql.SQL(", ").join(parts)


def _name(text: str) -> sql.SQL:
    """A name, quoted; `%` in it begins no parameter."""
    return _type('"' + text.replace('"', '""') + '"')


def _type(text: str) -> sql.SQL:
    """A type as the catalogue writes it."""
    return sql.SQL(text.replace("%", "%%"))
