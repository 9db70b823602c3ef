"""The columns of `final_leads` that workflows declare, as they are in force in a warehouse.

`lead_columns.json` in the warehouse's folder says them. Every extraction brings it up to date with the registry: a
workflow that was added as a row has its columns from the next extraction on. All batches have the same columns. A batch
that was extracted before shows null; a column that nobody declares any more is left out, and its values are in
`other_fields`. The file remembers every name that ever was a column, with its type: there are files and a published
table of that type, so the name keeps it.

dbt reads the same file (`final_leads.sql`). The registry is imported when it is asked for: a question to the warehouse
reads the file alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pydantic import ValidationError

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.lead_columns import DUCKDB_TYPES, LeadColumn, patterns
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse.copies import brought, published_as_one
from enrichment_assets.warehouse.files import Layout, put_in_place
from enrichment_assets.warehouse.generations import ALL, EVERYTHING
from enrichment_assets.warehouse.locking import locked
from enrichment_assets.warehouse.project import Column, Project, load_project

if TYPE_CHECKING:
    from enrichment_assets.store.hq import Hq

Entry = dict[str, object]
"""A column in the file: name, type, written, description, personal, workflow, is_current, place."""

_FILE = "lead_columns.json"
_SYSTEM = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", "rowid"})
"""Columns that every table of Postgres or DuckDB has already."""
_ELSEWHERE = frozenset({"row_status", "row_reason", "email_verdict", "phone_status", "do_not_call"})
"""Columns of exports, and what is said of an address or number: it stands in columns of `final_leads` already."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A column and the workflow that declares it (the first, where several do)."""

    column: Column
    workflow: str


def project_of(layout: Layout) -> Project:
    """The SQL models with the columns that are in force in this warehouse."""
    entries = _read(layout)
    return load_project() if entries is None else load_project(lead_columns=_current(entries))


def known_types(layout: Layout) -> dict[str, str]:
    """Name -> DuckDB type of every column that workflows ever declared here; those that are shipped at least."""
    entries = _read(layout) or []
    return {d.column.name: d.column.type for d in shipped()} | {str(e["name"]): str(e["type"]) for e in entries}


def reserved() -> frozenset[str]:
    """Names that no workflow can declare: `final_leads` has them anyway, or no table can have them."""
    return own_columns() | _SYSTEM | _ELSEWHERE


def own_columns() -> frozenset[str]:
    """Columns that `final_leads` has whatever workflows declare."""
    ours = {column.name for column in load_project().model("final_leads").columns}
    return frozenset(ours - {declared.column.name for declared in shipped()})


def shipped() -> list[Declared]:
    """What the built-in workflows declare: each column once, of the first workflow that declares it."""
    from enrichment_assets.registry.loader import builtin_workflows

    found: dict[str, Declared] = {}
    for workflow in builtin_workflows().values():
        for name, column in workflow.columns.items():
            found.setdefault(name, Declared(_column(name, column), workflow.slug))
    return list(found.values())


def bring_lead_columns_up_to_date(hq: Hq, settings: Settings) -> None:
    """Write down what the registry declares now. Cheap where nothing has changed."""
    layout = brought(settings, batch_key=ALL)
    with locked(layout, _FILE):
        before = _read(layout) or []
        if _declared_now(hq, before) != before:
            published_as_one(layout, EVERYTHING, partial(_write, hq, layout))


def _write(hq: Hq, layout: Layout) -> None:
    with put_in_place(layout.root / _FILE) as unfinished:
        entries = _declared_now(hq, _read(layout) or [])
        unfinished.write_text(json.dumps(entries, indent=1), encoding="utf-8")


def written_at(hq: Hq, layout: Layout) -> int | None:
    """When the columns were last written down (nanoseconds); None where the registry declares others by now."""
    try:
        written = (layout.root / _FILE).stat().st_mtime_ns
    except OSError:
        return None
    before = _read(layout) or []
    return written if _declared_now(hq, before) == before else None


def _declared_now(hq: Hq, before: list[Entry]) -> list[Entry]:
    from enrichment_assets.store.catalog.registry import declared_columns

    with hq.transaction() as connection:
        rows = declared_columns(connection)
    return _merged([*_of_rows(rows), *shipped()], before)


def _of_rows(rows: Mapping[str, Mapping[str, object]]) -> Iterable[Declared]:
    """What rows of the registry declare; what SQL made into no column is left out."""
    from enrichment_assets.domain.parts import IDENTIFIER_PATTERN

    taken = reserved()
    for slug, columns in rows.items():
        for name, how in columns.items():
            if name in taken or not re.fullmatch(IDENTIFIER_PATTERN, name):
                continue
            try:
                column = LeadColumn.model_validate(how)
            except ValidationError:
                continue
            yield Declared(_column(name, column), slug)


def _merged(declared: Iterable[Declared], before: list[Entry]) -> list[Entry]:
    """The file's entries: what is declared, in that order, then what was. A name keeps the type that it has."""
    types = {str(entry["name"]): str(entry["type"]) for entry in before}
    written = patterns()
    entries: dict[str, Entry] = {}
    for one in declared:
        column, kind = one.column, types.get(one.column.name, one.column.type)
        entry: Entry = {
            "name": column.name,
            "type": kind,
            "written": written.get(kind),
            "description": column.description,
        }
        more = {"personal": column.personal, "workflow": one.workflow, "is_current": True}
        entries.setdefault(column.name, entry | more)
    for entry in before:
        entries.setdefault(str(entry["name"]), {**entry, "is_current": False})
    return [{**entry, "place": place} for place, entry in enumerate(entries.values())]


# opens files of ours: the home's
def _read(layout: Layout) -> list[Entry] | None:
    """The file's entries; None where nothing was extracted into this warehouse yet."""
    try:
        entries: list[Entry] = json.loads((layout.root / _FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{_FILE} of the warehouse cannot be read: {error}", code="warehouse.columns_unreadable"
        ) from error
    return entries


def _current(entries: list[Entry]) -> tuple[Column, ...]:
    return tuple(
        Column(str(e["name"]), str(e["type"]), str(e["description"]), bool(e["personal"]))
        for e in entries
        if e["is_current"]
    )


def _column(name: str, column: LeadColumn) -> Column:
    return Column(name, DUCKDB_TYPES[column.type], column.description, column.personal)
