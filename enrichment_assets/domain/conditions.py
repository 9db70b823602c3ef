"""Conditions over the fields of an item, as a person types them: `industry~food`, `company_employee_count>=50`.

They are data: a name, a comparison and a value. Nothing of them is run, and none of it is SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from enrichment_assets.domain.errors import ConfigurationError

LONGEST_VALUE = 1_000
MOST_CONDITIONS = 50

ORIGINAL = "original."
"""Before the name of a column of the upload: `original.# Employees>=50`."""


class Comparison(StrEnum):
    """How a field's value is compared with the one that was typed."""

    AT_LEAST = ">="
    AT_MOST = "<="
    OTHER = "!="
    EQUAL = "="
    MORE = ">"
    LESS = "<"
    CONTAINS = "~"


_ORDERED = (Comparison.AT_LEAST, Comparison.AT_MOST, Comparison.MORE, Comparison.LESS)
_WRITTEN = re.compile(r"\s*([^=!<>~]+?)\s*(>=|<=|!=|=|>|<|~)\s*(.*)", re.DOTALL)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition.

    Attributes:
        field: A field's name, or `original.` and a column of the upload.
        comparison: How it is compared.
        value: With what; empty: with no value.
    """

    field: str
    comparison: Comparison
    value: str

    @property
    def said(self) -> str:
        """As it is typed."""
        return f"{self.field}{self.comparison.value}{self.value}"

    def holds(self, fields: Mapping[str, Any]) -> bool:
        """Whether it holds for an item's values.

        Words are compared without regard to capitals; numbers as numbers; of a list one member is enough. A value that
        is not there equals nothing but the empty value, and is never more or less than anything.
        """
        values = [one for one in _members(fields.get(self.field)) if one not in (None, "")]
        if self.comparison is Comparison.OTHER:
            return not _any_equal(values, self.value)
        if self.comparison is Comparison.EQUAL:
            return _any_equal(values, self.value)
        if self.comparison is Comparison.CONTAINS:
            return any(self.value.casefold() in _text(one).casefold() for one in values)
        return any(_is_so(self.comparison, order) for one in values if (order := _order(one, self.value)) is not None)


def parse_condition(text: str) -> Condition:
    """Read `FIELD=VALUE` and the like; `FIELD=` is "has no value", `FIELD!=` "has one".

    Raises:
        ConfigurationError: It is none, or something that is no number and no date is to be compared by size.
    """
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ConfigurationError(
            f"{text!r} is no condition: write FIELD=VALUE, with = != >= <= > < or ~ (contains)",
            code="condition.unreadable",
        )
    field, comparison, value = found[1], Comparison(found[2]), found[3].strip()
    if len(value) > LONGEST_VALUE:
        raise ConfigurationError(
            f"a condition's value has at most {LONGEST_VALUE:,} characters", code="condition.value_long"
        )
    if comparison in _ORDERED and _number(value) is None and not _DATE.fullmatch(value):
        raise ConfigurationError(
            f"{text!r}: by size a field is compared with a number or a date (2026-03-31), not with {value!r}",
            code="condition.value_unordered",
        )
    if comparison is Comparison.CONTAINS and not value:
        raise ConfigurationError(f"{text!r}: say what {field} is to contain", code="condition.value_missing")
    return Condition(field, comparison, value)


def parse_conditions(texts: Iterable[str]) -> tuple[Condition, ...]:
    """Several, which all have to hold; raises as `parse_condition`, and where there are more than 50."""
    found = tuple(parse_condition(text) for text in texts)
    if len(found) > MOST_CONDITIONS:
        raise ConfigurationError(f"at most {MOST_CONDITIONS} conditions at a time", code="condition.too_many")
    return found


def _members(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _any_equal(values: list[Any], wanted: str) -> bool:
    if not wanted:
        return not values
    return any(_equal(one, wanted) for one in values)


def _equal(value: Any, wanted: str) -> bool:
    if isinstance(value, bool):
        return str(value).casefold() == wanted.casefold()
    left, right = _number(value), _number(wanted)
    if left is not None and right is not None and not isinstance(value, str):
        return left == right
    return _text(value).strip().casefold() == wanted.casefold()


def _order(value: Any, wanted: str) -> int | None:
    """-1, 0 or 1: less, the same, more; None: they cannot be compared."""
    left, right = _number(value), _number(wanted)
    if left is not None and right is not None:
        return (left > right) - (left < right)
    written = _text(value).strip()
    if right is None and _DATE.fullmatch(written):
        return (written > wanted) - (written < wanted)
    return None


def _is_so(comparison: Comparison, order: int) -> bool:
    wanted = {
        Comparison.AT_LEAST: order >= 0,
        Comparison.AT_MOST: order <= 0,
        Comparison.MORE: order > 0,
        Comparison.LESS: order < 0,
    }
    return wanted[comparison]


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
