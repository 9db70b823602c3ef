"""Gives real dbt (dbt-duckdb) the functions of the domain that the models call."""

from __future__ import annotations

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

from enrichment_assets.warehouse.functions import add_functions


class Plugin(BasePlugin):
    """Named in `profiles.yml`; dbt-duckdb looks for this name."""

    def configure_connection(self, conn: duckdb.DuckDBPyConnection) -> None:
        """Add the functions to each connection that dbt opens."""
        add_functions(conn)
