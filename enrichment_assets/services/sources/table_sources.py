"""Table sources: adding, showing, pausing and removing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.sources import TableSource, checked_source_name
from enrichment_assets.domain.suggestions import instead
from enrichment_assets.services.catalog.known_clients import check_client, client_row
from enrichment_assets.services.sources.checking import Checked, check_source, refuse
from enrichment_assets.services.sources.gathering import Into
from enrichment_assets.services.sources.looking import into_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.sources import table_sources as store
from enrichment_assets.store.sources.table_sources import Source

SHOWN = 20
"""Rows under way that are shown of a source."""


@dataclass(frozen=True, slots=True)
class RowUnderWay:
    """A row that was taken and has not ended: its key, its job (None: it was rejected), its batch, since when."""

    key: str | None
    job_id: int | None
    batch: str
    since: datetime


def add_source(
    hq: Hq,
    settings: Settings,
    name: str,
    client: str,
    pipeline: str,
    definition: TableSource,
    *,
    actor: Actor,
    environment: Mapping[str, str] | None = None,
) -> tuple[Source, Checked]:
    """Look at a table from now on; what was found of it before.

    Raises:
        NotFoundError: There is no such client or pipeline.
        ConfigurationError: There is a source of that name, or something is wrong with the table: all of it is named.
    """
    into = Into(client, pipeline, checked_source_name(name), "table", definition.gather, dict(definition.mapping))
    checked = check_source(hq, settings, into, definition, environment=environment)
    refuse(checked)
    with hq.transaction() as connection:
        client_id = client_row(connection, client)["id"]
        if not store.insert_source(connection, name, client_id, pipeline, definition):
            raise ConfigurationError(f"there is a source {name!r} already", code="source.name_taken")
        said = {"client": client, "pipeline": pipeline, **definition.kept()}
        note_action(connection, actor, Code.SOURCE_ADD, name, client_id=client_id, after=said)
        return _must_find(connection, name), checked


def check_again(
    hq: Hq, settings: Settings, name: str, *, environment: Mapping[str, str] | None = None
) -> tuple[Source, Checked]:
    """What a source would meet now. Changes nothing. Raises `NotFoundError`."""
    source = get_source(hq, name)
    return source, check_source(hq, settings, into_of(source), source.definition, environment=environment)


def list_sources(hq: Hq, settings: Settings, client: str | None = None) -> list[Source]:
    """All sources by name, of one client or of all. Raises `NotFoundError` for a client that does not exist."""
    check_client(hq, settings, client)
    with hq.transaction() as connection:
        return store.list_sources(connection, client)


def get_source(hq: Hq, name: str) -> Source:
    """One source. Raises `NotFoundError`."""
    with hq.transaction() as connection:
        return _must_find(connection, name)


def rows_under_way(hq: Hq, source: Source, limit: int = SHOWN) -> list[RowUnderWay]:
    """Rows that were taken and have not ended, the oldest first."""
    with hq.transaction() as connection:
        rows = store.rows_under_way(connection, source.id, limit)
    return [RowUnderWay(row["key"], row["item_id"], row["batch_key"], row["claimed_at"]) for row in rows]


def pause_source(hq: Hq, name: str, *, actor: Actor, client: str | None = None) -> Source:
    """Take no more rows; those under way go on, and are written back. Again, it changes nothing.

    `client`: only where it is theirs. Raises `NotFoundError`.
    """
    return _paused(hq, name, Code.SOURCE_PAUSE, actor, client, paused=True)


def resume_source(hq: Hq, name: str, *, actor: Actor, client: str | None = None) -> Source:
    """Take rows again, from the next look on. Again, it changes nothing.

    `client`: only where it is theirs. Raises `NotFoundError`.
    """
    return _paused(hq, name, Code.SOURCE_RESUME, actor, client, paused=False)


def _paused(hq: Hq, name: str, code: Code, actor: Actor, client: str | None, *, paused: bool) -> Source:
    with hq.transaction() as connection:
        source = _must_find(connection, name, client)
        if (source.paused_at is not None) == paused:
            return source
        store.set_paused(connection, source.id, paused=paused)
        was, now = {"paused": not paused}, {"paused": paused}
        note_action(connection, actor, code, name, client_id=source.client_id, before=was, after=now)
        return _must_find(connection, name)


def remove_source(hq: Hq, name: str, *, actor: Actor, abandon: bool = False) -> Source:
    """Forget a source; its batches stay.

    Args:
        hq: The databases.
        name: Which.
        actor: Who says so.
        abandon: Also where rows of it are under way: their table is not told how they end.

    Raises:
        NotFoundError: There is no such source.
        ConfigurationError: Rows of it are under way.
    """
    with hq.transaction() as connection:
        source = _must_find(connection, name)
        if source.under_way and not abandon:
            raise ConfigurationError(
                f"{source.under_way:,} rows of source {name} are under way, and their table waits to be told how they "
                "end: pause it and wait, or abandon them",
                code="source.rows_under_way",
            )
        store.delete_source(connection, source.id)
        was = {"pipeline": source.pipeline, "under_way": source.under_way, **source.definition.kept()}
        note_action(connection, actor, Code.SOURCE_REMOVE, name, client_id=source.client_id, before=was)
    return source


def _must_find(connection: Connection, name: str, client: str | None = None) -> Source:
    """One source; `client`: only where it is theirs."""
    source = store.find_source(connection, name)
    if source is None or client not in (None, source.client):
        names = [one.name for one in store.list_sources(connection, client)]
        raise NotFoundError(f"there is no source {name!r}: {instead(name, names)}", code="source.not_found")
    return source
