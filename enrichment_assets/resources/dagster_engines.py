"""The connections of Dagster's own storage, which work through a pooler too.

dagster-postgres sets a session's time limit when it connects, and its tables are found by the session's `search_path`.
Behind a pooler both would stay with other people's statements, and the latter cannot be said when a connection is made.
There each statement brings its settings along: the driver (psycopg2) sends a text of several statements as one, which
the server does in one transaction, so that it costs no exchange of its own.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any, Protocol

from dagster_postgres.utils import create_pg_connection, create_pg_engine, set_pg_statement_timeout
from psycopg import sql
from sqlalchemy.engine import Engine
from sqlalchemy.event import listen

from enrichment_assets.resources import kept_connections
from enrichment_assets.store.database import route_to
from enrichment_assets.store.pooling import Pooling

DRIVER = "postgresql+psycopg2"
"""What dagster-postgres is written for; a bare `postgresql://` means another driver in newer SQLAlchemy."""

TABLES = ("runs", "instance_info", "event_logs", "jobs")
"""By these Dagster tells that it has made its own."""


class Part(Protocol):
    """One of Dagster's three storages, as far as its connections go."""

    postgres_url: str
    _engine: Engine


def make_engine(url: str, *, statement_timeout: int = 0, **pool: int) -> Engine:
    """Connections that are held open instead of made for each statement.

    dagster-postgres holds them in the web server alone, and for each of its storages by itself. A run writes its events
    with hundreds of statements, and each new connection costs a process of the server.

    Args:
        url: SQLAlchemy URL, whose `options` may name the schema.
        statement_timeout: Milliseconds that a statement may take; 0: any time.
        pool: What SQLAlchemy's pool is told.
    """
    way = route_to(url.replace(DRIVER, "postgresql", 1))
    address = way.url.replace("postgresql", DRIVER, 1)
    engine = create_pg_engine(address, None, isolation_level="AUTOCOMMIT", **pool)
    if way.pooling is Pooling.NONE:
        listen(engine, "connect", lambda connection, _: set_pg_statement_timeout(connection, statement_timeout))
    else:
        _bring_settings(engine, {**way.settings, "statement_timeout": str(statement_timeout)})
    return engine


_kept: dict[str, Engine] = {}
_lock = threading.Lock()


def engine_for(url: str, **pool: int) -> Engine:
    """An engine as `make_engine` makes it, or the one that this process keeps (`kept_connections`)."""
    if not kept_connections.are_kept():
        return make_engine(url, **pool)
    with _lock:
        if url not in _kept:
            _kept[url] = make_engine(url, pool_pre_ping=True, **pool)
        return _kept[url]


def _after_fork_in_child() -> None:
    """A child's connections are its own."""
    global _lock
    _lock = threading.Lock()
    for engine in _kept.values():
        engine.dispose(close=False)
    _kept.clear()


os.register_at_fork(after_in_child=_after_fork_in_child)


def optimize_for_webserver(part: Part, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
    """As each of Dagster's storages does it for itself, but for the settings of the session."""
    part._engine = make_engine(
        part.postgres_url,
        statement_timeout=statement_timeout,
        pool_size=1,
        pool_recycle=pool_recycle,
        max_overflow=max_overflow,
    )


def missing_tables(engine: Engine) -> set[str]:
    """Which of `TABLES` are not there."""
    with create_pg_connection(engine) as connection:
        found = connection.exec_driver_sql("select " + ", ".join(f"to_regclass('{name}')" for name in TABLES)).one()
    return {name for name, there in zip(TABLES, found, strict=True) if there is None}


def _bring_settings(engine: Engine, settings: Mapping[str, str]) -> None:
    """Have each statement of an engine set them first, until the end of its transaction."""
    sets = [
        sql.SQL("set_config({}, {}, true)").format(sql.Literal(name), sql.Literal(value))
        for name, value in settings.items()
    ]
    first = sql.SQL("select {}; ").format(sql.SQL(", ").join(sets)).as_string(None).replace("%", "%%")

    def bring(
        begun: object, cursor: object, statement: str, parameters: Any, context: object, executemany: bool
    ) -> tuple[str, Any]:
        return first + statement, parameters

    listen(engine, "before_cursor_execute", bring, retval=True)
