"""Airtable's fields: what each takes, and what a delivery needs of them.

airtable.com/developers/web/api/field-model: a cell takes the type of its field and nothing else, as long as `typecast`
is off. It stays off here: with it a text that is no number empties the cell, and every misspelt choice becomes one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from enrichment_assets.domain.expressions import blank
from enrichment_assets.domain.suggestions import did_you_mean

MERGEABLE = ("singleLineText", "multilineText", "number", "singleSelect", "multipleSelects", "date")
"""Types by which records can be matched (`fieldsToMergeOn`)."""

_COMPUTED = (
    "formula", "rollup", "count", "multipleLookupValues", "createdTime", "lastModifiedTime", "createdBy",
    "lastModifiedBy", "autoNumber", "button", "aiText", "externalSyncSource",
)  # fmt: skip
_NUMBERS = ("number", "currency", "percent", "rating", "duration")


_NAMES = Names("name", "id")


def cell_value(name: str, value: Any, fields: Sequence[Mapping[str, Any]]) -> Any:
    """A value as Airtable takes it for a field; null empties the cell.

    Args:
        name: The field's name or id.
        value: The lead's.
        fields: Those of the table, as the metadata API lists them.

    Raises:
        Unfit: There is no such field, it is computed, or the value is none of it.
    """
    told = _NAMES.of(fields).get(name)
    if told is None:
        guess = did_you_mean(name, [str(one.get("name")) for one in fields])
        raise Unfit(f"the table has no field {name!r}: create it there, or name another{guess}")
    if told.get("type") in _COMPUTED:
        raise Unfit(f"the field {name!r} is computed by Airtable: take it out of `delivery.fields`")
    if blank(value):
        return None
    convert = _CONVERT.get(str(told.get("type")))
    return text_of(value) if convert is None else convert(name, value, told)


def field_faults(names: Iterable[str], fields: Sequence[Mapping[str, Any]]) -> list[str]:
    """Fields that a delivery writes and that are not there, or are computed."""
    return faults_of(names, lambda name: cell_value(name, None, fields))


def key_faults(name: str, fields: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is wrong with the field by which records are found again, with what to do."""
    told = next((one for one in fields if name in (one.get("name"), one.get("id"))), None)
    if told is None:
        return [f"the table has no field {name!r}: create it as a single line of text"]
    kind = str(told.get("type"))
    return [] if kind in ("singleLineText", "multilineText") else [f"the field {name!r} is {kind}: it has to be text"]


def _options(told: Mapping[str, Any]) -> Iterable[Option]:
    for one in (told.get("options") or {}).get("choices") or ():
        yield Option(str(one.get("name")), str(one.get("name")))


_CONVERT: Mapping[str, Convert] = {
    **dict.fromkeys(
        ("number", "currency", "percent", "rating", "duration"), lambda name, value, _: number_of(name, value)
    ),
    "checkbox": lambda name, value, _: truth_of(name, value),
    "singleSelect": lambda name, value, told: option_of(name, value, _options(told)),
    "multipleSelects": lambda name, value, told: options_of(name, value, _options(told)),
    "date": lambda name, value, _: day_of(name, value).isoformat(),
    "dateTime": lambda name, value, _: moment_of(name, value).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
}
"""Type -> its value; every other that can be written takes text."""
