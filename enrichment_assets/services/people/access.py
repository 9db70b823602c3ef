"""Finding a person, and giving them what is known of them: access (Art. 15 GDPR) as one JSON file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.person_traces import needles_of
from enrichment_assets.domain.suppression import Hasher
from enrichment_assets.services.insight.target_files import checked_target
from enrichment_assets.services.people.erasing import subject_name
from enrichment_assets.services.people.identifying import Person, Whom, identify
from enrichment_assets.services.people.inventory import (
    Scope,
    Traces,
    leave_apart,
    look,
    subject_of,
    uploaded_rows,
)
from enrichment_assets.services.people.pepper import must_compare, pepper_of
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.people import other_tables, traces
from enrichment_assets.store.people.marked_tables import marked_tables
from enrichment_assets.warehouse.files import put_in_place


@dataclass(frozen=True, slots=True)
class Found:
    """What `enrich person find` says: who they are here, and where they stand.

    Attributes:
        person: Their items and values.
        traces: Where they stand.
    """

    person: Person
    traces: Traces


def find(scope: Scope, whom: Whom) -> Found:
    """Look for a person everywhere. Changes nothing."""
    with scope.hq.transaction() as connection:
        person = identify(connection, scope.clients, whom)
    return Found(person, look(scope, whom, person))


def export(scope: Scope, whom: Whom, target: Path, *, actor: Actor) -> int:
    """Write all that is known of a person to one JSON file, readable by this account alone; how many rows it has.

    Raises:
        EnrichError: The file's folder is not there.
        ConfigurationError: The pepper, by which the export is noted without their name, is missing or another.
    """
    path = checked_target(target)
    hasher = _hasher(scope)
    places, person = _known(scope, whom)
    said = {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "known_by": sorted([one.kind.value, one.value] for one in person.identities),
        "places": places,
    }
    with put_in_place(path) as unfinished:
        unfinished.touch(0o600)
        unfinished.write_bytes(orjson.dumps(said, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))
    rows = sum(len(found) for found in places.values())
    with scope.hq.transaction() as connection:
        subject = subject_name(whom, hasher)
        note_action(connection, actor, Code.PERSON_EXPORT, subject, client_id=scope.client_id, after={"rows": rows})
    return rows


def _hasher(scope: Scope) -> Hasher:
    pepper = pepper_of(scope.hq, scope.settings)
    with scope.hq.transaction() as connection:
        return must_compare(connection, pepper)


def _known(scope: Scope, whom: Whom) -> tuple[dict[str, list[Mapping[str, Any]]], Person]:
    """Place -> rows."""
    places: dict[str, list[Mapping[str, Any]]] = {}
    with scope.hq.transaction() as connection:
        person = identify(connection, scope.clients, whom)
        needles = needles_of(person.traits)
        subject = subject_of(connection, scope, person, needles)
        for table in marked_tables():
            places[f"hq.{table.name}"] = list(traces.exported(connection, table, subject))
    with scope.hq.workspace.transaction() as connection:
        marts = leave_apart(scope) & {"final_leads", "person_work_history"}
        for found in other_tables.tables_of(connection, leave_apart(scope) - marts):
            rows = other_tables.rows_naming(connection, found, needles, person.items, scope.client)
            places[f"workspace.{found.name}"] = list(rows)
    places["uploads"] = uploaded_rows(scope, whom, person, needles)
    return {place: rows for place, rows in places.items() if rows}, person


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return str(value)
