"""One HubSpot account: properties, contacts and companies, and what a value of a property may be.

developers.hubspot.com/docs (properties, contacts, "API responses") and reports from the field. Values are texts in
every answer, whatever was sent. An address is kept in small letters. A date is midnight in UTC, as a text or in
milliseconds. A drop-down takes the *value* of an option and no label. A record that was merged into another answers
by both ids, as the one that is left; what was deleted can be restored by people for 90 days and is no record any more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

_EMAIL = re.compile(r"[^@\s,;]+@[^@\s,;]+\.[A-Za-z]{2,}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}")
_DAY_MS = 86_400_000
READ_ONLY = ("hs_object_id", "createdate", "lastmodifieddate")


@dataclass(slots=True)
class Property:
    """A field of a kind of record; `options`: the values of a drop-down and their labels."""

    name: str
    label: str
    type: str = "string"
    unique: bool = False
    read_only: bool = False
    options: dict[str, str] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        """As the properties API shows it."""
        options = [
            {"label": label, "value": value, "displayOrder": place, "hidden": False}
            for place, (value, label) in enumerate(self.options.items())
        ]
        return {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": _FIELD_TYPES.get(self.type, "text"),
            "description": "",
            "groupName": "contactinformation",
            "options": options,
            "hasUniqueValue": self.unique,
            "hidden": False,
            "archived": False,
            "modificationMetadata": {"archivable": not self.read_only, "readOnlyValue": self.read_only},
        }


_FIELD_TYPES = {"enumeration": "select", "bool": "booleancheckbox", "date": "date", "number": "number"}


@dataclass(slots=True)
class Record:
    """A contact or a company; `merged`: ids of records that are one with it now."""

    id: str
    properties: dict[str, str]
    created: str
    updated: str
    merged: list[str] = field(default_factory=list)


class InvalidValue(Exception):
    """A value that a property does not take: `code` and sentence as HubSpot says them."""

    def __init__(self, name: str, code: str, message: str) -> None:
        super().__init__(message)
        self.name, self.code, self.message = name, code, message


class Conflict(Exception):
    """Another record has a value that only one may have; `id`: which."""

    def __init__(self, name: str, id: str) -> None:
        super().__init__(f"Contact already exists. Existing ID: {id}")
        self.name, self.id = name, id


def _known(*properties: Property) -> dict[str, Property]:
    own = [
        Property("hs_object_id", "Record ID", "number", read_only=True),
        Property("createdate", "Create Date", "datetime", read_only=True),
        Property("lastmodifieddate", "Last Modified Date", "datetime", read_only=True),
    ]
    return {one.name: one for one in (*properties, *own)}


def _texts(names: str) -> list[Property]:
    return [Property(name, name.capitalize()) for name in names.split()]


def _contacts() -> dict[str, Property]:
    stages = {"subscriber": "Subscriber", "lead": "Lead", "opportunity": "Opportunity", "customer": "Customer"}
    statuses = {"NEW": "New", "OPEN": "Open", "IN_PROGRESS": "In Progress", "CONNECTED": "Connected"}
    return _known(
        Property("email", "Email", unique=True),
        Property("phone", "Phone Number", "phone_number"),
        Property("lifecyclestage", "Lifecycle Stage", "enumeration", options=stages),
        Property("hs_lead_status", "Lead Status", "enumeration", options=statuses),
        *_texts("firstname lastname jobtitle company website city state country zip"),
    )


def _companies() -> dict[str, Property]:
    return _known(Property("numberofemployees", "Employees", "number"), *_texts("name domain industry city country"))


class Portal:
    """All that one account has. `contacts` and `companies` are its kinds of records."""

    def __init__(self) -> None:
        self.properties: dict[str, dict[str, Property]] = {"contacts": _contacts(), "companies": _companies()}
        self.records: dict[str, dict[str, Record]] = {"contacts": {}, "companies": {}}
        self.associations: set[tuple[str, str, str, str]] = set()
        self._by_value: dict[tuple[str, str, str], Record] = {}
        self._numbered = 100

    def define(self, kind: str, told: Mapping[str, Any]) -> Property:
        """A new property; raises `InvalidValue` for a name that no property can have or that is taken."""
        name = str(told.get("name", ""))
        if not _NAME.fullmatch(name):
            raise InvalidValue(name, "INVALID_NAME", f"{name!r} is no internal name of a property")
        if name in self.properties[kind]:
            raise InvalidValue(name, "PROPERTY_EXISTS", f"A property named {name} already exists")
        options = {str(one["value"]): str(one["label"]) for one in told.get("options") or ()}
        made = Property(
            name,
            str(told.get("label") or name),
            str(told.get("type") or "string"),
            unique=bool(told.get("hasUniqueValue")),
            options=options,
        )
        self.properties[kind][name] = made
        return made

    def checked(self, kind: str, properties: Mapping[str, Any]) -> dict[str, str]:
        """Values as they are kept; raises `InvalidValue` for the first that is none."""
        return {name: self._value(kind, name, value) for name, value in properties.items()}

    def find(self, kind: str, value: str, by: str | None = None) -> Record | None:
        """The record of an id, or of a value of a unique property."""
        if not by:
            by = "hs_object_id"
        return self._by_value.get((kind, by, value.strip().lower() if by == "email" else value))

    def create(self, kind: str, values: Mapping[str, str]) -> Record:
        """A new record; raises `Conflict`."""
        self._free(kind, values, None)
        self._numbered += 1
        now = _now()
        made = Record(str(self._numbered), dict(values), now, now)
        made.properties |= {"hs_object_id": made.id, "createdate": now, "lastmodifieddate": now}
        self.records[kind][made.id] = made
        self._index(kind, made)
        return made

    def update(self, kind: str, record: Record, values: Mapping[str, str]) -> Record:
        """Write over what is given; raises `Conflict`."""
        self._free(kind, values, record)
        self._forget(kind, record)
        record.updated = _now()
        record.properties |= {**values, "lastmodifieddate": record.updated}
        self._index(kind, record)
        return record

    def delete(self, kind: str, number: str) -> None:
        """Archive a record: it is found by nothing any more."""
        record = self.records[kind].pop(number, None)
        if record is not None:
            self._forget(kind, record)

    def kept(self) -> dict[str, dict[str, Record]]:
        """All records as they are, for `restore`."""
        return deepcopy(self.records)

    def restore(self, records: dict[str, dict[str, Record]]) -> None:
        """As they were."""
        self.records = records
        self._by_value = {}
        for kind, some in records.items():
            for record in some.values():
                self._index(kind, record)

    def merge(self, kind: str, kept: Record, gone: Record) -> Record:
        """Make two records one: what the first lacks it gets from the second."""
        self.delete(kind, gone.id)
        kept.merged += [gone.id, *gone.merged]
        kept.properties = {**gone.properties, **{name: value for name, value in kept.properties.items() if value}}
        kept.properties["hs_object_id"] = kept.id
        self._index(kind, kept)
        return kept

    def _names(self, kind: str, record: Record) -> list[tuple[str, str, str]]:
        """By what it is found: its ids, and its values of unique properties."""
        unique = [one.name for one in self.properties[kind].values() if one.unique]
        values = [(kind, name, record.properties[name]) for name in unique if record.properties.get(name)]
        return [*values, *((kind, "hs_object_id", number) for number in (record.id, *record.merged))]

    def _index(self, kind: str, record: Record) -> None:
        self._by_value.update(dict.fromkeys(self._names(kind, record), record))

    def _forget(self, kind: str, record: Record) -> None:
        for name in self._names(kind, record):
            self._by_value.pop(name, None)

    def _free(self, kind: str, values: Mapping[str, str], record: Record | None) -> None:
        for name in (one.name for one in self.properties[kind].values() if one.unique):
            other = self.find(kind, values[name], name) if values.get(name) else None
            if other is not None and other is not record:
                raise Conflict(name, other.id)

    def _value(self, kind: str, name: str, value: Any) -> str:
        known = self.properties[kind].get(name)
        if known is None:
            raise InvalidValue(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
        if known.read_only:
            message = f'"{name}" is a read only property; its value cannot be set.'
            raise InvalidValue(name, "READ_ONLY_VALUE", message)
        if isinstance(value, dict | list):
            raise InvalidValue(name, "INVALID_VALUE", f"{name} takes one value")
        text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        return "" if text == "" else _CHECKS.get("email" if name == "email" else known.type, _as_it_is)(known, text)


def _as_it_is(_: Property, text: str) -> str:
    return text


def _email(known: Property, text: str) -> str:
    if not _EMAIL.fullmatch(text.strip()):
        raise InvalidValue(known.name, "INVALID_EMAIL", f"Email address {text} is invalid")
    return text.strip().lower()


def _option(known: Property, text: str) -> str:
    if text not in known.options:
        allowed = ", ".join(known.options)
        message = f"{text} was not one of the allowed options: [{allowed}]"
        raise InvalidValue(known.name, "INVALID_OPTION", message)
    return text


def _number(known: Property, text: str) -> str:
    try:
        float(text)
    except ValueError:
        raise InvalidValue(known.name, "INVALID_LONG", f"{text} was not a valid number.") from None
    return text


def _truth(known: Property, text: str) -> str:
    if text not in ("true", "false"):
        message = f"{text} was not one of the allowed options: [true, false]"
        raise InvalidValue(known.name, "INVALID_OPTION", message)
    return text


def _date(known: Property, text: str) -> str:
    if text.lstrip("-").isdigit():
        if int(text) % _DAY_MS:
            moment = datetime.fromtimestamp(int(text) / 1000, UTC).isoformat()
            raise InvalidValue(known.name, "INVALID_DATE", f"{text} is at {moment}, not midnight!")
        return datetime.fromtimestamp(int(text) / 1000, UTC).date().isoformat()
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        message = f"{text} was not a valid date, expected the format YYYY-MM-DD"
        raise InvalidValue(known.name, "INVALID_DATE", message) from None


def _moment(known: Property, text: str) -> str:
    try:
        moment = (
            datetime.fromtimestamp(int(text) / 1000, UTC)
            if text.isdigit()
            else datetime.fromisoformat(text.replace("Z", "+00:00"))
        )
    except ValueError:
        raise InvalidValue(known.name, "INVALID_DATE", f"{text} was not a valid date and time") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


_CHECKS = {
    "email": _email,
    "enumeration": _option,
    "number": _number,
    "bool": _truth,
    "date": _date,
    "datetime": _moment,
}


def repeated(values: Iterable[str]) -> list[str]:
    """Values that are there twice."""
    seen: set[str] = set()
    return list(dict.fromkeys(value for value in values if value in seen or seen.add(value)))  # type: ignore[func-returns-value]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
