"""Connections to a database that a URL names: synchronous and asynchronous ones, and URLs themselves.

Where the databases of an installation are is known in `installation.databases`; services are given a handle (`hq`).
No error raised here carries a password.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, LiteralString
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import orjson
import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from enrichment_assets.domain.errors import ConfigurationError, InfrastructureError
from enrichment_assets.store import arrays
from enrichment_assets.store.links import (
    PATIENCE_SECONDS,
    BoundedAsyncConnection,
    BoundedConnection,
    signs_of_life,
)
from enrichment_assets.store.pooling import Pooling, Route, advice, known_pooling, note_pooling, route, without_options

_CONNECT_SECONDS = 10

Row = dict[str, Any]
"""A row as every query gives it: column -> value."""

Connection = psycopg.Connection[Row]
"""A synchronous connection. Signatures name the two kinds by `Connection` and `AsyncConnection`, and no others."""


class AsyncConnection(BoundedAsyncConnection):
    """An asynchronous connection, which knows whether a pooler gives each of its transactions another session.

    Attributes:
        pooling: What stands before the server.
    """

    pooling: Pooling = Pooling.NONE
    _each_time: Mapping[str, str] = {}

    async def work_under(self, settings: Mapping[str, str]) -> None:
        """Settings for what this connection does from now on: of the session, or behind a pooler of each transaction.

        Behind a pooler they hold in `begin` and `under_settings`, and nowhere else.

        Args:
            settings: Name -> value of Postgres settings.
        """
        if self.pooling is Pooling.NONE:
            await self._set(settings, is_local=False)
        else:
            self._each_time = settings

    async def begin(self) -> None:
        """Begin a transaction under the settings. In a pipeline this is no exchange of its own."""
        await self.execute("begin")
        if self._each_time:
            await self._set(self._each_time, is_local=True)

    @asynccontextmanager
    async def under_settings(self) -> AsyncIterator[None]:
        """Whatever is done inside is done under the settings: where they are no session's, in one transaction."""
        if not self._each_time:
            yield
            return
        async with self.pipeline(), self.transaction():
            await self._set(self._each_time, is_local=True)
            yield

    async def _set(self, settings: Mapping[str, str], *, is_local: bool) -> None:
        await self.execute(*_local_settings(settings, is_local=is_local))


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
    arrays.register(connection.adapters)
    return connection


async def connect_async(url: str, *, autocommit: bool = False, patience: float = PATIENCE_SECONDS) -> AsyncConnection:
    """Open an asynchronous connection whose rows are dictionaries; `patience`: see `store.links`.

    It prepares the statements that ask for it, unless a pooler in transaction mode stands in between.

    Raises:
        InfrastructureError: As `connect`.
    """
    try:
        connection = await AsyncConnection.connect(
            url,
            **signs_of_life(url),  # type: ignore[arg-type]
            row_factory=dict_row,
            autocommit=True,
            connect_timeout=_CONNECT_SECONDS,
            application_name="enrich",
        )
        connection.patience = patience
        connection.pooling = known_pooling(url) or await _noticed(url, connection)
        if connection.pooling is Pooling.TRANSACTION:
            connection.prepare_threshold = None
        await connection.set_autocommit(autocommit)
    except psycopg.Error as error:
        raise unreachable(url, error) from None
    set_json_loads(orjson.loads, connection)
    arrays.register(connection.adapters)
    return connection


def route_to(url: str) -> Route:
    """How to connect to what a URL names. Costs a connection where this process does not know the server yet.

    Raises:
        InfrastructureError: As `connect`.
    """
    pooling = known_pooling(url)
    if pooling is None:
        with connect(without_options(url), autocommit=True) as connection:
            pooling = Pooling.TRANSACTION if is_pooled(connection) else Pooling.NONE
        note_pooling(url, pooling)
    return route(url, pooling)


def set_for_transaction(connection: Connection, settings: Mapping[str, str]) -> None:
    """Settings (name -> value) until the transaction ends; none cost nothing."""
    if settings:
        connection.execute(*_local_settings(settings))


def _local_settings(settings: Mapping[str, str], *, is_local: bool = True) -> tuple[LiteralString, list[str | bool]]:
    """A statement that sets them, with its values."""
    sets = ", ".join(["set_config(%s, %s, %s)"] * len(settings))
    return f"select {sets}", [part for pair in settings.items() for part in (*pair, is_local)]


@contextmanager
def transaction_at(url: str) -> Iterator[Connection]:
    """One transaction on what a URL names, under the settings of its `options`, which no pooler takes.

    Raises:
        InfrastructureError: As `connect`.
    """
    way = route_to(url)
    with connect(way.url) as connection:
        set_for_transaction(connection, way.settings)
        yield connection


def is_pooled(connection: Connection) -> bool:
    """Whether a pooler (PgBouncer, Supavisor) answers for the server, and each transaction may have another session.

    A pooler greets with a process id of its own making, for it has no server process for the client yet; a server
    greets with the id of the process that serves.
    """
    row = connection.execute(_PROCESS).fetchone()
    return row is None or row["pid"] != connection.info.backend_pid


_PROCESS = "select pg_backend_pid() as pid"


async def _noticed(url: str, connection: AsyncConnection) -> Pooling:
    """As `is_pooled`, once a process."""
    row = await (await connection.execute(_PROCESS)).fetchone()
    is_direct = row is not None and row["pid"] == connection.info.backend_pid
    note_pooling(url, Pooling.NONE if is_direct else Pooling.TRANSACTION)
    return Pooling.NONE if is_direct else Pooling.TRANSACTION


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
    told = reason(error, url)
    return InfrastructureError(
        f"The database at {place(url)} cannot be used: {told}{advice(told)}", code="database.unusable"
    )


def reason(error: psycopg.Error, url: str) -> str:
    """The server's or libpq's words on one line, with the password struck out should it be among them."""
    if isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None:
        return "its address cannot be read"  # libpq quotes the part that it does not understand
    text = " ".join(str(error).split())
    password = conninfo_to_dict(url).get("password") if url else None
    return text.replace(str(password), "***") if password else text
