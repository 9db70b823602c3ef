"""Columns of `final_leads` that workflows declare: `column` of a provided field.

    provides:
      icp_score: {from: data.score, column: {type: integer, description: How well it fits from 0 to 100.}}

A column is the field of the same name, for whoever provides it. It has one type for good: files that are written and
the published table have it too. What is no value of the type stays in `other_fields` (an answer's is rejected when it
is read), and is never bent into one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from enrichment_assets.domain.field_types import FIELD_TYPES, FieldType
from enrichment_assets.domain.record_fields import is_record_field
from enrichment_assets.domain.suggestions import did_you_mean


class ColumnType(StrEnum):
    """Types of columns, in the words of `destination.columns`."""

    TEXT = "text"
    INTEGER = "integer"
    BIGINT = "bigint"
    NUMERIC = "numeric"
    """Exact: 12 digits before the point, 6 after it."""
    DOUBLE = "double"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMPTZ = "timestamptz"


DUCKDB_TYPES: Mapping[ColumnType, str] = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.INTEGER: "INTEGER",
    ColumnType.BIGINT: "BIGINT",
    ColumnType.NUMERIC: "DECIMAL(18,6)",
    ColumnType.DOUBLE: "DOUBLE",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.DATE: "DATE",
    ColumnType.TIMESTAMPTZ: "TIMESTAMPTZ",
}
"""As the models and `schema.yml` name them."""


class LeadColumn(BaseModel):
    """One declared column. `personal`: false where no text from outside stands in it, so that previews may show it."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    type: ColumnType
    description: str = Field(min_length=1, max_length=500)
    personal: bool = True


TYPES_IN_DUCKDB: Mapping[str, ColumnType] = {name: kind for kind, name in DUCKDB_TYPES.items()}

_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.BIGINT, ColumnType.NUMERIC, ColumnType.DOUBLE})
_COUNTS = frozenset({FieldType.COUNT, FieldType.YEAR, FieldType.NUMBER, FieldType.MONEY})
_FREE = frozenset({FieldType.ANY, FieldType.TEXT})

_WHOLE = re.compile(r"[+-]?[0-9]{1,19}(\.0*)?")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,12}(\.[0-9]{0,6}0*)?")
_NUMBER = re.compile(r"[+-]?([0-9]{1,100}\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")
_DATE = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_TIME = rf"{_DATE}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{{1,6}})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
_WRITTEN: Mapping[ColumnType, re.Pattern[str]] = {
    ColumnType.INTEGER: _WHOLE,
    ColumnType.BIGINT: _WHOLE,
    ColumnType.NUMERIC: _DECIMAL,
    ColumnType.DOUBLE: _NUMBER,
    ColumnType.BOOLEAN: re.compile("[Tt]rue|[Ff]alse"),
    ColumnType.DATE: re.compile(_DATE),
    ColumnType.TIMESTAMPTZ: re.compile(_TIME),
}


def _whole(text: str, limit: int) -> bool:
    return -limit <= int(text.partition(".")[0]) < limit


_IS_ONE: Mapping[ColumnType, Callable[[str], bool]] = {
    ColumnType.INTEGER: lambda text: _whole(text, 2**31),
    ColumnType.BIGINT: lambda text: _whole(text, 2**63),
    ColumnType.NUMERIC: lambda _: True,
    ColumnType.DOUBLE: lambda _: True,
    ColumnType.BOOLEAN: lambda _: True,
    ColumnType.DATE: lambda text: bool(date.fromisoformat(text)),
    ColumnType.TIMESTAMPTZ: lambda text: bool(datetime.fromisoformat(text)),
}
"""Whether a text that is written like a value of the type is one: a day that there is, a number in its range."""


def patterns() -> dict[str, str]:
    """DuckDB type -> how a value of it is written: a regular expression of the whole text, which the models ask too."""
    return {DUCKDB_TYPES[kind]: pattern.pattern for kind, pattern in _WRITTEN.items()}


def fits(kind: ColumnType, value: Any) -> bool:
    """Whether a clean value is one of a column of this type, exactly: nothing is rounded, cut or guessed."""
    if kind is ColumnType.TEXT:
        return True
    text = str(value)
    if not _WRITTEN[kind].fullmatch(text):
        return False
    try:
        return _IS_ONE[kind](text)
    except ValueError:
        return False


def long_provides(value: dict[str, Any]) -> dict[str, Any]:
    """A definition whose `provides` names types and columns, with these in `types` and `columns`.

    `size: {from: company.size, type: range}` in `provides` is short for the same in `provides` and `types`. A column of
    numbers or of yes and no says what kind of value its field is, where nothing else does.

    Raises:
        ValueError: A field has another key.
    """
    provides, types, columns = (dict(_mapping(value.get(key))) for key in ("provides", "types", "columns"))
    for name, how in provides.items():
        if not isinstance(how, dict):
            continue
        if unknown := sorted(str(key) for key in how if key not in ("from", "type", "column")):
            meant = did_you_mean(unknown[0], ("from", "type", "column"))
            raise ValueError(
                f"provides.{name}: {unknown[0]} is not known{meant}: a field has `from`, `type` and `column`"
            )
        provides[name] = how.get("from")
        types |= {name: how["type"]} if "type" in how else {}
        columns |= {name: how["column"]} if "column" in how else {}
    for name, column in columns.items():
        if name in provides and name not in FIELD_TYPES and (kind := _KINDS.get(str(_mapping(column).get("type")))):
            types.setdefault(name, kind)
    given = {"provides": provides, "types": types, "columns": columns}
    return {**value, **{key: found for key, found in given.items() if found}}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


_KINDS = {kind.value: FieldType.NUMBER for kind in _NUMBERS} | {ColumnType.BOOLEAN.value: FieldType.BOOLEAN}


def provides_fault(
    provides: Collection[str], types: Mapping[str, FieldType], columns: Mapping[str, LeadColumn]
) -> str | None:
    """What is wrong with the fields that a workflow provides, their types and columns; None: nothing."""
    if taken := [name for name in provides if is_record_field(name)]:
        return f"`provides.{taken[0]}` is a name of the platform's own: declare `emails` or `phones`"
    for name, kind in types.items():
        if name not in provides:
            return f"types.{name}: the workflow does not provide {name}"
        if (known := FIELD_TYPES.get(name)) not in (None, kind):
            return f"types.{name}: {name} is of type {known} everywhere; map it to a field of its own"
    return columns_fault(columns, provides, types)


def columns_fault(
    columns: Mapping[str, LeadColumn], provides: Collection[str], types: Mapping[str, FieldType]
) -> str | None:
    """Which provided field of these types is none of its column's type; None: each is."""
    for name, column in columns.items():
        if name not in provides:
            continue  # said when it is saved
        kind = types.get(name) or FIELD_TYPES.get(name) or FieldType.ANY
        if not _is_of_kind(column.type, kind):
            return (
                f"columns.{name}: {name} is a {kind}, which is no {column.type} exactly: "
                "declare `type: text`, or map it to another field"
            )
    return None


def _is_of_kind(column: ColumnType, kind: FieldType) -> bool:
    if column is ColumnType.TEXT or kind in _FREE:
        return True
    return column in _NUMBERS if kind in _COUNTS else kind is FieldType.BOOLEAN and column is ColumnType.BOOLEAN
