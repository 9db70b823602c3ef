"""Where an answer has e-mail addresses and phone numbers, and what it says of each: whole records, never single fields.

A workflow declares it (`emails`, `phones`). What is read are plain dictionaries, kept with the result as the fields
`email_records` and `phone_records`: the address or number with the provider's own words about this very one. The best
record of an answer also becomes its fields `email`, `phone`, `phone_type` and so on (`domain.contacts`: which is best).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from enrichment_assets.domain.emails import is_placeholder_email, normalise_email
from enrichment_assets.domain.field_types import FieldType
from enrichment_assets.domain.no_value import is_no_value
from enrichment_assets.domain.record_fields import ABOUT_EMAIL, EMAIL_RECORDS, PHONE_RECORDS

MAX_RECORDS = 100
"""Records of one answer that are kept: nobody has more addresses."""

MAX_TEXT = 200
"""Characters of a provider's word, or of what is no address."""

Record = dict[str, Any]
Role = Literal["address", "candidate", "verdict"]
Compile = Callable[[str, str], Callable[[Any], Any]]
"""(name for people, JMESPath) -> what evaluates it."""

Clean = Callable[[str, str | None], tuple[str, str | None]]
"""(text, country) -> the address or number in its usual form, or the text and why it is none."""

_SURENESS = {"high": 0.9, "very_high": 0.95, "medium": 0.6, "low": 0.3, "very_low": 0.1}


class _Records(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    at: str = Field(default="@", description="JMESPath over the payload: one record, or a list of records")
    role: Role = Field(
        default="address",
        description="`address`: may become the lead's; `candidate`: is kept beside it; `verdict`: only judges it",
    )
    status: str | None = Field(default=None, description="what the provider says of it, in its own word")
    confidence: str | None = Field(default=None, description="0 to 1, 0 to 100, or high, medium, low")
    type: str | None = Field(default=None, description="the provider's word for its kind")
    rank: str | None = Field(default=None, description="the provider's own order, the lowest first")


class EmailRecords(_Records):
    """Where e-mail addresses stand. Every member but `at` is a JMESPath over one record."""

    address: str = Field(description="the address itself; `@` where a record is nothing but the address")
    sub_status: str | None = Field(default=None, description="a closer word, such as ZeroBounce's")


class PhoneRecords(_Records):
    """Where phone numbers stand. Every member but `at` is a JMESPath over one record."""

    number: str = Field(description="the number itself; `@` where a record is nothing but the number")
    do_not_call: str | None = Field(default=None, description="what a register of numbers not to be called says")
    country: str | None = Field(
        default=None, description="country (name or code) in whose way it is written; default: the answer's `country`"
    )


def fields_of_records(emails: Sequence[EmailRecords], phones: Sequence[PhoneRecords]) -> set[str]:
    """Fields that a workflow with these records provides."""
    fields = set(ABOUT_EMAIL) if emails else set()
    if any(group.role == "address" for group in emails):
        fields.add("email")
    if any(group.role == "address" for group in phones):
        fields |= {"phone", "phone_type", "phone_confidence", "phone_do_not_call"}
    return fields


class ContactReader:
    """Reads the records of one workflow's payloads."""

    def __init__(self, emails: Sequence[EmailRecords], phones: Sequence[PhoneRecords], compiled: Compile) -> None:
        self._emails = [_Group(group, "address", f"emails.{n}", compiled) for n, group in enumerate(emails)]
        self._phones = [_Group(group, "number", f"phones.{n}", compiled) for n, group in enumerate(phones)]

    @property
    def declared(self) -> bool:
        """Whether the workflow says where records are."""
        return bool(self._emails or self._phones)

    def read(self, payload: Any, country: str | None = None) -> dict[str, list[Record]]:
        """`email_records` and `phone_records`, each only where there are any.

        Args:
            payload: The answer.
            country: Country that the answer names: numbers without `+` whose record names none are of this one.
        """
        found = {
            EMAIL_RECORDS: list(_kept([group.records(payload, country, _clean_email) for group in self._emails])),
            PHONE_RECORDS: list(_kept([group.records(payload, country, _clean_phone) for group in self._phones])),
        }
        return {name: records for name, records in found.items() if records}


class _Group:
    """One declaration, compiled."""

    def __init__(self, declared: EmailRecords | PhoneRecords, value: str, where: str, compiled: Compile) -> None:
        self._at = compiled(f"{where}.at", declared.at)
        self._role = declared.role
        self._value = value
        self._type = FieldType.EMAIL if value == "address" else FieldType.PHONE
        self._country = compiled(f"{where}.country", getattr(declared, "country", None) or "null")
        names = [name for name in type(declared).model_fields if name not in ("at", "role", "country")]
        self._parts = {
            name: compiled(f"{where}.{name}", text) for name in names if (text := getattr(declared, name)) is not None
        }

    def records(self, payload: Any, country: str | None, clean: Clean) -> Iterator[Record]:
        found = self._at(payload)
        for entry in found if isinstance(found, list) else [found]:
            if entry is None:
                continue
            text = _text(self._parts[self._value](entry))
            if text is None or is_placeholder_email(text) or is_no_value(text, self._type):
                continue
            value, rejected = clean(text, _text(self._country(entry)) or country)
            record = {self._value: value, "rejected": rejected, **self._about(entry)}
            if self._role != "address":
                record["role"] = self._role
            yield {name: member for name, member in record.items() if member is not None}

    def _about(self, entry: Any) -> Record:
        said = {name: part(entry) for name, part in self._parts.items() if name != self._value}
        numbers = {"confidence": confidence_of, "rank": _number}
        return {name: numbers.get(name, _word)(value) for name, value in said.items()}


def _kept(groups: Iterable[Iterator[Record]]) -> Iterator[Record]:
    """At most `MAX_RECORDS`, the same record once."""
    seen: list[Record] = []
    for group in groups:
        for record in group:
            if len(seen) < MAX_RECORDS and record not in seen:
                seen.append(record)
                yield record


def _clean_email(text: str, _country: str | None) -> tuple[str, str | None]:
    """The address in its usual form, or what stands there with the reason why it is none."""
    address = normalise_email(text)
    return (address, None) if address is not None else (text[:MAX_TEXT], "not_an_address")


def _clean_phone(text: str, country: str | None) -> tuple[str, str | None]:
    """The first number as E.164, or what stands there with the reason why it is none."""
    from enrichment_assets.domain.phones import read_phones  # its library is large, and to declare records needs none

    reading = read_phones(text, country)
    return (text[:MAX_TEXT], reading.fault.value) if reading.fault is not None else (reading.numbers[0].number, None)


def _text(value: Any) -> str | None:
    """An address or number as text: true, false, objects and blanks are none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None


def _word(value: Any) -> str | None:
    """A provider's word; what is none is kept as JSON, so that it is seen. An empty list or object says nothing."""
    if value is None or value == [] or value == {}:
        return None
    text = value.strip() if isinstance(value, str) else json.dumps(value)
    return text[:MAX_TEXT] or None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(str(value).strip().removesuffix("%"))
    except ValueError:
        return None
    return number if abs(number) < 1e9 else None


def confidence_of(value: Any) -> float | None:
    """How sure, 0 to 1: `97`, `"97%"`, `0.97` and `high` as providers write it; anything else is unknown."""
    if isinstance(value, str) and (sure := _SURENESS.get(value.strip().lower().replace(" ", "_"))) is not None:
        return sure
    number = _number(value)
    if number is None or number < 0 or number > 100:
        return None
    return number / 100 if number > 1 else number


def flat_record(field: Literal["email", "phone"], fields: Mapping[str, Any]) -> Record | None:
    """The record that single fields of one answer make: what stands in the same answer belongs together.

    `email` with `email_status` and `email_score`; `phone` with `phone_type`, `phone_status` and so on.
    """
    value = _text(fields.get(field))
    if value is None:
        return None
    names: Mapping[str, Mapping[str, tuple[str, ...]]] = {
        "email": {"status": ("email_status",), "confidence": ("email_score", "email_verification_score")},
        "phone": {
            "status": ("phone_status",),
            "type": ("phone_type",),
            "confidence": ("phone_confidence",),
            "do_not_call": ("phone_do_not_call",),
        },
    }
    record: Record = {"address" if field == "email" else "number": value}
    for member, sources in names[field].items():
        given = next((fields[name] for name in sources if fields.get(name) is not None), None)
        record[member] = confidence_of(given) if member == "confidence" else _word(given)
    return {name: member for name, member in record.items() if member is not None}
