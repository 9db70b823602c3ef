"""Rows of HQ that are a person's, and rows that name them: read, counted and emptied, each table in one pass.

A row is a person's own when its item is; there the marked columns are emptied. In all other rows their values are
blacked out, and bodies that name them are taken out whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from enrichment_assets.domain.person_traces import Needles
from enrichment_assets.store.database import Connection
from enrichment_assets.store.people.erasures import own_call
from enrichment_assets.store.people.marked_tables import MarkedColumn, MarkedTable

CHUNK = 500
"""Rows that are read and written together."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom the statements are about.

    Attributes:
        clients: Ids of the clients in question; None: all.
        items: Ids of the items that are theirs.
        calls: Ids of the calls that were made about them.
        companies: Keys of the companies where their name means them.
        needles: What they are found by in texts.
    """

    clients: Sequence[int] | None
    items: Sequence[int]
    calls: Sequence[int]
    companies: Sequence[str]
    needles: Needles

    def parameters(self) -> dict[str, Any]:
        """For the statements here."""
        pairs = self.needles.pair_patterns()
        return {
            "clients": None if self.clients is None else list(self.clients),
            "items": list(self.items),
            "calls": list(self.calls),
            "companies": list(self.companies),
            "strong": self.needles.pattern(names=False),
            "named": self.needles.pattern(names=True),
            "firsts": pairs and pairs[0],
            "lasts": pairs and pairs[1],
        }


def calls_of(connection: Connection, items: Sequence[int]) -> list[int]:
    """Ids of the calls that were made about these items, and not about their company."""
    rows = connection.execute(
        f"select c.id from provider_calls c where c.item_id = any(%(items)s) and {own_call('%(items)s')} order by c.id",
        {"items": list(items)},
    )
    return [row["id"] for row in rows]


def own_rows(connection: Connection, table: MarkedTable, subject: Subject) -> int:
    """How many rows are the person's and hold something yet."""
    if table.own is None or not table.emptied:
        return 0
    something = " or ".join(column.holds_something for column in table.emptied)
    query = f"select count(*) as n from {table.name} t where {table.own} and ({something})"
    row = connection.execute(_sql(query), subject.parameters()).fetchone()
    return 0 if row is None else int(row["n"])


def exported(connection: Connection, table: MarkedTable, subject: Subject) -> Iterator[dict[str, Any]]:
    """Rows that are the person's or name them: key and marked columns."""
    shown = [f"t.{name}" for name in table.key if name not in {column.name for column in table.columns}]
    shown += [f"t.{column.name}" for column in table.columns]
    where = [f"({table.own})"] if table.own else []
    where += [f"({_names_them(table, column)})" for column in table.columns]
    query = (
        f"select {', '.join(shown)} from {table.name} t where {table.of_clients} and ({' or '.join(where)}) "
        f"order by {', '.join(f't.{name}' for name in table.key)}"
    )
    yield from connection.execute(_sql(query), subject.parameters())


# crash point: own-rows-are-emptied
def empty_own(connection: Connection, table: MarkedTable, subject: Subject) -> int:
    """Empty the marked columns of the person's rows; how many there were. The caller commits."""
    if table.own is None or not table.emptied:
        return 0
    changes, something = [], []
    for column in table.emptied:
        changes.append(table.taking_out(column) if column in table.bodies else f"{column.name} = {column.emptied}")
        something.append(column.holds_something)
    query = f"update {table.name} t set {', '.join(changes)} where {table.own} and ({' or '.join(something)})"
    return connection.execute(_sql(query), subject.parameters()).rowcount


# crash point: bodies-are-taken-out
def take_out_bodies(connection: Connection, table: MarkedTable, subject: Subject) -> int:
    """Take out the bodies that name the person; how many. The caller commits."""
    return sum(
        connection.execute(
            _sql(
                f"update {table.name} t set {table.taking_out(column)} "
                f"where {_has_body(table, column)} and ({_names_them(table, column)})"
            ),
            subject.parameters(),
        ).rowcount
        for column in table.bodies
    )


def bodies_that_name_them(connection: Connection, table: MarkedTable, subject: Subject) -> int:
    """How many `take_out_bodies` would take out."""
    count = 0
    for column in table.bodies:
        query = (
            f"select count(*) as n from {table.name} t "
            f"where {_has_body(table, column)} and ({_names_them(table, column)})"
        )
        row = connection.execute(_sql(query), subject.parameters()).fetchone()
        count += 0 if row is None else int(row["n"])
    return count


# crash point: mentions-are-blacked-out
def black_out(connection: Connection, table: MarkedTable, subject: Subject, *, dry_run: bool) -> int:
    """Black the person out of the rows that name them; how many rows. The caller commits; `dry_run` only counts."""
    changed = 0
    for rows in _naming_rows(connection, table, subject):
        for row in rows:
            names = bool(row.pop("at_their_company"))
            new = {c.name: _without(c, row, table, subject.needles, names=names) for c in table.written}
            differs = {name: value for name, value in new.items() if value != row[name]}
            if differs and not dry_run:
                _write(connection, table, row, differs)
            changed += bool(differs)
    return changed


def _naming_rows(connection: Connection, table: MarkedTable, subject: Subject) -> Iterator[list[dict[str, Any]]]:
    """Chunks of the rows that may name the person, by key; one scan of the table finds their keys."""
    if not table.written or subject.needles.pattern(names=True) is None:
        return
    where = " or ".join(f"({_names_them(table, column)})" for column in table.written)
    keys = ", ".join(f"t.{name}" for name in table.key)
    found = connection.execute(
        _sql(f"select {keys} from {table.name} t where {table.of_clients} and ({where}) order by {keys}"),
        subject.parameters(),
    ).fetchall()
    listed = ", ".join(f"t.{name}" for name in dict.fromkeys([*table.key, *(c.name for c in table.written)]))
    same = " and ".join(f"t.{name} = k.{name}" for name in table.key)
    place = table.at_their_company or "true"
    for start in range(0, len(found), CHUNK):
        some = found[start : start + CHUNK]
        arrays = ", ".join(f"%({f'key_{name}'})s" for name in table.key)
        query = (
            f"select {listed}, coalesce(({place}), false) as at_their_company from {table.name} t "
            f"join unnest({arrays}) as k({', '.join(table.key)}) on {same} for update of t"
        )
        by_key = {f"key_{name}": [row[name] for row in some] for name in table.key}
        yield connection.execute(_sql(query), {**subject.parameters(), **by_key}).fetchall()


def _has_body(table: MarkedTable, column: MarkedColumn) -> str:
    return f"{table.of_clients} and {table.settled} and t.{column.name} is not null"


def _names_them(table: MarkedTable, column: MarkedColumn) -> str:
    """SQL condition: the column's text may name the person. A superset: what is found is looked at again."""
    text, place = column.as_text, table.at_their_company or "true"
    named = f"{text} ~* %(named)s::text"
    pair = f"({text} ~* %(firsts)s::text and {text} ~* %(lasts)s::text)"
    return f"{text} ~* %(strong)s::text or (({place}) and ({named} or {pair}))"


def _without(column: MarkedColumn, row: dict[str, Any], table: MarkedTable, needles: Needles, *, names: bool) -> Any:
    value = row[column.name]
    if isinstance(value, str):
        text = needles.blacked_out(value, names=names)
        # Two people of one batch must not come to one key.
        return f"{text}#{row[table.key[0]]}" if column.unique and text != value else text
    return needles.redacted(value, names=names)[0]


def _write(connection: Connection, table: MarkedTable, row: dict[str, Any], new: dict[str, Any]) -> None:
    kinds = {column.name: column.kind for column in table.columns}
    values = {name: Jsonb(value) if kinds[name] == "json" else value for name, value in new.items()}
    changes = ", ".join(f"{name} = %(new_{name})s" for name in values)
    same = " and ".join(f"{name} = %(key_{name})s" for name in table.key)
    parameters = {f"new_{name}": value for name, value in values.items()}
    parameters |= {f"key_{name}": row[name] for name in table.key}
    connection.execute(_sql(f"update {table.name} set {changes} where {same}"), parameters)


def _sql(text: str) -> sql.SQL:
    """Names in these statements are those of `store.tables`; every value is a parameter."""
    return sql.SQL(text)
