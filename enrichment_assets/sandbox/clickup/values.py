"""What a custom field takes, what it shows, and what a webhook says of it: three different things for a drop-down.

A drop-down is written with the option's id (an index is taken too; its label is FIELD_011), read back as the option's
`orderindex`, and told by webhooks as the id. Labels are ids everywhere. Numbers, dates and check
boxes are read as text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from enrichment_assets.sandbox.clickup.refusals import wrong
from enrichment_assets.sandbox.clickup.workspace import CustomField, Option

_Take = Callable[[CustomField, Any], Any]

_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+[\d ().-]{6,30}")
_CODE = "FIELD_011"


def taken(field: CustomField, value: Any) -> Any:
    """What is stored for a value that is written; None: there is none now. Raises `Refusal`."""
    if value is None or value == "":
        return None
    take: _Take = _TAKEN.get(field.type, _text)
    return take(field, value)


def shown(field: CustomField, stored: Any) -> Any:
    """What GET says of a stored value."""
    if field.type == "drop_down":
        return next((place for place, option in enumerate(field.options) if option.id == stored), None)
    if field.type in {"number", "currency", "date"}:
        return f"{stored:g}" if isinstance(stored, float) else str(stored)
    if field.type == "checkbox":
        return "true" if stored else "false"
    return stored


def told(stored: Any) -> Any:
    """What a webhook says of it: as it is stored, numbers and dates as text."""
    return str(stored) if isinstance(stored, int | float) and not isinstance(stored, bool) else stored


def configuration(field: CustomField) -> dict[str, Any]:
    """`type_config`: the options of a drop-down have a `name`, those of labels a `label`."""
    if field.type not in {"drop_down", "labels"}:
        return {}
    return {"options": [_option(field, place, option) for place, option in enumerate(field.options)]}


def _option(field: CustomField, place: int, option: Option) -> dict[str, Any]:
    if field.type == "labels":
        return {"id": option.id, "label": option.name, "color": option.color}
    return {"id": option.id, "name": option.name, "color": option.color, "orderindex": place}


def _text(field: CustomField, value: Any) -> str:
    if not isinstance(value, str):
        raise wrong("Value must be a string", _CODE)
    return value


def _mail(field: CustomField, value: Any) -> str:
    if not isinstance(value, str) or not _MAIL.fullmatch(value):
        raise wrong("Value is not a valid email", _CODE)
    return value


def _url(field: CustomField, value: Any) -> str:
    if not isinstance(value, str) or urlsplit(value).scheme not in {"http", "https"} or " " in value:
        raise wrong("Value is not a valid URL", _CODE)
    return value


def _phone(field: CustomField, value: Any) -> str:
    if not isinstance(value, str) or not _PHONE.fullmatch(value):
        raise wrong("Value is not a valid phone number: country code is required", _CODE)
    return value


def _number(field: CustomField, value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise wrong("Value is not a number", _CODE)
    return value


def _date(field: CustomField, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong("Value is not a date", _CODE)
    return value


def _checkbox(field: CustomField, value: Any) -> bool:
    if value in {True, "true"}:
        return True
    if value in {False, "false"}:
        return False
    raise wrong("Value is not a valid boolean", _CODE)


def _choice(field: CustomField, value: Any) -> str:
    by_place = dict(enumerate(option.id for option in field.options))
    if isinstance(value, int) and not isinstance(value, bool) and value in by_place:
        return by_place[value]
    if value in by_place.values():
        return str(value)
    raise wrong("Value must be an option index or uuid", _CODE)


def _labels(field: CustomField, value: Any) -> list[str] | None:
    known = {option.id for option in field.options}
    if not isinstance(value, list) or not all(isinstance(one, str) and one in known for one in value):
        raise wrong("Value must be an array of label ids", _CODE)
    return list(dict.fromkeys(value)) or None


_TAKEN: dict[str, _Take] = {
    "email": _mail,
    "url": _url,
    "phone": _phone,
    "number": _number,
    "currency": _number,
    "date": _date,
    "checkbox": _checkbox,
    "drop_down": _choice,
    "labels": _labels,
}
