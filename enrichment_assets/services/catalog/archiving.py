"""Putting away what nobody needs any more: archived things leave lists, pickers and Dagster, and can come back.

Removing is for what nothing depends on: an upload that was never launched, a batch that called nobody, a workflow that
no pipeline names. Nothing that was billed is ever deleted. An archived batch's rows stay in the warehouse, and `leads`
leaves them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.registry.loader import builtin_pipelines
from enrichment_assets.services.batches.partitions import Partitions
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.services.uploads.kept_files import forget_bytes
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.catalog import archiving as store
from enrichment_assets.store.catalog.archiving import Kind
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.database import Connection
from enrichment_assets.store.deliveries.over import end_planned, wake_cancelled
from enrichment_assets.store.hq import Hq
from enrichment_assets.warehouse import load_project, publish_batch_sources, withdraw_marts
from enrichment_assets.warehouse.compaction import forget
from enrichment_assets.warehouse.copies import brought, withdraw_batch
from enrichment_assets.warehouse.files import RAW_UPLOADS, Layout
from enrichment_assets.warehouse.locking import locked_batch

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Put:
    """What was done to what."""

    kind: Kind
    name: str
    client: str | None
    change: str


def archive(
    hq: Hq,
    settings: Settings,
    kind: Kind,
    name: str,
    client: str | None = None,
    *,
    actor: Actor,
    partitions: Partitions,
) -> Put:
    """Take something out of lists, pickers and Dagster (`partitions`). Doing it again changes nothing.

    Raises:
        NotFoundError: There is no such thing.
        ConfigurationError: Something that is in use needs it: named.
    """
    with registry(hq) as connection:
        row = _must_find(connection, kind, name, client)
        _refuse_in_the_way(connection, "archive", kind, row)
        store.set_archived(connection, kind, row["id"], archived=True)
        if kind == "batch":
            end_planned(connection, row["id"], "the batch is archived")
        if row["put_away_at"] is None:
            _note(connection, actor, kind, "archive", row)
    if kind == "batch":
        put_out_of_sight(hq, settings, name, row["client"], partitions)
    return Put(kind, row["name"], row["client"], "archived")


def put_out_of_sight(hq: Hq, settings: Settings, batch_key: str, client: str, partitions: Partitions) -> None:
    """Take a batch that HQ says is archived out of Dagster and of `leads`. Again, it changes nothing."""
    _sweep_partition(hq, batch_key, partitions)
    _note_in_warehouse(hq, settings, batch_key, client)


def restore(
    hq: Hq,
    settings: Settings,
    kind: Kind,
    name: str,
    client: str | None = None,
    *,
    actor: Actor,
    partitions: Partitions,
) -> Put:
    """Bring something back that was archived. Raises `NotFoundError`."""
    with registry(hq) as connection:
        row = _must_find(connection, kind, name, client)
        store.set_archived(connection, kind, row["id"], archived=False)
        if kind == "batch":
            wake_cancelled(connection, row["id"])
        if row["put_away_at"] is not None:
            _note(connection, actor, kind, "restore", row)
    if kind == "batch":
        partitions.add(name)
        _note_in_warehouse(hq, settings, name, row["client"])
    return Put(kind, row["name"], row["client"], "restored")


def remove(
    hq: Hq,
    settings: Settings,
    kind: Kind,
    name: str,
    client: str | None = None,
    *,
    actor: Actor,
    partitions: Partitions,
) -> Put:
    """Delete something for good, with its files, if nothing depends on it.

    Raises:
        NotFoundError: There is no such thing.
        ConfigurationError: What stands in the way, by name; or it comes with the platform.
    """
    with registry(hq) as connection:
        row = _must_find(connection, kind, name, client)
        if row.get("builtin") or (kind == "pipeline" and row["client"] is None and name in builtin_pipelines()):
            raise ConfigurationError(
                f"{kind} {name} comes with the platform and would be back: archive it", code=f"{kind}.built_in"
            )
        _refuse_in_the_way(connection, "remove", kind, row)
        store.delete(connection, kind, row["id"])
        _note(connection, actor, kind, "remove", row)
        has_bytes = kind == "upload" and not store.other_uploads_of(connection, row["client"], row["sha256"])
    if has_bytes:
        forget_bytes(settings, row["client"], row["sha256"])
    if kind == "batch":
        partitions.remove(name)
        _empty_warehouse(settings, row)
        withdraw_marts(hq, name)
    return Put(kind, row["name"], row["client"], "removed")


def _note(connection: Connection, actor: Actor, kind: Kind, verb: str, row: Mapping[str, Any]) -> None:
    """Write down that something was put away, brought back or deleted."""
    was = {"archived": row["put_away_at"] is not None}
    note_action(
        connection,
        actor,
        Code(f"{kind}.{verb}"),
        row["name"],
        client_id=row["client_id"],
        batch_id=row["id"] if kind == "batch" else None,
        before=was,
        after=None if verb == "remove" else {"archived": verb == "archive"},
    )


def list_archived(hq: Hq) -> list[dict[str, Any]]:
    """Everything that is archived: kind, name, client, since; the latest first."""
    with hq.transaction() as connection:
        return store.archived(connection)


def _sweep_partition(hq: Hq, batch_key: str, partitions: Partitions) -> None:
    """Take an archived batch out of Dagster, unless it still waits for answers; then the sequencer does so later."""
    with hq.transaction() as connection:
        done = store.archived_and_done(connection, [batch_key])
    if done:
        partitions.remove(batch_key)


def _must_find(connection: Connection, kind: Kind, name: str, client: str | None) -> dict[str, Any]:
    if client is not None:
        client_row(connection, client)
    row = store.find(connection, kind, name, client)
    if row is None and kind == "batch" and client is None:
        raise no_such_batch(connection, name)
    if row is None:
        whose = f" of client {client}" if client else ""
        raise NotFoundError(f"there is no {kind} {name!r}{whose}", code=f"{kind}.not_found")
    return row


def _refuse_in_the_way(connection: Connection, change: str, kind: Kind, row: Mapping[str, Any]) -> None:
    found = store.in_the_way(connection, change, kind, row["id"])
    if not found:
        return
    listed = "; ".join(f"{what}: {_named(names)}" for what, names in found.items())
    raise ConfigurationError(
        f"{kind} {row['name']} cannot be {change}d, in the way stand {listed}. {_REMEDY[change]}", code=f"{kind}.in_use"
    )


_REMEDY: Mapping[str, str] = {
    "archive": "A batch that is not to be finished can be given up",
    "remove": "What is only to be out of sight can be archived",
}


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _note_in_warehouse(hq: Hq, settings: Settings, batch_key: str, client: str) -> None:
    """Say in an extracted batch's files whether it is archived."""
    if brought(settings, batch_key=batch_key).source("batches", client, batch_key).exists():
        publish_batch_sources(hq, settings, batch_key, only=["batches"])


def _empty_warehouse(settings: Settings, row: Mapping[str, Any]) -> None:
    layout, project = Layout.of(settings), load_project()
    with locked_batch(layout, row["name"]):
        withdraw_batch(layout, row["client"], row["name"])
        for source in (*project.sources, RAW_UPLOADS):
            layout.source(source, row["client"], row["name"]).unlink(missing_ok=True)
        for model in project.models:
            layout.model(model, row["client"], row["name"]).unlink(missing_ok=True)
        forget(layout, [row["name"]])
