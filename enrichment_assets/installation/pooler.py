"""What stands before HQ: found out once a process, by how it behaves, and refused in one line where it cannot work."""

from __future__ import annotations

import psycopg

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.store.database import Connection, connect, is_pooled, place, unreachable
from enrichment_assets.store.pooling import DECLARED_BY, Pooling, note_pooling, options_of

_ROUNDS = 3


def settle_pooling(url: str, connection: Connection, declared: Pooling | None) -> None:
    """Find out whether a pooler answers and whether the platform can work through it; the process remembers which.

    Args:
        url: Of HQ, as configured.
        connection: To it, in autocommit mode.
        declared: The mode that the settings name. It counts where no pooler is noticed, too.

    Raises:
        ConfigurationError: The pooler has a mode, or the URL has settings, with which nothing works.
        InfrastructureError: The pooler has no connection to the server for us.
    """
    try:
        answers = is_pooled(connection)
        if answers:
            _refuse_options(url)
            _refuse_what_fails(url, connection, declared)
    except psycopg.Error as error:
        raise unreachable(url, error) from None
    note_pooling(url, declared or (Pooling.TRANSACTION if answers else Pooling.NONE))


def _refuse_options(url: str) -> None:
    """A pooler that is set up to ignore `options` would have everything done in other schemas than the URL names."""
    if options_of(url):
        raise ConfigurationError(
            f"The URL of {place(url)} has settings in `options`, and a connection pooler answers there, which takes "
            "none: give the role its search_path (alter role NAME in database NAME set search_path = SCHEMA) and leave "
            "`options` out.",
            code="setting.options_behind_pooler",
        )


def _refuse_what_fails(url: str, connection: Connection, declared: Pooling | None) -> None:
    try:
        with connection.transaction():
            mine = _process(connection)
    except psycopg.Error as error:
        if "transaction blocks not allowed" not in str(error):  # PgBouncer's words, of every version
            raise
        raise ConfigurationError(
            f"The connection pooler at {place(url)} is in statement mode, which takes no transactions: set its "
            "pool_mode to transaction.",
            code="setting.pooler_statement_mode",
        ) from None
    if declared is not Pooling.SESSION:
        return
    with connect(url, autocommit=True) as other:
        for _ in range(_ROUNDS):
            mine = _process(connection)
            with other.transaction():
                # In this order: where there is one server process for all, the second question would wait for ever.
                if _process(other) == mine or _process(connection) != mine:
                    raise ConfigurationError(
                        f"{DECLARED_BY} says session, but the connection pooler at {place(url)} gives each transaction "
                        f"another session: set {DECLARED_BY} to transaction.",
                        code="setting.pooler_other_mode",
                    )
        other.execute("select set_config('enrich.probe', 'left', false)")
    with connect(url, autocommit=True) as next_client:
        row = next_client.execute("select current_setting('enrich.probe', true) as probe").fetchone()
        if row is not None and row["probe"] == "left":
            raise ConfigurationError(
                f"The connection pooler at {place(url)} gives a session to the next client as the last one left it: "
                f"set its server_reset_query to DISCARD ALL, or {DECLARED_BY} to transaction.",
                code="setting.pooler_resets_nothing",
            )


def _process(connection: Connection) -> int:
    row = connection.execute("select pg_backend_pid() as pid").fetchone()
    return 0 if row is None else int(row["pid"])
