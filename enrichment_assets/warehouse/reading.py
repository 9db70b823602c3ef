"""Opens the warehouse for reading: one DuckDB connection with a view for every model and source.

from enrichment_assets.warehouse import open_warehouse
open_warehouse().sql("select * from person_work_history where is_current").df()
"""

from __future__ import annotations

import duckdb

from enrichment_assets.settings import Settings
from enrichment_assets.warehouse.files import Layout
from enrichment_assets.warehouse.project import load_project
from enrichment_assets.warehouse.session import attach, connect

READ_MEMORY = "4GB"


def open_warehouse(
    settings: Settings | None = None, *, client_slug: str | None = None, locked: bool = False
) -> duckdb.DuckDBPyConnection:
    """A connection whose views show everything extracted so far, of all clients or of one.

    The sources are in the schema `hq`, the models in the default one. Readers never block a run, nor a run them: the
    files are replaced whole.

    Args:
        settings: Default: from the environment.
        client_slug: Show this client's rows only.
        locked: For SQL that somebody else wrote: files outside the warehouse cannot be reached, nothing can be
            written, and neither can be undone by a statement.
    """
    layout = Layout.of(settings or Settings.from_environment())
    connection = connect(layout, memory=READ_MEMORY)
    attach(connection, load_project(), layout, client_slug=client_slug)
    if locked:
        _lock(connection, layout)
    return connection


def _lock(connection: duckdb.DuckDBPyConnection, layout: Layout) -> None:
    rooms = ", ".join(f"'{layout.root / room}/'".replace("\\", "/") for room in ("sources", "models", "analytics"))
    connection.execute(f"set allowed_directories = [{rooms}]")
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
