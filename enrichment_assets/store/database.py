"""Connections to a database that a URL names: synchronous and asynchronous ones, and URLs themselves.

Where the databases of an installation are is known in `installation.databases`; services are given a handle (`hq`).
No error raised here carries a password.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import orjson
import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from enrichment_assets.domain.errors import ConfigurationError, InfrastructureError
from enrichment_assets.store.links import (
    PATIENCE_SECONDS,
    BoundedAsyncConnection,
    BoundedConnection,
    signs_of_life,
)

_CONNECT_SECONDS = 10

Row = dict[str, Any]
"""A row as every query gives it: column -> value."""

Connection = psycopg.Connection[Row]
AsyncConnection = psycopg.AsyncConnection[Row]
"""The two kinds of connection, under one name each: signatures use these and no others."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A new connection and the libpq URL that it was made with, which may hold a password."""

    connection: Connection
    url: str = field(repr=False)


def connect(url: str, *, autocommit: bool = False) -> Connection:
    """Open a connection whose rows are dictionaries, and which prepares no statements.

    A number in JSON that 64 bits do not hold is a float, as when it came: integers of that size are kept as text.

    Raises:
        InfrastructureError: The server cannot be reached or refuses; the message names the place, never the password.
    """
    try:
        connection = BoundedConnection.connect(
            url,
            **signs_of_life(url),  # type: ignore[arg-type]
            row_factory=dict_row,
            autocommit=autocommit,
            connect_timeout=_CONNECT_SECONDS,
            application_name="enrich",
            prepare_threshold=None,
        )
    except psycopg.Error as error:
        raise unreachable(url, error) from None
    set_json_loads(orjson.loads, connection)
    return connection


async def connect_async(url: str, *, autocommit: bool = False, patience: float = PATIENCE_SECONDS) -> AsyncConnection:
    """Open an asynchronous connection whose rows are dictionaries; `patience`: see `store.links`.

    It prepares the statements that ask for it, unless a proxy stands in between (`is_proxied`).

    Raises:
        InfrastructureError: As `connect`.
    """
    try:
        connection = await BoundedAsyncConnection.connect(
            url,
            **signs_of_life(url),  # type: ignore[arg-type]
            row_factory=dict_row,
            autocommit=True,
            connect_timeout=_CONNECT_SECONDS,
            application_name="enrich",
        )
        connection.patience = patience
        if await is_proxied(connection):
            connection.prepare_threshold = None
        await connection.set_autocommit(autocommit)
    except psycopg.Error as error:
        raise unreachable(url, error) from None
    set_json_loads(orjson.loads, connection)
    return connection


async def is_proxied(connection: AsyncConnection) -> bool:
    """Whether a proxy (PgBouncer, Supavisor) answers for the server, so that each transaction may have another session.

    A proxy greets with a process id of its own making, for it has no server process for the client yet; a server greets
    with the id of the process that serves.
    """
    cursor = await connection.execute("select pg_backend_pid() as pid")
    row = await cursor.fetchone()
    return row is None or row["pid"] != connection.info.backend_pid


def postgres_url(text: str, name: str) -> str:
    """A configured URL in the one form that psycopg, psycopg2 and SQLAlchemy understand: `postgresql://...`.

    Args:
        text: `postgres://`, `postgresql://`, or either with a driver (`postgresql+psycopg2://`).
        name: The environment variable it came from, for the error.

    Raises:
        ConfigurationError: It is no Postgres URL. The text is not repeated, for it may hold a password.
    """
    scheme, _, rest = text.partition("://")
    url = f"postgresql://{rest}"
    _, _, path = rest.partition("/")
    # An unencoded "/" or "#" in a password is read as the start of something else: part of it would pass for a name.
    if scheme.partition("+")[0] in ("postgres", "postgresql") and rest and "@" not in path and "#" not in rest:
        try:
            conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            pass
        else:
            return url
    raise ConfigurationError(
        f"{name} is not a Postgres URL: write postgresql://user:password@host:5432/database, "
        "with special characters of the password percent-encoded.",
        code="setting.database_url_invalid",
    )


def with_search_path(url: str, schema: str) -> str:
    """The same database with another default schema."""
    return with_setting(url, "search_path", schema)


def with_setting(url: str, name: str, value: str) -> str:
    """The same database with a setting of its connections, through libpq's `options`."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query["options"] = f"{query.get('options', '')} -c{name}={value}".strip()
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote, safe="/")))


def place(url: str) -> str:
    """Where a URL points, fit for people and logs: `host:port/database`, no user, no password."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return "the configured address"
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


def unreachable(url: str, error: psycopg.Error) -> InfrastructureError:
    """The error for a database that cannot be used: it names the place and the cause, never the password."""
    return InfrastructureError(
        f"The database at {place(url)} cannot be used: {reason(error, url)}", code="database.unusable"
    )


def reason(error: psycopg.Error, url: str) -> str:
    """The server's or libpq's words on one line, with the password struck out should it be among them."""
    if isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None:
        return "its address cannot be read"  # libpq quotes the part that it does not understand
    text = " ".join(str(error).split())
    password = conninfo_to_dict(url).get("password") if url else None
    return text.replace(str(password), "***") if password else text
