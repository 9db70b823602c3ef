"""Whoever was erased stays out: of later lists, of answers that were under way, and of a database out of a backup.

A list is looked through before it is laid out, where anybody was erased at all. `look_again` is what the sensor does:
it finishes what was begun, looks whether something is known again, and tells a restored database whom it forgot.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.domain.person_traces import REDACTED, Traits
from enrichment_assets.domain.suppression import Hasher, Identity, Kind, identities_of
from enrichment_assets.services.people import erasing, identifying
from enrichment_assets.services.people.identifying import KINDS, Person, Whom
from enrichment_assets.services.people.inventory import Scope, uploads_of
from enrichment_assets.services.people.kept_uploads import fields_of, rewrite, rows_meant, shape_of_rewritten
from enrichment_assets.services.people.pepper import must_compare, pepper_of
from enrichment_assets.services.uploads.identity_cells import Cells, IdentityReader
from enrichment_assets.services.uploads.kept_files import forget_bytes
from enrichment_assets.settings import Settings
from enrichment_assets.store.catalog import archiving
from enrichment_assets.store.catalog import uploads as uploads_store
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.people import erasures
from enrichment_assets.store.people.erasures import Erasure


@dataclass(frozen=True, slots=True)
class LookedAgain:
    """How many erasures were finished, opened again, and told to a restored database."""

    finished: int = 0
    came_back: int = 0
    restored: int = 0


def keep_out_of_upload(hq: Hq, settings: Settings, upload_id: int) -> int:
    """Take everybody who was erased out of a list that has come, and open their erasures again; how many rows.

    Raises `ConfigurationError` where somebody was erased and the pepper is missing or another: nobody could be known.
    """
    with hq.transaction() as connection:
        upload = uploads_store.get_upload(connection, upload_id)
        if upload is None or upload["gathered"]:  # of rows that come one by one they are kept out as they come
            return 0
    door = door_of(hq, settings, upload["client_id"])
    if door is None:
        return 0
    left: dict[int, list[str]] = {}
    known = _Known(door)
    for number, fields, width in rows_meant(settings, upload, Whom(frozenset(), frozenset(door.hashes), door.hasher)):
        left[number] = [REDACTED, *[""] * (width - 1)]
        known.add(fields)
    if not left:
        return 0
    new = rewrite(settings, upload, left)
    with hq.transaction() as connection:
        known.open_again(connection)
        shape = shape_of_rewritten(upload)
        uploads_store.set_rewritten(connection, upload["id"], new.sha256, new.size, new.rows, shape)
    _forget(hq, settings, upload["client"], upload["sha256"])
    return len(left)


@dataclass(frozen=True, slots=True)
class Door:
    """Who was erased and stays out of a client's rows: their hashes with the erasure of each, and what makes hashes."""

    hashes: Mapping[bytes, int]
    hasher: Hasher


def door_of(hq: Hq, settings: Settings, client_id: int) -> Door | None:
    """Who stays out of rows that come for a client; None: nobody was erased.

    Raises `ConfigurationError` where somebody was, and the pepper is missing or another: nobody could be known.
    """
    with hq.transaction() as connection:
        hashes = erasures.in_force(connection, client_id) if erasures.anybody(connection) else {}
    return Door(hashes, _hasher(hq, settings)) if hashes else None


def kept_out(
    connection: Connection, door: Door, columns: Sequence[Mapping[str, Any]], rows: Sequence[Cells]
) -> list[int]:
    """Which rows, by their place, are somebody's who was erased; their erasures are open again. The caller commits."""
    whom, reader = Whom(frozenset(), frozenset(door.hashes), door.hasher), IdentityReader(columns)
    found, known = [], _Known(door)
    for index, row in enumerate(rows):
        fields = fields_of(reader, row)
        if fields and whom.is_meant(identities_of([fields], fields, person=True)):
            found.append(index)
            known.add(fields)
    known.open_again(connection)
    return found


class _Known:
    """What rows say of people who were erased, by their erasures."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._found: dict[int, tuple[set[Identity], Traits]] = {}

    def add(self, fields: Mapping[str, Any]) -> None:
        """Take in what a row says of one of them."""
        said = {one for one in identities_of([fields], fields, person=True) if one.kind in KINDS}
        hashes, hasher = self._door.hashes, self._door.hasher
        for erasure_id in {hashes[digest] for one in said if (digest := hasher.hashed(one)) in hashes}:
            identities, traits = self._found.get(erasure_id, (set(), Traits()))
            self._found[erasure_id] = (identities | said, traits | identifying.traits_of(fields))

    def open_again(self, connection: Connection) -> None:
        """Let their erasures be done once more. The caller commits."""
        for erasure_id, (identities, traits) in self._found.items():
            person = Person((), frozenset(identities), traits | identifying.given_traits(identities))
            erasing.open_again(connection, erasure_id, person, self._door.hasher)


def look_again(scope: Scope, *, actor: Actor) -> LookedAgain:
    """Finish what was begun, and erase again whoever has come back.

    Raises as `erasing.carry_out`.
    """
    restored = _restore(scope, actor)
    with scope.hq.transaction() as connection:
        if not erasures.anybody(connection):
            return LookedAgain()
        begun = erasures.unfinished(connection)
    back = _came_back(scope)
    for erasure_id in dict.fromkeys([*begun, *back, *restored]):
        erasing.carry_out(scope, erasure_id)
    return LookedAgain(len(begun), len(back), len(restored))


def _came_back(scope: Scope) -> list[int]:
    """Open the erasures again of those of whom something is known again, and say which."""
    hasher = _hasher(scope.hq, scope.settings)
    found: dict[int, set[int]] = {}
    with scope.hq.transaction() as connection:
        for erasure_id in erasures.came_back(connection):
            found.setdefault(erasure_id, set())
        batches = erasures.settled_since(connection)
        for erasure in erasures.all_of_them(connection) if batches else ():
            clients = None if erasure.client_id is None else [erasure.client_id]
            whom = Whom(frozenset(), erasure.each_hash, hasher)
            if there := identifying.meant_in_batches(connection, clients, whom, batches):
                found.setdefault(erasure.id, set()).update(there)
        for erasure_id, items in found.items():
            erasure = _existing(connection, erasure_id)
            person = identifying.person_of_items(connection, {*erasure.item_ids, *items}, hasher)
            erasing.open_again(connection, erasure_id, person, hasher)
        erasures.note_look(connection)
    return sorted(found)


def _restore(scope: Scope, actor: Actor) -> list[int]:
    """Ask again for every erasure of the home's journal that the database does not know: it is out of a backup."""
    entries = list(_journal(scope.settings))
    if not entries:
        return []
    with scope.hq.transaction() as connection:
        known = {one.subject for one in erasures.all_of_them(connection)}
    missing = {one["subject"]: one for one in entries if one["subject"] not in known}
    if not missing:
        return []
    hasher, asked = _hasher(scope.hq, scope.settings), []
    for entry in missing.values():
        hashes = {bytes.fromhex(digest): Kind(kind) for kind, digest in entry["hashes"]}
        asked.append(erasing.ask_by_hashes(scope, entry, hashes, hasher, actor=actor))
    with scope.hq.transaction() as connection:
        listed = uploads_of(Scope(scope.hq, scope.settings, scope.dagster_url), connection)
    for upload in listed:
        try:
            keep_out_of_upload(scope.hq, scope.settings, upload["id"])
        except InfrastructureError as error:
            if error.code != "upload.bytes_gone":
                raise
    return asked


# opens files of ours: the home's journal of erasures
def _journal(settings: Settings) -> Iterable[dict[str, Any]]:
    try:
        lines = settings.erasures_file.read_text().splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines if line.strip()]


def _existing(connection: Connection, erasure_id: int) -> Erasure:
    found = erasures.get(connection, erasure_id)
    assert found is not None  # noqa: S101
    return found


def _hasher(hq: Hq, settings: Settings) -> Hasher:
    pepper = pepper_of(hq, settings)
    with hq.transaction() as connection:
        return must_compare(connection, pepper)


def _forget(hq: Hq, settings: Settings, client: str, sha256: str) -> None:
    with hq.transaction() as connection:
        needed = archiving.other_uploads_of(connection, client, sha256)
    if not needed:
        forget_bytes(settings, client, sha256)
