"""Turning a JSON value into what a typed column takes, or saying that it cannot be: never an exception."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from enrichment_assets.domain.dates import read_day

UNFIT = object()
"""The value cannot be stored in a column of that type."""

_BIGINT = 2**63
_INTEGER = 2**31


def coerce(value: Any, kind: str) -> Any:
    """The value for a column of type `kind` (`domain.workflow.DestinationColumn.type`), None for null, or `UNFIT`."""
    if value is None:
        return None
    try:
        return _COERCIONS[kind](value)
    except (ValueError, TypeError, InvalidOperation, OverflowError, RecursionError):
        return UNFIT


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.replace("\0", "\ufffd")


def _integer(bound: int) -> Callable[[Any], int]:
    def convert(value: Any) -> int:
        if isinstance(value, bool):
            raise ValueError
        number = Decimal(str(value).strip().replace(",", ""))
        if number != number.to_integral_value() or not -bound <= number < bound:
            raise ValueError
        return int(number)

    return convert


def _numeric(value: Any) -> Decimal:
    if isinstance(value, bool):
        raise ValueError
    number = Decimal(str(value).strip().replace(",", ""))
    if not number.is_finite():
        raise ValueError
    return number


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    answer = known.get(str(value).strip().lower())
    if answer is None:
        raise ValueError
    return answer


def _date(value: Any) -> date:
    """A day however it is written; a month or a year is none, nor is a text with two readings."""
    day = _day(str(value))
    if day is None:
        raise ValueError
    return day


@lru_cache(10_000)
def _day(text: str) -> date | None:
    """Lists name the same days again and again, and reading one tries many ways of writing it."""
    return read_day(text)


def _moment(value: Any) -> datetime:
    return datetime.fromisoformat(str(value).strip())


def _json(value: Any) -> str:
    return json.dumps(value).replace("\\u0000", "\\ufffd")


_COERCIONS: Mapping[str, Callable[[Any], Any]] = {
    "text": _text,
    "integer": _integer(_INTEGER),
    "bigint": _integer(_BIGINT),
    "numeric": _numeric,
    "boolean": _boolean,
    "date": _date,
    "timestamptz": _moment,
    "jsonb": _json,
}
