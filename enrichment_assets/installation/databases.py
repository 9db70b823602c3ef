"""The databases of an installation: where they are, making them usable, and the handle that entry points open.

With no URL configured the embedded Postgres is started and everything is kept there; with `HQ_DATABASE_URL` nothing is
started. HQ is brought to the newest schema, which one process looks at once. No error raised here carries a password.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import psycopg
from psycopg import sql

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.home import prepare_home
from enrichment_assets.installation import migrating
from enrichment_assets.installation.embedded import LocalPostgres
from enrichment_assets.installation.pooler import settle_pooling
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import (
    Connection,
    Opened,
    connect,
    place,
    postgres_url,
    reason,
    unreachable,
    with_search_path,
)
from enrichment_assets.store.hq import MOST_CONNECTIONS, PATIENCE_SECONDS, Hq
from enrichment_assets.store.pooling import Pooling, declared_pooling, note_pooling

logger = logging.getLogger(__name__)

HQ_NAME = "enrich_hq"
WORKSPACE_NAME = "enrich_workspace"
DAGSTER_NAME = "dagster"
"""Names of the databases on the embedded server."""

DAGSTER_SCHEMA = "dagster"
"""Schema of Dagster's tables when they share the HQ database."""

_CREATE_LOCK = 7_210_001

_ready: set[str] = set()
"""HQ databases that this process has found at the newest revision, or brought there."""


@dataclass(frozen=True, slots=True)
class Databases:
    """libpq URLs of the three databases. They may hold passwords, so `repr` shows none of them."""

    hq: str = field(repr=False)
    workspace: str = field(repr=False)
    dagster: str = field(repr=False)


def open_hq(settings: Settings, *, most: int = MOST_CONNECTIONS, patience: float = PATIENCE_SECONDS) -> Hq:
    """The handle for the databases of an installation. Nothing is connected, started or made before its first use.

    Its first use starts the embedded server where no URL is configured, and migrates HQ where it is behind.

    Args:
        settings: Which installation.
        most: Bound of the connections to each database.
        patience: Seconds that a transaction waits for a connection.
    """
    return Hq(partial(connect_hq, settings), partial(connect_workspace, settings), most=most, patience=patience)


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
    known = _located(settings)
    if known.hq in _ready and known.workspace in _ready:
        with suppress(InfrastructureError):  # stopped meanwhile: started again below
            return Opened(connect(known.workspace), known.workspace)
    url = open_databases(settings).workspace
    connection = connect(url, autocommit=True)
    try:
        if url not in _ready:
            if settings.workspace_database_url is not None:
                settle_pooling(url, connection, None)
            _ready.add(url)
        connection.autocommit = False
    except BaseException:
        connection.close()
        raise
    return Opened(connection, url)


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


def _open_external(settings: Settings) -> tuple[Databases, Connection]:
    databases = locate_external(settings)
    return databases, connect(databases.hq, autocommit=True)


def _located(settings: Settings) -> Databases:
    """Where the databases are, usable or not."""
    if settings.hq_database_url is not None:
        return locate_external(settings)
    server = embedded_server(settings)
    return Databases(
        hq=server.url(HQ_NAME),
        workspace=_optional_url(settings.workspace_database_url, "WORKSPACE_DATABASE_URL")
        or server.url(WORKSPACE_NAME),
        dagster=_optional_url(settings.dagster_database_url, "DAGSTER_DATABASE_URL") or server.url(DAGSTER_NAME),
    )


def _open_embedded(settings: Settings) -> tuple[Databases, Connection]:
    server, databases = embedded_server(settings), _located(settings)
    try:
        return databases, connect(databases.hq, autocommit=True)
    except InfrastructureError:  # not running, starting, or never made
        _ready.discard(databases.hq)
        server.start()
        _create_databases(server)
        return databases, connect(databases.hq, autocommit=True)


def _make_ready(settings: Settings, databases: Databases, connection: Connection) -> None:
    if settings.hq_database_url is None:
        note_pooling(databases.hq, Pooling.NONE)
    else:
        settle_pooling(databases.hq, connection, declared_pooling(settings.hq_pooler))
    direct = _optional_url(settings.hq_direct_url, "HQ_DATABASE_DIRECT_URL")
    _migrate_if_behind(connection, databases.hq, direct)
    if settings.hq_database_url is None:
        return
    if settings.workspace_database_url is None:
        logger.info("WORKSPACE_DATABASE_URL is not set: results are published to the HQ database")
    if settings.dagster_database_url is None:
        _ensure_schema(connection, DAGSTER_SCHEMA, direct)


def _create_databases(server: LocalPostgres) -> None:
    """Create what is missing, HQ last: where HQ exists, the others do."""
    with connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", [_CREATE_LOCK])
        existing = {row["datname"] for row in connection.execute("select datname from pg_database")}
        for name in (DAGSTER_NAME, WORKSPACE_NAME, HQ_NAME):
            if name not in existing:
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))


def _migrate_if_behind(connection: Connection, hq: str, direct: str | None) -> None:
    """Migrate HQ by the direct URL, where there is one: its role owns the tables, the connection's works with them."""
    if _is_current(connection):
        return
    try:
        migrating.migrate(direct or hq, works_as=_role(connection))
    except psycopg.errors.InsufficientPrivilege as error:
        raise InfrastructureError(
            f"HQ at {place(direct or hq)} cannot be migrated as this role ({reason(error, direct or hq)}): "
            "HQ_DATABASE_DIRECT_URL names the role that owns its tables.",
            code="database.not_the_owner",
        ) from None
    except psycopg.Error as error:
        raise unreachable(direct or hq, error) from None
    if direct and not _is_current(connection):
        raise InfrastructureError(
            f"HQ_DATABASE_DIRECT_URL has migrated a schema that the role {_role(connection)} does not find at "
            f"{place(hq)}: both need the same database and the same search_path.",
            code="database.other_schema",
        )


def _is_current(connection: Connection) -> bool:
    """As `migrating.is_current`; what the role may not read, it was not given its rights to yet."""
    try:
        return migrating.is_current(connection)
    except psycopg.errors.InsufficientPrivilege:
        return False


def _role(connection: Connection) -> str:
    row = connection.execute("select current_user::text as role").fetchone()
    return "" if row is None else str(row["role"])


def _ensure_schema(connection: Connection, schema: str, direct: str | None) -> None:
    """Create a schema if it is absent; looking first, for a role without CREATE may use one that is there."""
    found = connection.execute("select to_regnamespace(%s) is not null as found", [schema]).fetchone()
    if found and found["found"]:
        return
    make = sql.SQL("create schema if not exists {}").format(sql.Identifier(schema))
    give = sql.SQL("grant usage, create on schema {} to {}").format(
        sql.Identifier(schema), sql.Identifier(_role(connection))
    )
    try:
        if direct is None:
            connection.execute(make)
            return
        with connect(direct) as owner:
            owner.execute(make)
            owner.execute(give)
    except psycopg.errors.UniqueViolation:
        return  # another process created it at this moment
    except psycopg.Error as error:
        raise InfrastructureError(
            f"The schema {schema} cannot be created ({reason(error, '')}): create it, or set DAGSTER_DATABASE_URL.",
            code="database.schema_not_creatable",
        ) from None
