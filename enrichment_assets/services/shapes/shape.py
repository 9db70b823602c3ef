"""The base of all shapes, and how their values are written as JSON.

Amounts of money are text with all of their decimal places, never floats; the currency stands beside them, or is the key
where amounts of several currencies are told apart. Times are ISO 8601 in UTC, to the microsecond.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from enrichment_assets.domain.hints import Hint
from enrichment_assets.domain.money import Money

FLAT = {"flat": True}
"""Metadata of a field whose own keys stand among the shape's: `field(metadata=FLAT)`."""

Wording = Callable[[Hint], str]
"""How an entry point words what helps: the command line as a command."""


class Shape:
    """What one noun is in JSON. Subclasses are frozen dataclasses."""

    __slots__ = ()


def plain(value: Any, worded: Wording) -> Any:
    """A shape, or a list or mapping of them, as values that JSON has.

    Raises:
        TypeError: Something in it has no form in JSON.
    """
    match value:
        case Shape():
            return _keys(value, worded)
        case Hint():
            return {"action": value.action.value, "arguments": dict(value.arguments), "text": worded(value)}
        case BaseModel():
            return value.model_dump(mode="json", by_alias=True)
        case Enum():
            return value.value
        case Decimal():
            return amount(value)
        case Mapping():
            return {str(key): plain(member, worded) for key, member in value.items()}
        case str() | None | bool() | int() | float():
            return value
        case Iterable() if not isinstance(value, bytes):
            return [plain(member, worded) for member in value]
        case _:
            return written(value)


def _keys(shape: Shape, worded: Wording) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    for one in fields(shape):  # type: ignore[arg-type]  # every subclass is a dataclass
        value = plain(getattr(shape, one.name), worded)
        keys |= value if one.metadata.get("flat") else {one.name: value}
    return keys


def amount(value: Decimal) -> str:
    """`1.50`: as many decimal places as the amount has, at least two."""
    return Money(value, "").shown()


def written(value: Any) -> str:
    """A time, a day or an exact number as text.

    A time without a zone, which SQL of one's own may give, stays without one. Raises `TypeError` for other types.
    """
    match value:
        case datetime():
            zoned = value if value.tzinfo is None else value.astimezone(UTC)
            return zoned.isoformat(timespec="microseconds").replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case UUID():
            return str(value)
        case _:
            raise TypeError(f"{type(value).__name__} has no form in JSON")
