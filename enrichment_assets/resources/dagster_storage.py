"""Dagster's own storage, on the database that this installation has.

`dagster.yaml` names `EnrichPostgresStorage`, so that the webserver, the daemon, code servers and run workers all find
Dagster's tables by themselves: on the embedded Postgres (started on demand), or where the environment says. The
reference that Dagster hands to its sub-processes holds no URL and so no password; each resolves it again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dagster import Field, StringSource
from dagster._config.config_schema import UserConfigSchema
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage

from enrichment_assets.installation.databases import open_databases
from enrichment_assets.resources.dagster_events import EventLogSaidOnce
from enrichment_assets.resources.event_log import MOST_WAITING
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import postgres_url, with_setting

DRIVER = "postgresql+psycopg2"
"""What dagster-postgres is written for; a bare `postgresql://` means another driver in newer SQLAlchemy."""


def dagster_url(settings: Settings) -> str:
    """SQLAlchemy URL of Dagster's tables; starts the embedded server if that is where they are.

    There, a commit does not wait for the disk: each of a run's events is a transaction of its own. A machine that loses
    its power may forget the last half second of Dagster's history, and nothing of HQ; what a run then seems to be is
    put right by the sequencer and the next run, as after any crash.

    Raises:
        ConfigurationError: A configured URL is not a Postgres URL.
        InfrastructureError: The server cannot be started or reached.
    """
    if settings.dagster_database_url is not None:
        url = postgres_url(settings.dagster_database_url, "DAGSTER_DATABASE_URL")
    else:
        url = open_databases(settings).dagster
        if settings.hq_database_url is None:
            url = with_setting(url, "synchronous_commit", "off")
    return url.replace("postgresql", DRIVER, 1)


class EnrichPostgresStorage(DagsterPostgresStorage):
    """Run, event and schedule storage in the Postgres of this installation; the events are said once.

    Config: `home`, the installation's directory; without it, `ENRICH_HOME` of the process counts.
    """

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(postgres_url, inst_data=inst_data)  # makes the tables where there are none
        self._event_log_storage = EventLogSaidOnce(postgres_url)

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """The fields that `config:` may have in dagster.yaml."""
        return {"home": Field(StringSource, is_required=False)}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> EnrichPostgresStorage:
        """Called by Dagster when an instance is loaded."""
        settings = Settings.from_environment()
        if home := config_value.get("home"):
            settings = replace(settings, home=Path(home).expanduser().absolute())
        # Dagster writes the events that plan a run one by one, unless it is told how many may go together.
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", str(MOST_WAITING))
        storage = cls(dagster_url(settings), inst_data=inst_data)
        storage.keep_connections()
        return storage

    def keep_connections(self) -> None:
        """Hold connections open instead of making one for each statement.

        dagster-postgres does so only in the web server. A run writes its events with about a thousand statements, and
        each new connection costs a process of the server: pooled, a small batch's run takes half the time.
        """
        for part in (self.run_storage, self.event_log_storage, self.schedule_storage):
            part.optimize_for_webserver(statement_timeout=0, pool_recycle=3600, max_overflow=20)
