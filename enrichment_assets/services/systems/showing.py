"""Showing a system: its client is set up as its file says, and afterwards its tables are counted."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.system import SystemDefinition
from enrichment_assets.services.batches.status import status
from enrichment_assets.services.catalog.clients import add_client, list_clients, set_client_config
from enrichment_assets.services.catalog.profiles import set_profile
from enrichment_assets.services.systems.arriving import EXAMPLES
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.launching import batches_of
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq


def prepare(hq: Hq, settings: Settings, system: SystemDefinition, *, actor: Actor) -> None:
    """Add the demo's client with its profile and what it overrides; what is there already stays, or becomes so."""
    demo = system.demo
    if demo.client not in {client.slug for client in list_clients(hq)}:
        add_client(hq, demo.client, demo.client_name, actor=actor)
    if demo.profile is not None:
        set_profile(hq, demo.client, file=EXAMPLES / demo.profile, actor=actor)
    for workflow, config in demo.configs.items():
        set_client_config(
            hq,
            settings,
            demo.client,
            workflow,
            set_values=config.settings,
            secrets=config.secrets,
            enabled=config.enabled,
            actor=actor,
        )


def unfinished_batch(hq: Hq, settings: Settings, upload_id: int, pipeline: str) -> str | None:
    """The newest batch of an upload and a pipeline, if its tables are not there yet: an earlier demo was broken off."""
    with hq.transaction() as connection:
        keys = batches_of(connection, upload_id, pipeline)
    return keys[0] if keys and not status(hq, settings, keys[0]).extracted else None


def table_rows(hq: Hq, system: SystemDefinition) -> list[tuple[str, int | None]]:
    """The tables that the system's file names, with their rows; None: there is no such table."""
    with hq.transaction() as connection:
        in_hq = _counted(connection, system.tables.hq)
    with hq.workspace.transaction() as workspace:
        return [*in_hq, *_counted(workspace, system.tables.workspace)]


def _counted(connection: Connection, names: Sequence[str]) -> list[tuple[str, int | None]]:
    found: list[tuple[str, int | None]] = []
    for name in names:
        relation = sql.Identifier(*name.split("."))
        there = connection.execute("select to_regclass(%s) is not null as found", [relation.as_string(None)]).fetchone()
        count = sql.SQL("select count(*) as rows from {}").format(relation)
        row = connection.execute(count).fetchone() if there and there["found"] else None
        found.append((name, None if row is None else int(row["rows"])))
    return found
