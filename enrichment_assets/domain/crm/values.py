"""A lead's value as a typed field of a CRM takes it, or a sentence that says what the field would take.

What cannot be a value of the field is refused and never bent: a day that has two readings is none, and a label that is
no option is no option, however near one is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple

from enrichment_assets.domain.coercion import UNFIT, coerce
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.expressions import blank

MOST_NAMED = 30
"""Options that a message names."""


class Unfit(ValueError):
    """A value that a field does not take; says what the field takes, without the value."""


class Option(NamedTuple):
    """A choice of a drop-down: what is written for it, and what people see."""

    value: str
    label: str


def number_of(name: str, value: Any) -> int | float:
    """A number, whole where it is whole. Raises `Unfit`."""
    number = coerce(value, "numeric")
    if number is UNFIT or number is None:
        raise Unfit(f"{name!r} takes a number")
    return int(number) if number == number.to_integral_value() else float(number)


def truth_of(name: str, value: Any) -> bool:
    """Yes or no. Raises `Unfit`."""
    truth = coerce(value, "boolean")
    if not isinstance(truth, bool):
        raise Unfit(f"{name!r} takes yes or no")
    return truth


def day_of(name: str, value: Any) -> date:
    """A day however it is written; a month, and what has two readings, is none. Raises `Unfit`."""
    if isinstance(value, datetime):
        return value.date()
    day = value if isinstance(value, date) else coerce(value, "date")
    if not isinstance(day, date):
        raise Unfit(f"{name!r} takes a day, as 2026-03-01")
    return day


def moment_of(name: str, value: Any) -> datetime:
    """A moment in UTC: one without a zone is read as UTC, a day is its midnight. Raises `Unfit`."""
    moment = value if isinstance(value, datetime) else coerce(value, "timestamptz")
    if not isinstance(moment, datetime):
        moment = datetime.combine(day_of(name, value), time(tzinfo=UTC))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def text_of(value: Any) -> str:
    """Any value as text: yes and no as `true` and `false`, several joined by commas, a number without an exponent."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(text_of(one) for one in value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else format(Decimal(str(value)), "f")
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def option_of(name: str, value: Any, options: Iterable[Option]) -> str:
    """What is written for one choice, by its value or its label, whatever the case of either. Raises `Unfit`."""
    every = list(options)
    wanted = _folded(text_of(value))
    exact = [one for one in every if one.value == text_of(value)]
    found = exact or [one for one in every if wanted in (_folded(one.value), _folded(one.label))]
    if len({one.value for one in found}) == 1:
        return found[0].value
    if found:
        raise Unfit(f"{name!r} has several options of that name: rename all but one there")
    raise Unfit(f"{name!r} has no such option; it takes {named(one.label or one.value for one in every)}")


def options_of(name: str, value: Any, options: Iterable[Option]) -> list[str]:
    """The same of several choices, from a list or a text with commas or semicolons."""
    several = value if isinstance(value, list | tuple) else str(value).replace(";", ",").split(",")
    every = list(options)
    return list(dict.fromkeys(option_of(name, one, every) for one in several if not blank(one)))


def named(options: Iterable[str]) -> str:
    """Options for people: the first of them where there are many."""
    every = list(options)
    rest = len(every) - MOST_NAMED
    return (", ".join(every[:MOST_NAMED]) or "nothing") + (f" and {rest} more" if rest > 0 else "")


class Names:
    """Fields of a destination by their names, worked out once for the list that a run's lookup gave."""

    def __init__(self, *members: str) -> None:
        self._members = members
        self._of: Sequence[Mapping[str, Any]] | None = None
        self._known: dict[str, Mapping[str, Any]] = {}

    def of(self, fields: Sequence[Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
        """By each of the members that name a field; the same list as before is not read again."""
        if self._of is not fields:
            self._known = {str(one[name]): one for name in reversed(self._members) for one in fields if name in one}
            self._of = fields
        return self._known


def in_order(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rows by their `place`, where they say one: the members of a call come in another order each time it is made."""
    return sorted(rows, key=lambda row: place if isinstance(place := row.get("place"), int) else 0)


def fitting(
    write: Callable[[str, Any, Sequence[Mapping[str, Any]]], Any],
    name: str,
    value: Any,
    known: Sequence[Mapping[str, Any]],
) -> Any:
    """A value as a field takes it, by what is known of the fields there; raises `ContractError` where it takes none."""
    try:
        return write(name, value, known)
    except Unfit as fault:
        raise ContractError(str(fault), code="delivery.value_unfit") from None


def faults_of(names: Iterable[str], write: Callable[[str], Any]) -> list[str]:
    """What is said of each name whose field takes not even an empty value: it is not there, or nobody may write it."""
    found = []
    for name in names:
        try:
            write(name)
        except Unfit as fault:
            found.append(str(fault))
    return found


Convert = Callable[[str, Any, Mapping[str, Any]], Any]
"""(name of the field, value, what the CRM says of the field) -> the value as it is written. Raises `Unfit`."""


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
