"""What a table source would meet: the table, its columns, how many rows match, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psycopg

from enrichment_assets.domain.errors import ConfigurationError, EnrichError
from enrichment_assets.domain.sources import TableSource
from enrichment_assets.domain.suggestions import did_you_mean, instead
from enrichment_assets.services.catalog.destination_names import is_ours
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.services.sources.columns import merged
from enrichment_assets.services.sources.gathering import Incoming, Into, Ready, gather, make_ready
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import Connection
from enrichment_assets.store.database_errors import described
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.results import own_tables
from enrichment_assets.store.sources import user_tables
from enrichment_assets.store.sources.user_tables import COUNTED, UserTable

_TEXTS = frozenset({"text", "character varying", "bpchar", "citext"})


@dataclass(frozen=True, slots=True)
class CheckedColumn:
    """A column that is read: its type, and the identity field that it is; None: it is a cell by its name alone."""

    name: str
    type: str
    field: str | None


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of a source.

    Attributes:
        table: The table's name with its schema; None: there is none.
        columns: What is read of it.
        matching: Rows that would be taken, counted up to `counted_to`.
        counted_to: Where counting ends.
        problems: What is wrong, in sentences; empty: nothing is.
    """

    table: str | None
    columns: tuple[CheckedColumn, ...]
    matching: int
    problems: tuple[str, ...]
    counted_to: int = COUNTED


def check_source(
    hq: Hq,
    settings: Settings,
    into: Into,
    source: TableSource,
    *,
    environment: Mapping[str, str] | None = None,
) -> Checked:
    """Look at a table as its source would, and try its pipeline on a row without cells; nothing is kept of that.

    Raises:
        NotFoundError: There is no such client or pipeline.
    """
    ready = make_ready(hq, settings, into.client, into.pipeline)
    with hq.workspace.transaction() as connection:
        table = user_tables.find_table(connection, source.table)
        problems = list(_problems(connection, table, source))
        matching = 0
        if table is not None and not problems:
            problems += _taken(connection, table, ready, into.pipeline)
            matching = user_tables.count_matching(connection, table, source.where)
            for option, assigned in (("done", source.done), ("failed", source.failed)):
                if why := user_tables.unwritable(connection, table, source, assigned):
                    problems.append(f"--{option}: a row could not be written back so: {why}")
    columns: tuple[CheckedColumn, ...] = ()
    if table is not None and not problems:
        fields = {one["name"]: one["field"] for one in merged((), table.cells, source.mapping)}
        columns = tuple(CheckedColumn(name, table.types[name], fields[name]) for name in table.cells)
        problems += _tried(hq, settings, into, ready, table, environment)
    return Checked(f"{table.schema}.{table.name}" if table else None, columns, matching, tuple(problems))


def _taken(connection: Connection, table: UserTable, ready: Ready, pipeline: str) -> Iterator[str]:
    """Tables that the pipeline would make for its results where the user has one, and not the one of the source."""
    for one in ready.families.tables if ready.families else ():
        own = own_tables.users_own(connection, one) if one.create else None
        if own is not None and (own.schema, own.name) != (table.schema, table.name):
            yield (
                f"pipeline {pipeline} writes a table {one.table!r}, and the workspace has another of that name that "
                "the platform has not made: rename that table, or copy the pipeline with another name"
            )


def _tried(
    hq: Hq, settings: Settings, into: Into, ready: Ready, table: UserTable, environment: Mapping[str, str] | None
) -> list[str]:
    """What keeps the pipeline from taking rows of this table: a batch is opened, and all of it taken back."""
    nothing = Incoming(table.cells, [(None,) * len(table.cells)])
    try:
        with registry(hq) as connection, connection.transaction(force_rollback=True):
            gather(connection, settings, into, nothing, ready, environment=environment)
    except ConfigurationError as error:
        return [error.what]
    return []


def usable(connection: Connection, source: TableSource) -> UserTable:
    """The source's table of now. Raises `ConfigurationError` where it lacks something that the source names."""
    table = user_tables.find_table(connection, source.table)
    problems = list(_names(connection, table, source))
    if table is None or problems:
        raise ConfigurationError("; ".join(problems), code="source.table_unusable")
    return table


def _problems(connection: Connection, table: UserTable | None, source: TableSource) -> Iterator[str]:
    found = list(_names(connection, table, source))
    yield from found
    if table is not None and not found:
        yield from _values(connection, table, source)


def _names(connection: Connection, table: UserTable | None, source: TableSource) -> Iterator[str]:
    """What is wrong with the names: the table's, and the columns'."""
    if table is None:
        known = instead(source.table, [one for one in user_tables.table_names(connection) if not is_ours(one)])
        yield f"the workspace has no table {source.table!r}: {known}"
        return
    if table.kind not in ("r", "p"):
        yield f"{source.table} is no table: rows of a view or a foreign table cannot be known by a key"
    if is_ours(table.name) or table.schema in ("pg_catalog", "information_schema"):
        yield f"{source.table} is a table of the platform's own"
    for column in source.columns:
        if column not in table.types:
            yield f"{source.table} has no column {column!r}{did_you_mean(column, table.types)}"
    if source.key in table.types and source.key not in table.unique:
        yield (
            f"the key {source.key!r} does not know a row alone: it needs a primary key or a unique index of its own, "
            "and not null"
        )
    if not table.readable:
        yield f"the role of the workspace may not read {source.table}: grant select on it"
    written = dict.fromkeys([*source.done, *source.failed, *filter(None, [source.reason])])
    for column in written:
        if column in table.generated:
            yield f"{column!r} cannot be written: Postgres makes its values"
        elif column in table.types and column not in table.writable:
            yield f"the role of the workspace may not write {column!r} of {source.table}: grant update on it"
    if source.reason in table.types and table.types[source.reason or ""] not in _TEXTS:
        yield f"the column for the reason, {source.reason!r}, is no text: {table.types[source.reason or '']}"


def _values(connection: Connection, table: UserTable, source: TableSource) -> Iterator[str]:
    """What is wrong with the values."""
    for option, pairs in (("where", source.where), ("done", source.done), ("failed", source.failed)):
        for column, value in pairs.items():
            try:
                why = user_tables.unfit_value(connection, table, column, value)
            except psycopg.Error as error:  # a type whose input function fails in its own way
                why = type(error).__name__
            if why is not None:
                yield f"--{option}: {column} cannot be {value!r}: {why}"


def refuse(checked: Checked) -> None:
    """Raise `ConfigurationError` with all that is wrong."""
    if checked.problems:
        raise ConfigurationError("; ".join(checked.problems), code="source.not_ready")


def said_of(error: EnrichError | psycopg.Error) -> str:
    """What may be kept of why a look failed: no value of a row."""
    return error.what if isinstance(error, EnrichError) else f"the table cannot be used: {described(error)}"
