"""One Airtable base: tables, their fields and records, and what a cell takes.

airtable.com/developers/web/api (field types, "Update multiple records", errors). An empty cell is no member of a
record. Without `typecast` a field takes its own type only, and a choice that the field does not have is refused; with
it a text is read as the type wants it, and a new choice is made. A checkbox that is off is an empty cell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_TEXTS = ("singleLineText", "multilineText", "email", "phoneNumber", "url", "richText")
MERGEABLE = ("singleLineText", "multilineText", "number", "singleSelect", "multipleSelects", "date")
"""Types by which records can be matched."""


class BaseError(Exception):
    """What Airtable refuses: status, type and sentence."""

    def __init__(self, type: str, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.type, self.message, self.status = type, message, status


@dataclass(slots=True)
class Field:
    """A column of a table; `choices`: of a select."""

    id: str
    name: str
    type: str
    choices: list[str] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """As the metadata API shows it."""
        choices = [{"id": f"sel{place}", "name": name} for place, name in enumerate(self.choices)]
        options = {"options": {"choices": choices}} if self.type in ("singleSelect", "multipleSelects") else {}
        return {"id": self.id, "name": self.name, "type": self.type, **options}


@dataclass(slots=True)
class Record:
    """A row."""

    id: str
    created: str
    fields: dict[str, Any]

    def shown(self) -> dict[str, Any]:
        """As the API shows it, without its empty cells."""
        return {"id": self.id, "createdTime": self.created, "fields": dict(self.fields)}


class Table:
    """A table of a base; the first field is its primary one."""

    def __init__(self, number: str, name: str, fields: Sequence[Mapping[str, Any]]) -> None:
        self.id, self.name = number, name
        self.fields: dict[str, Field] = {}
        self.records: dict[str, Record] = {}
        self._numbered = 0
        for one in fields:
            self.add_field(one)

    def add_field(self, told: Mapping[str, Any]) -> Field:
        """A new field; raises `BaseError` for a name that is taken."""
        name = str(told["name"])
        if name in self.fields:
            raise BaseError("DUPLICATE_OR_EMPTY_FIELD_NAME", "There was an invalid field name or a duplicate one")
        choices = [str(one["name"]) for one in (told.get("options") or {}).get("choices", ())]
        made = Field(f"fld{self.id[3:]}{len(self.fields):03}", name, str(told.get("type") or "singleLineText"), choices)
        self.fields[name] = made
        return made

    def shown(self) -> dict[str, Any]:
        """As the metadata API shows it."""
        fields = [one.shown() for one in self.fields.values()]
        return {
            "id": self.id,
            "name": self.name,
            "primaryFieldId": fields[0]["id"] if fields else None,
            "fields": fields,
        }

    def create(self, cells: Mapping[str, Any]) -> Record:
        """A new record of cells that were read."""
        self._numbered += 1
        number = f"rec{self.id[3:]}{self._numbered:06}"
        kept = {name: value for name, value in cells.items() if not _is_empty(value)}
        self.records[number] = Record(number, datetime.now(UTC).isoformat(timespec="milliseconds"), kept)
        return self.records[number]

    def update(self, record: Record, cells: Mapping[str, Any]) -> Record:
        """Write over the cells that are given."""
        changed = {**record.fields, **cells}
        record.fields = {name: value for name, value in changed.items() if not _is_empty(value)}
        return record

    def matching(self, cells: Mapping[str, Any], merge_on: Sequence[str]) -> Record | None:
        """The record that has the same in all of these fields; raises `BaseError` where two have it."""
        wanted = [cells.get(name) for name in merge_on]
        found = [one for one in self.records.values() if [one.fields.get(name) for name in merge_on] == wanted]
        if len(found) > 1:
            message = "Cannot upsert: more than one existing record matches the values of the fields to merge on"
            raise BaseError("INVALID_REQUEST_UNKNOWN", message)
        return found[0] if found else None

    def cells(self, told: Mapping[str, Any], *, typecast: bool) -> dict[str, Any]:
        """Values as they are kept; raises `BaseError` for the first that its field does not take."""
        by_id = {one.id: one for one in self.fields.values()}
        read = {}
        for name, value in told.items():
            known = self.fields.get(name) or by_id.get(name)
            if known is None:
                raise BaseError("UNKNOWN_FIELD_NAME", f'Unknown field name: "{name}"')
            read[known.name] = None if value is None else _cell(known, value, typecast=typecast)
        return read


def _is_empty(value: Any) -> bool:
    return value is None or value == "" or value == [] or value is False


def _cell(known: Field, value: Any, *, typecast: bool) -> Any:
    reader = _READERS.get(known.type)
    read = _text(known, value, typecast=typecast) if reader is None else reader(known, value, typecast=typecast)
    if read is None:
        raise BaseError("INVALID_VALUE_FOR_COLUMN", f'Field "{known.name}" cannot accept the provided value')
    return read


def _text(known: Field, value: Any, *, typecast: bool) -> str | None:
    if isinstance(value, str):
        return value if known.type != "email" or typecast or value == "" or _EMAIL.fullmatch(value) else None
    return str(value) if typecast and not isinstance(value, dict | list) else None


def _number(_: Field, value: Any, *, typecast: bool) -> float | int | str | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if not typecast:
        return None
    try:
        return float(str(value).replace(",", ""))
    except ValueError:
        return ""


def _truth(_: Field, value: Any, *, typecast: bool) -> bool | None:
    if isinstance(value, bool):
        return value
    return str(value).lower() in ("true", "1", "checked") if typecast else None


def _select(known: Field, value: Any, *, typecast: bool) -> str | None:
    if not isinstance(value, str):
        return None
    if value not in known.choices and value != "":
        if not typecast:
            message = f'Insufficient permissions to create new select option ""{value}""'
            raise BaseError("INVALID_MULTIPLE_CHOICE_OPTIONS", message)
        known.choices.append(value)
    return value


def _selects(known: Field, value: Any, *, typecast: bool) -> list[str] | None:
    several = value.split(",") if isinstance(value, str) and typecast else value
    if not isinstance(several, list):
        return None
    chosen = [_select(known, one, typecast=typecast) for one in several]
    return None if None in chosen else [one for one in chosen if one is not None]


def _date(_: Field, value: Any, *, typecast: bool) -> str | None:
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError:
        return "" if typecast else None


def _moment(_: Field, value: Any, *, typecast: bool) -> str | None:
    try:
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return "" if typecast else None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


_READERS: Mapping[str, Any] = {
    "number": _number,
    "checkbox": _truth,
    "singleSelect": _select,
    "multipleSelects": _selects,
    "date": _date,
    "dateTime": _moment,
}
