"""The steps of an erasure, a place each: uploads, HQ, the workspace, the warehouse, Dagster, files.

Each is done in transactions of its own, noted with how far it has come, and changes nothing when it is done again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.domain.person_traces import Needles, needles_of
from enrichment_assets.services.people.home_files import look_through
from enrichment_assets.services.people.identifying import Person, Whom
from enrichment_assets.services.people.inventory import Scope, filled_tables, leave_apart, subject_of, uploads_of
from enrichment_assets.services.people.kept_uploads import Judge, rewrite, rows_that_name_them, shape_of_rewritten
from enrichment_assets.services.people.warehouse_files import batches_of, files_naming, write_anew
from enrichment_assets.services.uploads.kept_files import forget_bytes
from enrichment_assets.store.batches import known
from enrichment_assets.store.catalog import archiving
from enrichment_assets.store.catalog import uploads as uploads_store
from enrichment_assets.store.database import Connection, transaction_at
from enrichment_assets.store.people import candidates, erasures, other_tables, traces
from enrichment_assets.store.people.erasures import Erasure
from enrichment_assets.store.people.marked_tables import marked_tables
from enrichment_assets.warehouse.copies import brought


@dataclass(frozen=True, slots=True)
class Work:
    """An erasure that is under way: whom it is about, and where it stands."""

    scope: Scope
    erasure: Erasure
    whom: Whom
    person: Person

    @property
    def needles(self) -> Needles:
        """What is looked for in texts."""
        return needles_of(self.person.traits)

    def note(self, place: str, done: dict[str, Any], connection: Connection | None = None) -> None:
        """Write down what was done, with the change where that is in HQ."""
        said = {**done, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        self.erasure.progress[place] = said
        if connection is not None:
            erasures.note_progress(connection, self.erasure.id, place, said)
            return
        with self.scope.hq.transaction() as own:
            erasures.note_progress(own, self.erasure.id, place, said)


def _uploads(work: Work) -> None:
    """Write the kept files anew that name the person; the old bytes go once no upload has them."""
    scope = work.scope
    before = work.erasure.progress.get("uploads", {})
    files, rows, old = before.get("files", 0), before.get("rows", 0), list(before.get("open", []))
    with scope.hq.transaction() as connection:
        numbers = candidates.rows_in_uploads(connection, work.person.items)
        listed = uploads_of(scope, connection)
    for upload in listed:
        judge = Judge(work.whom, work.needles, frozenset(numbers.get(upload["id"], ())))
        try:
            left = {row.number: row.left for row in rows_that_name_them(scope.settings, upload, judge)}
        except InfrastructureError as error:
            if error.code != "upload.bytes_gone":
                raise
            continue
        if not left:
            continue
        new = rewrite(scope.settings, upload, left)
        files, rows = files + 1, rows + new.rows
        old.append([upload["client"], upload["sha256"]])
        with scope.hq.transaction() as connection:
            shape = shape_of_rewritten(upload)
            uploads_store.set_rewritten(connection, upload["id"], new.sha256, new.size, new.rows, shape)
            work.note("uploads", {"files": files, "rows": rows, "open": old}, connection)
    for client, sha256 in old:
        with scope.hq.transaction() as connection:
            needed = archiving.other_uploads_of(connection, client, sha256)
        if not needed:
            forget_bytes(scope.settings, client, sha256)
    work.note("uploads", {"files": files, "rows": rows})


def _hq(work: Work) -> None:
    """Empty the person's rows, take out the bodies that name them, black them out of the rest: a table at a time."""
    done = dict(work.erasure.progress.get("HQ", {}).get("tables", {}))
    for table in marked_tables():
        if table.name in done:
            continue
        with work.scope.hq.transaction() as connection:
            subject = subject_of(connection, work.scope, work.person, work.needles)
            named = traces.black_out(connection, table, subject, dry_run=False) if table.name == "batch_items" else 0
            emptied = traces.empty_own(connection, table, subject)
            bodies = traces.take_out_bodies(connection, table, subject)
            named += traces.black_out(connection, table, subject, dry_run=False)
            done[table.name] = {"emptied": emptied, "bodies": bodies, "blacked_out": named}
            work.note("HQ", {"tables": done, "open": True}, connection)
    if "known_identities" not in done:
        with work.scope.hq.transaction() as connection:
            forgotten = known.forget_person(connection, work.person.items, sorted(work.erasure.each_hash))
            done["known_identities"] = {"deleted": forgotten}
            work.note("HQ", {"tables": done, "open": True}, connection)
    work.note("HQ", {"tables": {name: what for name, what in done.items() if any(what.values())}})


def _workspace(work: Work) -> None:
    """Delete the person's rows of the tables that workflows write to, and black them out of the others there."""
    with work.scope.hq.transaction() as connection:
        known = filled_tables(connection)
    done: dict[str, dict[str, int]] = {}
    apart = leave_apart(work.scope)
    for database in (work.scope.hq.workspace, work.scope.hq):
        with database.transaction() as connection:
            for table in other_tables.tables_of(connection, apart):
                if table.name not in known or table.name in done:
                    continue
                deleted = other_tables.delete_rows(connection, table, work.person.items)
                named = other_tables.black_out(connection, table, work.needles, names=False, client=work.scope.client)
                if deleted or named:
                    done[table.name] = {"deleted": deleted, "blacked_out": named}
    work.note("workspace", {"tables": done})


def _warehouse(work: Work) -> None:
    scope, before = work.scope, work.erasure.progress.get("warehouse", {})
    layout = brought(scope.settings)
    done, files = list(before.get("open", [])), before.get("files", 0)
    naming = files_naming(scope.settings, work.needles, work.person.items, scope.client)
    with scope.hq.transaction() as connection:
        own = candidates.batches_of(connection, work.person.items)
        rows = candidates.rows_in_batches(connection, work.person.items)
    keys = sorted(({*own} | batches_of(layout, naming)) - {*done})
    files = max(files, len(naming))

    def note(key: str) -> None:
        done.append(key)
        work.note("warehouse", {"files": files, "open": done})

    write_anew(scope.hq, scope.settings, keys, rows, note)
    work.note("warehouse", {"files": files, "batches": done})


def _dagster(work: Work) -> None:
    done: dict[str, int] = {}
    with transaction_at(work.scope.dagster_url) as connection:
        for table in other_tables.tables_of(connection, ()):
            if rows := other_tables.black_out(connection, table, work.needles, names=True):
                done[table.name] = rows
    work.note("Dagster", {"tables": done})


def _files(work: Work) -> None:
    with work.scope.hq.transaction() as connection:
        looked = look_through(work.scope.settings, connection, work.needles, work.scope.client_id, dry_run=False)
    work.note("files", {"files": looked.files, "places": looked.places})


STEPS: dict[str, Callable[[Work], None]] = {
    "uploads": _uploads,
    "HQ": _hq,
    "workspace": _workspace,
    "warehouse": _warehouse,
    "Dagster": _dagster,
    "files": _files,
}
"""In this order: what is made of something comes after it."""
