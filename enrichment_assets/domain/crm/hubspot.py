"""HubSpot's properties: what each takes, and what a delivery needs of them.

developers.hubspot.com/docs/api-reference/crm-properties: types are string, number, enumeration, bool, date, datetime,
phone_number; every value travels as text, an empty text clears a property. A drop-down is written by an option's
internal *value* and shown by its label; several checkboxes are values with semicolons between them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from enrichment_assets.domain.crm.values import (
    Convert,
    Names,
    Option,
    Unfit,
    day_of,
    faults_of,
    moment_of,
    number_of,
    option_of,
    options_of,
    text_of,
    truth_of,
)
from enrichment_assets.domain.emails import normalise_email
from enrichment_assets.domain.expressions import blank
from enrichment_assets.domain.suggestions import did_you_mean

_NAMES = Names("name")


def property_value(name: str, value: Any, properties: Sequence[Mapping[str, Any]]) -> str:
    """A value as HubSpot takes it for a property.

    Args:
        name: The property's internal name.
        value: The lead's.
        properties: As the properties API lists them.

    Raises:
        Unfit: There is no such property, nobody may write it, or the value is none of it.
    """
    known = _NAMES.of(properties)
    told = known.get(name)
    if told is None:
        labelled = next((one for one in known.values() if str(one.get("label")).casefold() == name.casefold()), None)
        guess = did_you_mean(name, known if labelled is None else [str(labelled["name"])])
        raise Unfit(f"HubSpot has no property {name!r}: create it there, or name another by its internal name{guess}")
    if (told.get("modificationMetadata") or {}).get("readOnlyValue"):
        raise Unfit(f"HubSpot's property {name!r} is read-only: take it out of `delivery.fields`")
    if blank(value):
        return ""
    convert = _email if name == "email" else _CONVERT.get(str(told.get("type")), _text)
    return str(convert(name, value, told))


def field_faults(names: Iterable[str], properties: Sequence[Mapping[str, Any]]) -> list[str]:
    """Properties that a delivery writes and that are not there, or are read-only."""
    return faults_of(names, lambda name: property_value(name, None, properties))


def key_faults(name: str, properties: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is wrong with the property by which contacts are found again, with what to do."""
    told = next((one for one in properties if one.get("name") == name), None)
    if told is None:
        return [f"there is no property {name!r}: create it as a single-line text with unique values (`hasUniqueValue`)"]
    if not told.get("hasUniqueValue"):
        return [
            f"the property {name!r} is not unique, and that cannot be changed later: create another, with unique values"
        ]
    return [] if told.get("type") == "string" else [f"the property {name!r} has to be a single-line text"]


def _options(told: Mapping[str, Any]) -> Iterable[Option]:
    for one in told.get("options") or ():
        if not one.get("hidden"):
            yield Option(str(one.get("value")), str(one.get("label")))


def _text(_: str, value: Any, __: Mapping[str, Any]) -> str:
    return text_of(value)


def _email(name: str, value: Any, _: Mapping[str, Any]) -> str:
    address = _address(value) if isinstance(value, str) else None
    if address is None:
        raise Unfit(f"{name!r} takes an e-mail address")
    return address


@lru_cache(4096)
def _address(text: str) -> str | None:
    """A lead's address is looked at for each of its requests, and reading one is the dearest of its fields."""
    return normalise_email(text)


def _choice(name: str, value: Any, told: Mapping[str, Any]) -> str:
    if told.get("fieldType") == "checkbox":
        return ";".join(options_of(name, value, _options(told)))
    return option_of(name, value, _options(told))


_CONVERT: Mapping[str, Convert] = {
    "number": lambda name, value, _: text_of(number_of(name, value)),
    "bool": lambda name, value, _: text_of(truth_of(name, value)),
    "enumeration": _choice,
    "date": lambda name, value, _: day_of(name, value).isoformat(),
    "datetime": lambda name, value, _: moment_of(name, value).isoformat(timespec="seconds").replace("+00:00", "Z"),
}
