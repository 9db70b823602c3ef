"""Makes the views of systems that are not there, or not as their files say; lets readers and workers at them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from psycopg import sql
from psycopg.errors import InvalidTableDefinition, UndefinedColumn, UndefinedTable

from enrichment_assets.store.database import Connection

FOLDER = Path(__file__).parent
PATH = "%path%"
"""Stands in `.triggers.sql` for the search_path of functions that work with their owner's rights."""

Database = Literal["hq", "workspace"]
_LOCK = 7_210_105
"""Held by who makes views: of several that find one missing, one makes it."""


@dataclass(frozen=True, slots=True)
class View:
    """A view of a system, as its files say.

    Attributes:
        schema: Where it stands; None: where our tables are.
        query: Its SELECT.
        triggers: What makes it writable; empty: nothing does.
    """

    system: str
    schema: str | None
    name: str
    query: str
    triggers: str

    @property
    def identifier(self) -> sql.Identifier:
        """Its name in SQL, with the schema."""
        return sql.Identifier(self.name) if self.schema is None else sql.Identifier(self.schema, self.name)

    def at(self, place: str) -> sql.Identifier:
        """The same with the schema where our tables are (`place`) instead of none."""
        return sql.Identifier(self.schema or place, self.name)

    @property
    def note(self) -> str:
        """What is noted at the view: it is as its files are."""
        return f"enrich: {hashlib.sha256(f'{self.query};{self.triggers}'.encode()).hexdigest()[:16]}"


# opens files of ours: the views'
@cache
def views(database: Database) -> tuple[View, ...]:
    """The views of a database, by their files; one that reads another of them comes after it in the alphabet."""
    found = []
    for path in sorted((FOLDER / database).glob("*/*.sql")):
        if path.name.endswith(".triggers.sql"):
            continue
        triggers = path.with_suffix(".triggers.sql")
        *schema, name = path.stem.split(".")
        written = triggers.read_text("utf-8") if triggers.exists() else ""
        query = path.read_text("utf-8").strip().rstrip(";")
        found.append(View(path.parent.name, schema[0] if schema else None, name, query, written))
    return tuple(found)


@cache
def digest(database: Database) -> str:
    """What all views of a database are known by."""
    return hashlib.sha256("".join(view.note for view in views(database)).encode()).hexdigest()[:16]


def ensure_views(connection: Connection, wanted: Sequence[View]) -> list[View]:
    """Make those of these views that are not as their files say, as far as what they read is there; those it has made.

    Costs one question to the catalogue where all is as it is to be. A view whose columns have changed is made anew,
    which Postgres refuses where somebody made another one over it.

    Args:
        connection: In a transaction, or in autocommit; as the owner of the tables.
        wanted: The views.
    """
    if not _missing(connection, wanted):
        return []
    with connection.transaction():
        connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        missing, place = _missing(connection, wanted), _place(connection)
        return [view for view in missing if _ensure_schema(connection, view.schema) and _make(connection, view, place)]


def standing(connection: Connection, database: Database) -> list[View]:
    """The views of a database that are there."""
    missing = _missing(connection, views(database))
    return [view for view in views(database) if view not in missing]


def could_be_made(connection: Connection, database: Database) -> bool:
    """Whether a view is missing whose schema our role may make, or make views in."""
    missing = {view.schema for view in _missing(connection, views(database))}
    return any(_may_make(connection, schema) for schema in missing)


def let_use(connection: Connection, there: Iterable[View], roles: Sequence[str], *, write: bool = False) -> None:
    """Let roles select from views; `write`: and change what is writable of them."""
    for view in there if roles else ():
        to = sql.SQL(", ").join(map(sql.Identifier, roles))
        if view.schema is not None:
            connection.execute(sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(view.schema), to))
        rights = sql.SQL("select, insert, update, delete" if write and view.triggers else "select")
        connection.execute(sql.SQL("grant {} on {} to {}").format(rights, view.identifier, to))


def _missing(connection: Connection, wanted: Sequence[View]) -> list[View]:
    """The views that are not there as their files say."""
    rows = connection.execute(
        """
        select n.place, obj_description(c.oid, 'pg_class') as note
        from unnest(%s::text[]) with ordinality as n (name, place)
        left join pg_class c on c.oid = to_regclass(n.name) and c.relkind = 'v'
        order by n.place
        """,
        [[view.identifier.as_string(None) for view in wanted]],
    ).fetchall()
    return [view for view, row in zip(wanted, rows, strict=True) if row["note"] != view.note]


def _ensure_schema(connection: Connection, schema: str | None) -> bool:
    """Whether our role may make views in the schema, which is made if need be."""
    if not _may_make(connection, schema):
        return False
    if schema is not None:
        found = connection.execute("select to_regnamespace(%s) as found", [_quoted(schema)]).fetchone()
        if found is None or found["found"] is None:
            connection.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
    return True


def _may_make(connection: Connection, schema: str | None) -> bool:
    """Whether our role may make views in the schema, or may make the schema that is not there."""
    if schema is None:
        return True
    row = connection.execute(
        "select case when to_regnamespace(%(schema)s) is null "
        "then has_database_privilege(current_database(), 'create') "
        "else has_schema_privilege(to_regnamespace(%(schema)s), 'create, usage') end as may",
        {"schema": _quoted(schema)},
    ).fetchone()
    return bool(row and row["may"])


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string(None)


def _place(connection: Connection) -> str:
    """The schema of our tables: the search_path may begin with another's."""
    row = connection.execute(
        "select coalesce((select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where c.oid = to_regclass('enrich_readers')), current_schema()) as place"
    ).fetchone()
    return str(row["place"]) if row else "public"


def _path(connection: Connection) -> str:
    """The search_path as it is, for a function that works with its owner's rights: temporary tables come last."""
    row = connection.execute(
        "select string_agg(quote_ident(s), ', ' order by place) as path "
        "from unnest(current_schemas(false)) with ordinality as n (s, place)"
    ).fetchone()
    return f"{row['path']}, pg_temp" if row and row["path"] else "pg_temp"


def _make(connection: Connection, view: View, place: str) -> bool:
    """Make a view, or leave it where what it reads is not there yet; whether it is made."""
    name, body = view.at(place), sql.SQL(view.query)  # a file of ours
    made = sql.SQL("create or replace view {} with (security_invoker = true) as {}").format(name, body)
    try:
        with connection.transaction():
            try:
                with connection.transaction():
                    connection.execute(made)
            except InvalidTableDefinition:  # other columns than before
                connection.execute(sql.SQL("drop view {}").format(name))
                connection.execute(made)
            if view.triggers:
                connection.execute(view.triggers.replace(PATH, _path(connection)).encode())
            note = sql.SQL("comment on view {} is {}")
            connection.execute(note.format(name, sql.Literal(view.note)))
    except (UndefinedTable, UndefinedColumn):
        return False
    return True
