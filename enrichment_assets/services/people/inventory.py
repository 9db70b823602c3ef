"""Where a person stands, place by place: what `enrich person find` lists, and what is looked through after an erasure.

Each table is read in one pass, by the marks of its columns; each file of the warehouse once. A row counts where it is
the person's own and holds something, or names them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.domain.person_traces import Needles, needles_of
from enrichment_assets.registry.loader import pulled_tables
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.people.home_files import Left, look_through
from enrichment_assets.services.people.identifying import Person, Whom
from enrichment_assets.services.people.kept_uploads import Judge, rows_that_name_them
from enrichment_assets.services.people.warehouse_files import files_naming
from enrichment_assets.settings import Settings
from enrichment_assets.store.asked.changes import TABLE as ASKED
from enrichment_assets.store.catalog import uploads as uploads_store
from enrichment_assets.store.database import Connection, transaction_at
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.people import candidates, other_tables, traces
from enrichment_assets.store.people.marked_tables import marked_tables
from enrichment_assets.store.people.receivers import Receiver, RemoteRecord, receivers_of, records_of


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose data is looked at, and where it is.

    Attributes:
        hq: The databases.
        settings: The installation.
        dagster_url: libpq URL of Dagster's tables.
        client: Slug of the client whose data alone counts; None: of all.
        client_id: Its number.
    """

    hq: Hq
    settings: Settings
    dagster_url: str
    client: str | None = None
    client_id: int | None = None

    @property
    def clients(self) -> list[int] | None:
        """Ids of the clients in question; None: all."""
        return None if self.client_id is None else [self.client_id]


@dataclass(frozen=True, slots=True)
class Trace:
    """Rows of one table, or places of one kind of file, that are a person's or name them."""

    place: str
    where: str
    rows: int


@dataclass(frozen=True, slots=True)
class Traces:
    """All of them, and what a person has to look after."""

    found: tuple[Trace, ...]
    left: tuple[Left, ...]


def scope_of(hq: Hq, settings: Settings, dagster_url: str, client: str | None) -> Scope:
    """The data of a client, or of all. Raises `NotFoundError` for a client that does not exist."""
    with hq.transaction() as connection:
        client_id = None if client is None else client_row(connection, client)["id"]
    return Scope(hq, settings, dagster_url, client, client_id)


def look(scope: Scope, whom: Whom, person: Person) -> Traces:
    """Every trace of a person. Changes nothing."""
    needles = needles_of(person.traits)
    with scope.hq.transaction() as connection:
        subject = subject_of(connection, scope, person, needles)
        found = list(_in_hq(connection, subject))
        known = filled_tables(connection)
        looked = look_through(scope.settings, connection, needles, scope.client_id, dry_run=True)
        received = receivers_of(connection, person.items)
        delivered = records_of(connection, person.items)
    if rows := uploaded_rows(scope, whom, person, needles):
        found.append(Trace("uploads", "kept files", len(rows)))
    left = [*looked.left, *map(_received, received), *map(_delivered, delivered)]
    for trace in _in_workspace(scope, needles, person.items):
        if trace.where in known:
            found.append(trace)
        else:
            left.append(Left(trace.where, f"a table of your own: {trace.rows} of its rows name them"))
    found += _in_warehouse(scope, needles, person.items)
    found += _in_dagster(scope, needles)
    if looked.files:
        found.append(Trace("files", "files of the home, reports and exports", looked.files))
    return Traces(tuple(found), tuple(left))


def _received(by: Receiver) -> Left:
    """A client's server that has messages about the person: whoever runs it erases them there."""
    said = []
    if by.first is not None and by.last is not None:
        first, last = (at.astimezone(UTC).isoformat(timespec="seconds") for at in (by.first, by.last))
        said.append(f"messages about them that arrived there: {by.arrived}, from {first} to {last}")
    if by.unsure:
        said.append(f"tried and not confirmed: {by.unsure}")
    return Left(f"webhook {by.webhook}", "; ".join(said))


def _delivered(record: RemoteRecord) -> Left:
    """A record at a destination: it is deleted there, by its id or by our key."""
    named = (
        f"record {record.external_id}" if record.external_id is not None else f"the record with our key {record.key}"
    )
    if record.delivered_at is None:
        return Left(f"destination {record.destination}", f"{named}: a call may have made it; delete it there")
    at = record.delivered_at.astimezone(UTC).isoformat(timespec="seconds")
    return Left(f"destination {record.destination}", f"{named}, written last {at}: delete it there")


def subject_of(connection: Connection, scope: Scope, person: Person, needles: Needles) -> traces.Subject:
    """Whom the statements on HQ are about."""
    calls = traces.calls_of(connection, person.items)
    return traces.Subject(scope.clients, person.items, calls, sorted(person.traits.company_keys), needles)


def uploads_of(scope: Scope, connection: Connection) -> list[uploads_store.Row]:
    """The uploads in question whose file is kept. Rows that came one by one are a table of HQ, found by its marks."""
    listed = uploads_store.all_uploads(connection, scope.client)
    return [row for row in listed if row["bytes_removed_at"] is None and not row["gathered"]]


def filled_tables(connection: Connection) -> set[str]:
    """The tables of the workspace that the platform fills: destinations, pulls, and what users ask for by SQL."""
    return other_tables.registered_destinations(connection) | pulled_tables() | {ASKED}


def leave_apart(scope: Scope) -> set[str]:
    """Tables of the workspace that are looked at by other means: HQ's own, and the marts."""
    from enrichment_assets.services.catalog.destination_names import reserved_names
    from enrichment_assets.warehouse import project_of
    from enrichment_assets.warehouse.copies import brought
    from enrichment_assets.warehouse.folding import tables_of
    from enrichment_assets.warehouse.published_parts import TABLE

    project = project_of(brought(scope.settings))
    ours = {TABLE, *reserved_names(), *(name for model in project.models.values() for name in tables_of(model))}
    return ours - {ASKED}


def _in_hq(connection: Connection, subject: traces.Subject) -> Iterator[Trace]:
    for table in marked_tables():
        rows = traces.own_rows(connection, table, subject)
        rows += traces.bodies_that_name_them(connection, table, subject) if table.own is None else 0
        rows += traces.black_out(connection, table, subject, dry_run=True) if table.own is None or not rows else 0
        if rows:
            yield Trace("HQ", table.name, rows)


def uploaded_rows(scope: Scope, whom: Whom, person: Person, needles: Needles) -> list[Mapping[str, Any]]:
    """The rows of kept files that are the person's or name them: upload, row number, cells by column."""
    with scope.hq.transaction() as connection:
        numbers = candidates.rows_in_uploads(connection, person.items)
        listed = uploads_of(scope, connection)
    found: list[Mapping[str, Any]] = []
    for upload in listed:
        judge = Judge(whom, needles, frozenset(numbers.get(upload["id"], ())))
        try:
            for row in rows_that_name_them(scope.settings, upload, judge):
                found.append({"upload": upload["id"], "row_number": row.number, "cells": row.cells})
        except InfrastructureError as error:
            if error.code != "upload.bytes_gone":
                raise
    return found


def _in_workspace(scope: Scope, needles: Needles, items: Sequence[int]) -> Iterator[Trace]:
    with scope.hq.workspace.transaction() as connection:
        for table in other_tables.tables_of(connection, leave_apart(scope)):
            if rows := other_tables.count_naming(connection, table, needles, items, names=False, client=scope.client):
                yield Trace("workspace", table.name, rows)


def _in_warehouse(scope: Scope, needles: Needles, items: Sequence[int]) -> list[Trace]:
    files = files_naming(scope.settings, needles, items, scope.client)
    rows: dict[str, int] = {}
    for path, count in files.items():
        name = path.parent.parent.name if path.parent.name.startswith("client_slug=") else path.parent.name
        rows[name] = rows.get(name, 0) + count
    return [Trace("warehouse", name, count) for name, count in sorted(rows.items())]


def _in_dagster(scope: Scope, needles: Needles) -> Iterator[Trace]:
    with transaction_at(scope.dagster_url) as connection:
        for table in other_tables.tables_of(connection, ()):
            if rows := other_tables.count_naming(connection, table, needles, names=True):
                yield Trace("Dagster", table.name, rows)
