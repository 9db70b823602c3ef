"""A custom field of ClickUp: what is written for a lead's value, and what a value that is shown means.

The same value has three forms. A drop-down is written as an option's id, shown by GET as its `orderindex`, and told by
a webhook as the id; a number is written as a number and shown as text. Everything that is compared or kept here is the
value as a person reads it: the option's name, the number, the address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from enrichment_assets.domain.dates import read_day
from enrichment_assets.domain.emails import normalise_email
from enrichment_assets.domain.quantities import read_number

LONGEST_LABELS = 100
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


class Unfit(ValueError):
    """A lead's value that the field does not take; says why, without the value."""


@dataclass(frozen=True, slots=True)
class RemoteField:
    """A custom field as `GET /list/{id}/field` shows it. `options`: (id, name) in their order."""

    id: str
    name: str
    type: str
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, shown: Mapping[str, Any]) -> RemoteField:
        """From ClickUp's JSON; drop-downs have names, labels have labels."""
        told = (shown.get("type_config") or {}).get("options") or []
        ordered = sorted(enumerate(told), key=lambda pair: (pair[1].get("orderindex", pair[0]), pair[0]))
        options = tuple((str(one["id"]), str(one.get("name") or one.get("label") or "")) for _, one in ordered)
        return cls(str(shown["id"]), str(shown["name"]), str(shown["type"]), options)

    def name_of(self, option_id: object) -> str | None:
        """An option's name by its id; None: it has no such option (any more)."""
        return next((name for known, name in self.options if known == option_id), None)

    def option(self, text: str) -> str:
        """An option's id by its name, whatever its case. Raises `Unfit`: there is none, or there are several."""
        found = [known for known, name in self.options if _folded(name) == _folded(text)]
        if len(found) == 1:
            return found[0]
        known = ", ".join(name for _, name in self.options) or "none"
        if found:
            raise Unfit(f"`{self.name}` has several options of that name: {known}")
        raise Unfit(f"`{self.name}` has no option for it; it has {known}")


def field_named(fields: Iterable[RemoteField], name: str) -> RemoteField:
    """The field of a name (or of an id), as it is written or else whatever its case.

    Raises:
        Unfit: There is none, or there are several of that name: which one is meant, only an id can say.
    """
    every = list(fields)
    if _UUID.fullmatch(name):
        found = [one for one in every if one.id.lower() == name.lower()]
    else:
        found = [one for one in every if one.name.strip() == name.strip()]
        found = found or [one for one in every if _folded(one.name) == _folded(name)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise Unfit(f"the list has no field `{name}`")
    raise Unfit(f"the list has {len(found)} fields `{name}`: rename one, or name the one that is meant by its id")


def can_be_written(field: RemoteField) -> bool:
    """Whether a lead's value can stand in it: computed fields, people and files are nobody's to write."""
    return field.type in _WRITTEN


def written(field: RemoteField, value: Any) -> Any:
    """What is written into a field for a lead's value; None: it is emptied.

    Raises:
        Unfit: The field does not take the value, as a phone number without its country.
    """
    if value is None or (isinstance(value, str) and not value.strip()) or value == []:
        return None
    write = _WRITTEN.get(field.type)
    if write is None:
        raise Unfit(f"`{field.name}` is of type {field.type}, which is not written")
    return write(field, value)


def read(field: RemoteField, value: Any) -> str | None:
    """What a value means that GET shows or a webhook tells, as a person reads it; None: there is none.

    An index or id of an option that is gone means nothing that could be said: None too.
    """
    if value is None or value == "" or value == []:
        return None
    if field.type == "drop_down":
        return _chosen(field, value)
    if field.type == "labels":
        names = [field.name_of(one) for one in value] if isinstance(value, list) else []
        return ", ".join(sorted(name for name in names if name)) or None
    if field.type in {"number", "currency", "emoji"}:
        number = read_number(value if isinstance(value, int | float) else str(value))
        return None if number is None else _number_text(number)
    if field.type == "checkbox":
        return "true" if value in (True, "true", 1) else "false"
    if field.type == "date":
        return _day(value)
    return str(value).strip() if isinstance(value, str | int | float) else None


def same(field: RemoteField, one: str | None, other: str | None) -> bool:
    """Whether two readings of a field say the same; addresses and options whatever their case."""
    if one is None or other is None:
        return one is other
    if field.type == "phone":
        from enrichment_assets.domain.phones import normalise_phone  # its library is large: where numbers are met

        return (normalise_phone(one) or one) == (normalise_phone(other) or other)
    if field.type in {"email", "drop_down", "labels"}:
        return _folded(one) == _folded(other)
    return one.strip() == other.strip()


def _chosen(field: RemoteField, value: Any) -> str | None:
    if isinstance(value, Mapping):  # some webhooks tell the option whole
        value = value.get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        return field.options[value][1] if 0 <= value < len(field.options) else None
    if isinstance(value, str) and value.isdecimal():
        return field.options[int(value)][1] if int(value) < len(field.options) else None
    return field.name_of(value)


def _text(field: RemoteField, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number_text(value)
    if isinstance(value, str | int):
        return str(value).strip()
    raise Unfit(f"`{field.name}` takes text")


def _mail(field: RemoteField, value: Any) -> str:
    address = normalise_email(value) if isinstance(value, str) else None
    if address is None:
        raise Unfit(f"`{field.name}` takes an e-mail address")
    return address


def _phone(field: RemoteField, value: Any) -> str:
    """ClickUp refuses a number without its country, and guessing the country would be a wrong number."""
    text = value.strip() if isinstance(value, str) else ""
    from enrichment_assets.domain.phones import normalise_phone

    number = normalise_phone(text) if text.startswith(("+", "00")) else None
    if number is None:
        raise Unfit(f"`{field.name}` takes a number with its country, as +44 20 7946 0018")
    return number


def _url(field: RemoteField, value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if text and "://" not in text:
        text = f"https://{text}"
    if not re.fullmatch(r"https?://[^\s/.]+\.[^\s]+", text, re.IGNORECASE):
        raise Unfit(f"`{field.name}` takes the address of a page")
    return text


def _number(field: RemoteField, value: Any) -> int | float:
    number = read_number(value)
    if number is None:
        raise Unfit(f"`{field.name}` takes a number")
    return number


def _rating(field: RemoteField, value: Any) -> int:
    number = read_number(value)
    if not isinstance(number, int) or not 0 <= number <= 5:
        raise Unfit(f"`{field.name}` takes a rating of 0 to 5")
    return number


def _moment(field: RemoteField, value: Any) -> int:
    day = read_day(str(value))
    if day is None:
        raise Unfit(f"`{field.name}` takes a date")
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp() * 1000)


def _checkbox(field: RemoteField, value: Any) -> bool:
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    found = known.get(str(value).strip().lower())
    if found is None:
        raise Unfit(f"`{field.name}` takes true or false")
    return found


def _option(field: RemoteField, value: Any) -> str:
    if not isinstance(value, str | int | float):
        raise Unfit(f"`{field.name}` takes one of its options")
    return field.option(_text(field, value))


def _labels(field: RemoteField, value: Any) -> list[str]:
    every = value if isinstance(value, Sequence) and not isinstance(value, str) else str(value).split(",")
    names = [str(one).strip() for one in every if str(one).strip()][:LONGEST_LABELS]
    return list(dict.fromkeys(field.option(name) for name in names))


_WRITTEN: Mapping[str, Callable[[RemoteField, Any], Any]] = {
    "short_text": _text,
    "text": _text,
    "email": _mail,
    "phone": _phone,
    "url": _url,
    "number": _number,
    "currency": _number,
    "emoji": _rating,
    "date": _moment,
    "checkbox": _checkbox,
    "drop_down": _option,
    "labels": _labels,
}
"""Type -> what is written. `users` and `tasks` name people and tasks of the workspace, which no lead has."""


def _day(value: Any) -> str | None:
    text = str(value)
    if not text.lstrip("-").isdecimal() or len(text) > 15:
        return None
    return datetime.fromtimestamp(int(text) / 1000, UTC).date().isoformat()


def _number_text(number: int | float) -> str:
    return str(int(number)) if float(number).is_integer() and abs(number) < 1e15 else repr(number)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
