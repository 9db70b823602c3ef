"""The way to the databases: which URLs there are, opening them, and connections.

`open_databases` is what every process calls first. With no URL configured it starts the embedded Postgres and keeps
everything there; with `HQ_DATABASE_URL` it starts nothing. No error raised here carries a password.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import orjson
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from enrichment_assets.domain.errors import ConfigurationError, InfrastructureError
from enrichment_assets.home import prepare_home
from enrichment_assets.settings import Settings
from enrichment_assets.store import migrating
from enrichment_assets.store.embedded import LocalPostgres

logger = logging.getLogger(__name__)

HQ_NAME = "enrich_hq"
WORKSPACE_NAME = "enrich_workspace"
DAGSTER_NAME = "dagster"
"""Names of the databases on the embedded server."""

DAGSTER_SCHEMA = "dagster"
"""Schema of Dagster's tables when they share the HQ database."""

_CREATE_LOCK = 7_210_001
_CONNECT_SECONDS = 10

Row = dict[str, Any]
"""A row as every query gives it: column -> value."""

Connection = psycopg.Connection[Row]
AsyncConnection = psycopg.AsyncConnection[Row]
"""The two kinds of connection, under one name each: signatures use these and no others."""


@dataclass(frozen=True, slots=True)
class Databases:
    """libpq URLs of the three databases. They may hold passwords, so `repr` shows none of them."""

    hq: str = field(repr=False)
    workspace: str = field(repr=False)
    dagster: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """A new connection and the libpq URL that it was made with, which may hold a password."""

    connection: Connection
    url: str = field(repr=False)


def open_databases(settings: Settings) -> Databases:
    """Make the databases usable and say where they are.

    Starts the embedded server if no HQ URL is configured, creates what is missing on it, and migrates HQ to the
    newest schema; costs one connection when all of that is done already.

    Raises:
        ConfigurationError: A configured URL is not a Postgres URL.
        InfrastructureError: A server cannot be started or reached, or a migration fails.
    """
    databases, connection = _open(settings)
    connection.close()
    return databases


def connect_hq(settings: Settings) -> Opened:
    """A connection to HQ, made usable as by `open_databases`, whose errors it raises."""
    databases, connection = _open(settings)
    return Opened(connection, databases.hq)


def connect_workspace(settings: Settings) -> Opened:
    """A connection to the workspace, made usable as by `open_databases`, whose errors it raises."""
    url = open_databases(settings).workspace
    return Opened(connect(url), url)


def locate_external(settings: Settings) -> Databases:
    """The URLs for configured databases, without connecting. `settings.hq_database_url` must be set."""
    hq = postgres_url(settings.hq_database_url or "", "HQ_DATABASE_URL")
    return Databases(
        hq=hq,
        workspace=_optional_url(settings.workspace_database_url, "WORKSPACE_DATABASE_URL") or hq,
        dagster=_optional_url(settings.dagster_database_url, "DAGSTER_DATABASE_URL")
        or with_search_path(hq, DAGSTER_SCHEMA),
    )


def embedded_server(settings: Settings) -> LocalPostgres:
    """The embedded server of this home, running or not. The home is made, for this account only."""
    prepare_home(settings.home)
    return LocalPostgres(settings.postgres_dir)


def connect(url: str, *, autocommit: bool = False) -> Connection:
    """Open a connection whose rows are dictionaries, and which prepares no statements.

    A number in JSON that 64 bits do not hold is a float, as when it came: integers of that size are kept as text.

    Raises:
        InfrastructureError: The server cannot be reached or refuses; the message names the place, never the password.
    """
    try:
        connection = psycopg.connect(
            url,
            row_factory=dict_row,
            autocommit=autocommit,
            connect_timeout=_CONNECT_SECONDS,
            application_name="enrich",
            prepare_threshold=None,
        )
    except psycopg.Error as error:
        raise _unreachable(url, error) from None
    set_json_loads(orjson.loads, connection)
    return connection


async def connect_async(url: str, *, autocommit: bool = False) -> AsyncConnection:
    """Open an asynchronous connection whose rows are dictionaries.

    It prepares the statements that ask for it, unless a proxy stands in between (`is_proxied`).

    Raises:
        InfrastructureError: As `connect`.
    """
    try:
        connection = await psycopg.AsyncConnection.connect(
            url,
            row_factory=dict_row,
            autocommit=True,
            connect_timeout=_CONNECT_SECONDS,
            application_name="enrich",
        )
        if await is_proxied(connection):
            connection.prepare_threshold = None
        await connection.set_autocommit(autocommit)
    except psycopg.Error as error:
        raise _unreachable(url, error) from None
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
    """The same database with another default schema, set through libpq's `options`."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query["options"] = f"{query.get('options', '')} -csearch_path={schema}".strip()
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote, safe="/")))


def place(url: str) -> str:
    """Where a URL points, fit for people and logs: `host:port/database`, no user, no password."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return "the configured address"
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


def _optional_url(text: str | None, name: str) -> str | None:
    return None if text is None else postgres_url(text, name)


def _open(settings: Settings) -> tuple[Databases, Connection]:
    """Where the databases are, and a connection to HQ, which is ready by then."""
    databases, connection = _open_embedded(settings) if settings.hq_database_url is None else _open_external(settings)
    try:
        if databases.hq not in _ready:
            _make_ready(settings, databases, connection)
            _ready.add(databases.hq)
        connection.autocommit = False
    except BaseException:
        connection.close()
        raise
    return databases, connection


_ready: set[str] = set()
"""HQ databases that this process has found at the newest revision, or brought there."""


def _open_external(settings: Settings) -> tuple[Databases, Connection]:
    databases = locate_external(settings)
    return databases, connect(databases.hq, autocommit=True)


def _open_embedded(settings: Settings) -> tuple[Databases, Connection]:
    server = embedded_server(settings)
    databases = Databases(
        hq=server.url(HQ_NAME),
        workspace=_optional_url(settings.workspace_database_url, "WORKSPACE_DATABASE_URL")
        or server.url(WORKSPACE_NAME),
        dagster=_optional_url(settings.dagster_database_url, "DAGSTER_DATABASE_URL") or server.url(DAGSTER_NAME),
    )
    try:
        return databases, connect(databases.hq, autocommit=True)
    except InfrastructureError:  # not running, starting, or never made
        _ready.discard(databases.hq)
        server.start()
        _create_databases(server)
        return databases, connect(databases.hq, autocommit=True)


def _make_ready(settings: Settings, databases: Databases, connection: Connection) -> None:
    _migrate_if_behind(connection, databases)
    if settings.hq_database_url is None:
        return
    if settings.workspace_database_url is None:
        logger.info("WORKSPACE_DATABASE_URL is not set: results are published to the HQ database")
    if settings.dagster_database_url is None:
        _ensure_schema(connection, DAGSTER_SCHEMA)


def _create_databases(server: LocalPostgres) -> None:
    """Create what is missing, HQ last: where HQ exists, the others do."""
    with connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", [_CREATE_LOCK])
        existing = {row["datname"] for row in connection.execute("select datname from pg_database")}
        for name in (DAGSTER_NAME, WORKSPACE_NAME, HQ_NAME):
            if name not in existing:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


def _migrate_if_behind(connection: Connection, databases: Databases) -> None:
    if migrating.is_current(connection):
        return
    try:
        migrating.migrate(databases.hq)
    except psycopg.Error as error:
        raise _unreachable(databases.hq, error) from None


def _ensure_schema(connection: Connection, schema: str) -> None:
    """Create a schema if it is absent; looking first, for a role without CREATE may use one that is there."""
    found = connection.execute("select to_regnamespace(%s) is not null as found", [schema]).fetchone()
    if found and found["found"]:
        return
    try:
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
    except psycopg.errors.UniqueViolation:
        return  # another process created it at this moment
    except psycopg.Error as error:
        raise InfrastructureError(
            f"The schema {schema} cannot be created ({_reason(error, '')}): create it, or set DAGSTER_DATABASE_URL.",
            code="database.schema_not_creatable",
        ) from None


def _unreachable(url: str, error: psycopg.Error) -> InfrastructureError:
    return InfrastructureError(
        f"The database at {place(url)} cannot be used: {_reason(error, url)}", code="database.unusable"
    )


def _reason(error: psycopg.Error, url: str) -> str:
    """The server's or libpq's words on one line, with the password struck out should it be among them."""
    if isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None:
        return "its address cannot be read"  # libpq quotes the part that it does not understand
    text = " ".join(str(error).split())
    password = conninfo_to_dict(url).get("password") if url else None
    return text.replace(str(password), "***") if password else text
