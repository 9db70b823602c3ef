"""Tables that HQ's schema does not declare: destinations in the workspace, and Dagster's own, by the catalogue."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg import sql

from enrichment_assets.domain.person_traces import Needles
from enrichment_assets.store.database import Connection

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A table of a database: the columns that can hold text, with types, and whether rows name item and client."""

    name: str
    columns: Mapping[str, str]
    has_items: bool
    has_clients: bool

    def of(self, client: str | None) -> FoundTable:
        """The table as one client's: whose a row is has to stand in it, or nothing is looked for in its texts."""
        return self if client is None or self.has_clients else replace(self, columns={})


def tables_of(connection: Connection, leave: Collection[str]) -> list[FoundTable]:
    """The tables of the connection's schema, without those of these names."""
    rows = connection.execute(
        """
        select c.relname as name,
               jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod))
                 filter (where t.typcategory in ('S', 'A', 'X') or t.typname in ('json', 'jsonb', 'xml', 'hstore'))
                 as columns,
               bool_or(a.attname = 'item_id') as has_items,
               bool_or(a.attname = 'client_slug') as has_clients
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        join pg_type t on t.oid = a.atttypid
        where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
          and has_table_privilege(c.oid, 'select') and not c.relname = any(%s)
        group by c.relname order by c.relname
        """,
        (list(leave),),
    )
    return [FoundTable(row["name"], row["columns"] or {}, row["has_items"], row["has_clients"]) for row in rows]


def count_naming(
    connection: Connection,
    table: FoundTable,
    needles: Needles,
    items: Sequence[int] = (),
    *,
    names: bool,
    client: str | None = None,
) -> int:
    """How many rows belong to these items, or name the person; `client`: of one client alone."""
    where = _where(table.of(client), items, client)
    if where is None:
        return 0
    query = sql.SQL("select count(*) as n from {} where {}").format(sql.Identifier(table.name), where)
    row = connection.execute(query, _parameters(needles, items, names, client)).fetchone()
    return 0 if row is None else int(row["n"])


def rows_naming(
    connection: Connection, table: FoundTable, needles: Needles, items: Sequence[int], client: str | None
) -> Iterator[dict[str, Any]]:
    """Those rows, for an export."""
    where = _where(table.of(client), items, client)
    if where is not None:
        query = sql.SQL("select * from {} where {}").format(sql.Identifier(table.name), where)
        yield from connection.execute(query, _parameters(needles, items, names=False, client=client))


# crash point: destination-rows-are-deleted
def delete_rows(connection: Connection, table: FoundTable, items: Sequence[int]) -> int:
    """Delete the rows of these items; how many. The caller commits."""
    if not table.has_items or not items:
        return 0
    query = sql.SQL("delete from {} where item_id = any(%s)").format(sql.Identifier(table.name))
    return connection.execute(query, (list(items),)).rowcount


# crash point: texts-are-blacked-out
def black_out(
    connection: Connection, table: FoundTable, needles: Needles, *, names: bool, client: str | None = None
) -> int:
    """Black the person out of a table's texts; how many rows, `client`: of one client alone. The caller commits."""
    where = _where(table.of(client), (), client)
    if where is None:
        return 0
    shown = sql.SQL(", ").join(sql.SQL("{}::text as {}").format(_name(name), _name(name)) for name in table.columns)
    query = sql.SQL("select ctid::text as place, {} from {} where {} for update").format(
        shown, _name(table.name), where
    )
    changed = 0
    for row in connection.execute(query, _parameters(needles, (), names, client)).fetchall():
        new = {name: _without(row[name], kind, needles, names=names) for name, kind in table.columns.items()}
        differs = {name: text for name, text in new.items() if text != row[name]}
        if not differs:
            continue
        changes = sql.SQL(", ").join(
            sql.SQL("{} = {}::{}").format(_name(name), sql.Placeholder(f"v{at}"), sql.SQL(table.columns[name]))
            for at, name in enumerate(differs)
        )
        connection.execute(
            sql.SQL("update {} set {} where ctid = %(place)s::tid").format(_name(table.name), changes),
            {"place": row["place"], **{f"v{at}": text for at, text in enumerate(differs.values())}},
        )
        changed += 1
    return changed


def registered_destinations(connection: Connection) -> set[str]:
    """Names of all tables that workflows and families are written to, in the registry or in a batch's copy of it."""
    rows = connection.execute(
        """
        select destination_table_name as name from enrichment_registry where destination_table_name is not null
        union
        select e.step #>> '{workflow,destination,table}' from batches b
        cross join lateral jsonb_array_elements(b.blueprint -> 'steps') as e(step)
        where e.step #>> '{workflow,destination,table}' is not null
        union
        select t.made ->> 'table' from (
          select definition #> '{families,tables}' as tables from enrichment_pipelines
          union all select blueprint #> '{families,tables}' from batches
        ) f cross join lateral jsonb_array_elements(
          case when jsonb_typeof(f.tables) = 'array' then f.tables else '[]' end) as t(made)
        where (t.made ->> 'create')::boolean
        """
    )
    return {row["name"] for row in rows}


def _without(text: str | None, kind: str, needles: Needles, *, names: bool) -> str | None:
    if text is None:
        return None
    if kind not in ("json", "jsonb"):
        return needles.blacked_out(text, names=names)
    value, count = needles.redacted(json.loads(text), names=names)
    return json.dumps(value) if count else text


def _where(table: FoundTable, items: Sequence[int], client: str | None) -> sql.Composable | None:
    own: list[sql.Composable] = [sql.SQL("item_id = any(%(items)s)")] if table.has_items and items else []
    either = [*own, *map(_matches, table.columns)]
    if not either:
        return None
    where = sql.SQL("({})").format(sql.SQL(" or ").join(either))
    return where if client is None or not table.has_clients else where + sql.SQL(" and client_slug = %(client)s")


def _matches(column: str) -> sql.Composed:
    return sql.SQL("{}::text ~* %(pattern)s::text").format(_name(column))


def _parameters(needles: Needles, items: Sequence[int], names: bool, client: str | None) -> dict[str, Any]:
    return {"pattern": needles.pattern(names=names), "items": list(items), "client": client}


def _name(text: str) -> sql.Identifier:
    return sql.Identifier(text)
