"""Dagster's own storage, on the database that this installation has.

`dagster.yaml` names `EnrichPostgresStorage`, so that the webserver, the daemon, code servers and run workers all find
Dagster's tables by themselves: on the embedded Postgres (started on demand), or where the environment says. The
reference that Dagster hands to its sub-processes holds no URL and so no password; each resolves it again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from dagster import Field, StringSource
from dagster._config.config_schema import UserConfigSchema
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage
from dagster_postgres.utils import retry_pg_creation_fn

from enrichment_assets.installation.databases import open_databases
from enrichment_assets.resources import dagster_engines
from enrichment_assets.resources.dagster_events import EventLogSaidOnce
from enrichment_assets.resources.event_log import MOST_WAITING
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import postgres_url, with_setting
from enrichment_assets.store.links import with_signs_of_life


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
    return with_signs_of_life(url).replace("postgresql", dagster_engines.DRIVER, 1)


LOOKED_FOR = (
    "has_run_stats_index_cols",
    "has_bulk_actions_selector_cols",
    "has_backfill_id_column",
    "has_bulk_action_job_name_column",
    "has_backfill_tags_table",
    "has_instigators_table",
    "_has_instigators_table",
    "_has_asset_daemon_asset_evaluations_table",
    "has_secondary_index_table",
)
"""Tables and columns that newer versions of Dagster have. It lists the schema for each of them, at every tick of a
sensor several times: of an idle installation most of what Postgres does. What is there stays there."""


class EnrichPostgresStorage(DagsterPostgresStorage):
    """Run, event and schedule storage in the Postgres of this installation; the events are said once.

    Config: `home`, the installation's directory; without it, `ENRICH_HOME` of the process counts.
    """

    def __init__(self, postgres_url: str, inst_data: ConfigurableClassData | None = None) -> None:
        engine = dagster_engines.engine_for(postgres_url, pool_size=3, pool_recycle=3600, max_overflow=20)
        # Dagster would look for its tables three times, each time by a connection of its own.
        super().__init__(postgres_url, should_autocreate_tables=False, inst_data=inst_data)
        self._event_log_storage = EventLogSaidOnce(postgres_url)
        for part in (self._run_storage, self._event_log_storage, self._schedule_storage):
            part._engine = engine
            part.optimize_for_webserver = partial(dagster_engines.optimize_for_webserver, part)  # type: ignore[method-assign]
        missing = dagster_engines.missing_tables(engine)
        if missing:
            self._make_tables(missing)
        for part in (self._run_storage, self._event_log_storage, self._schedule_storage):
            for name in LOOKED_FOR:
                if hasattr(part, name):
                    setattr(part, name, _looked_for_once(getattr(part, name)))

    def _make_tables(self, missing: set[str]) -> None:
        """As Dagster's three storages do, each for its own tables: they know no pooler."""
        if "runs" in missing:
            retry_pg_creation_fn(self._run_storage._init_db)
            self._run_storage.migrate()
            self._run_storage.optimize()
        if "event_logs" in missing:
            retry_pg_creation_fn(self._event_log_storage._init_db)
            self._event_log_storage.reindex_events()
            self._event_log_storage.reindex_assets()
        if "jobs" in missing:
            retry_pg_creation_fn(self._schedule_storage._init_db)

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
        return cls(dagster_url(settings), inst_data=inst_data)


def _looked_for_once(look: Callable[..., bool]) -> Callable[..., bool]:
    """The same question, which is not asked again once the answer was yes."""
    known = False

    def looked(*args: Any) -> bool:
        nonlocal known
        known = known or look(*args)
        return known

    return looked
