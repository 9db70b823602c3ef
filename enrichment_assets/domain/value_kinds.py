"""What a value of each kind is: a text or JSON value in, a `Cleaned` out. `domain.values.clean` asks these functions.

Placeholders are sorted out before. How an address, a number or a page is read is said by the normaliser of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from enrichment_assets.domain.cleaned import Cleaned, Reason
from enrichment_assets.domain.companies import own_host
from enrichment_assets.domain.damaged_text import is_garbled
from enrichment_assets.domain.domains import address_on, addresses_of
from enrichment_assets.domain.emails import read_emails
from enrichment_assets.domain.field_types import FieldType
from enrichment_assets.domain.linkedin import linkedin_company, linkedin_person
from enrichment_assets.domain.no_value import fold, is_no_value
from enrichment_assets.domain.no_value_words import EMPLOYED_BY_NOBODY, STUB_COMPANIES
from enrichment_assets.domain.quantities import (
    Money,
    Range,
    read_count,
    read_money,
    read_number,
    read_range,
    read_year,
)

_EMPLOYED_BY_NOBODY, _STUB_COMPANIES = (frozenset(map(fold, listed)) for listed in (EMPLOYED_BY_NOBODY, STUB_COMPANIES))
_FLAGS = frozenset({"true", "false", "TRUE", "FALSE"})
_LETTER = re.compile(r"[^\W\d_]")
_NAMED_PAGE = re.compile(r"/(?:in|pub|company|company-beta|school|showcase|organization)/+[^/]", re.IGNORECASE)
_PIECES = re.compile(r"[\s,;|<>\"()]+")
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?e[+]?\d{1,3}", re.IGNORECASE)


def _email(_name: str, text: str, _row: Mapping[str, Any]) -> Cleaned:
    reading = read_emails(text)
    if reading.fault is not None:
        return Cleaned(None, Reason(reading.fault.value))
    first, *others = reading.addresses
    return Cleaned(first, Reason.SEVERAL if others else None, tuple(others))


def _phone(name: str, text: str, row: Mapping[str, Any]) -> Cleaned:
    countries = ("company_country", "country") if name.startswith("company_") else ("country", "company_country")
    country = next((value for place in countries if isinstance(value := row.get(place), str) and value.strip()), None)
    from enrichment_assets.domain.phones import read_phones  # its library is large, and to check a workflow needs none

    reading = read_phones(text, country)
    if reading.fault is not None:
        return Cleaned(None, Reason(reading.fault.value))
    first, *others = reading.numbers
    said = {"type": first.type, "country": first.country, "extension": first.extension}
    details = {f"{name}_{what}": value for what, value in said.items() if value is not None}
    return Cleaned(first.number, Reason.SEVERAL if others else None, tuple(n.number for n in others), details)


def _profile(_name: str, text: str, _row: Mapping[str, Any]) -> Cleaned:
    page = linkedin_person(text)
    return Cleaned(page) if page else Cleaned(None, _why_no_page(text, other=linkedin_company(text)))


def _company_page(_name: str, text: str, _row: Mapping[str, Any]) -> Cleaned:
    page = linkedin_company(text)
    return Cleaned(page) if page else Cleaned(None, _why_no_page(text, other=linkedin_person(text)))


def _why_no_page(text: str, other: str | None) -> Reason:
    if other is not None:
        return Reason.WRONG_TYPE
    path = address_on("linkedin.com", text)
    return Reason.REMOVED_PAGE if path and _NAMED_PAGE.search(path) else Reason.NOT_A_PROFILE


def _host(_name: str, text: str, row: Mapping[str, Any]) -> Cleaned:
    addresses = addresses_of(text)
    if not addresses:
        return Cleaned(None, Reason.UNKNOWN_SUFFIX if "." in text else Reason.WRONG_TYPE)
    website, company = row.get("company_website"), row.get("company_name")
    both = f"{text} {website}" if isinstance(website, str) else text
    host = own_host(both, company if isinstance(company, str) else None)
    return Cleaned(host) if any(host == address.host for address in addresses) else Cleaned(None, Reason.SHARED_HOST)


def _url(_name: str, text: str, row: Mapping[str, Any]) -> Cleaned:
    addresses = addresses_of(text)
    if not addresses:
        return Cleaned(None, Reason.UNKNOWN_SUFFIX if "." in text else Reason.WRONG_TYPE)
    if linkedin_person(text) is not None:
        return Cleaned(None, Reason.WRONG_TYPE)
    if "@" in text and read_emails(text).addresses:
        host = own_host(text, row.get("company_name") if isinstance(row.get("company_name"), str) else None)
        return Cleaned(host) if host else Cleaned(None, Reason.SHARED_HOST)
    if len(addresses) == 1 and " " not in text:
        return Cleaned(text)
    pieces = [piece for piece in _PIECES.split(text) if addresses_of(piece)]
    if not pieces:
        return Cleaned(addresses[0].host)
    return Cleaned(pieces[0], Reason.SEVERAL if pieces[1:] else None, tuple(pieces[1:]))


def _company_name(_name: str, text: str, row: Mapping[str, Any]) -> Cleaned:
    folded = fold(text)
    is_stub = folded in _STUB_COMPANIES
    if (is_stub and not _is_at_host(folded, row)) or (not is_stub and folded in _EMPLOYED_BY_NOBODY):
        return Cleaned(None, Reason.SELF_EMPLOYED)
    return _text(_name, text, row)


def _is_at_host(folded: str, row: Mapping[str, Any]) -> bool:
    """Whether the row names a host that is called as the company is (`Freelancer` at freelancer.com)."""
    cells = [cell for name in ("company_domain", "company_website", "email") if isinstance(cell := row.get(name), str)]
    labels = {label for address in addresses_of(" ".join(cells)) for label in address.host.split(".")[:-1]}
    return folded.replace(" ", "") in labels


def needs_row(kind: FieldType, text: str) -> bool:
    """Whether what stands beside a text may decide what it is."""
    if kind is FieldType.PHONE:
        return not text.lstrip("' =\"").startswith("+")
    if kind is FieldType.COMPANY_NAME:
        return fold(text) in _STUB_COMPANIES
    if kind is FieldType.PERSON_NAME:
        from enrichment_assets.domain.nobody import may_be_of_nobody  # as above: the libraries of names

        return may_be_of_nobody(text)
    return kind is FieldType.HOST or (kind is FieldType.URL and "@" in text)


def _person_name(name: str, text: str, row: Mapping[str, Any]) -> Cleaned:
    if not _LETTER.search(text) or ("@" in text and " " not in text) or is_garbled(text):
        return Cleaned(None, Reason.WRONG_TYPE)
    from enrichment_assets.domain.nobody import is_listed

    if is_listed(_whole_name(name, text, row)):
        return Cleaned(None, Reason.PLACEHOLDER)
    return _text(name, text, row)


def _whole_name(name: str, text: str, row: Mapping[str, Any]) -> str:
    """The name that a cell is part of: `Sales` beside `Team` is nobody, beside `Ana` a family name."""
    if name == "full_name":
        return text
    beside = row.get("last_name" if name == "first_name" else "first_name")
    if not isinstance(beside, str) or is_no_value(beside, FieldType.PERSON_NAME):
        full = row.get("full_name")
        return full if isinstance(full, str) and text in full else text
    return f"{text} {beside.strip()}" if name == "first_name" else f"{beside.strip()} {text}"


def _text(_name: str, text: str, _row: Mapping[str, Any]) -> Cleaned:
    """Kept as it is written, without blanks around it. `true` and `FALSE` are flags of a program or a spreadsheet."""
    return Cleaned(None, Reason.WRONG_TYPE) if text in _FLAGS else Cleaned(text)


def _any(_name: str, text: str, _row: Mapping[str, Any]) -> Cleaned:
    return Cleaned(text)


def _id(_name: str, text: str, _row: Mapping[str, Any]) -> Cleaned:
    if _ROUNDED.fullmatch(text):
        return Cleaned(None, Reason.SPREADSHEET_NUMBER)
    return Cleaned(None, Reason.WRONG_TYPE) if text in _FLAGS else Cleaned(text)


def _quantity(name: str, raw: Any, kind: FieldType) -> Cleaned:
    """Counts, ranges, money, years, numbers and booleans, out of text or JSON."""
    value = _READERS[kind](raw)
    if value is None:
        return Cleaned(None, Reason.WRONG_TYPE)
    if isinstance(value, Range):
        ranged = name if kind is FieldType.RANGE else f"{name.removesuffix('_count')}_range"
        bounds = {f"{ranged}_min": value.low, f"{ranged}_max": value.high, f"{ranged}_currency": value.currency}
        details = {key: bound for key, bound in bounds.items() if bound is not None}
        if kind is FieldType.RANGE:
            return Cleaned(str(value), details=details)
        return Cleaned(None, Reason.RANGE, details={ranged: str(value), **details})
    if isinstance(value, Money):
        return Cleaned(value.amount, details={f"{name}_currency": value.currency} if value.currency else {})
    return Cleaned(value)


def of_json(name: str, raw: Any, row: Mapping[str, Any], kind: FieldType) -> Cleaned:
    """A value that is no text: numbers may stand for texts, anything else only where it is of the field's type."""
    if kind is FieldType.ANY:
        return Cleaned(raw)
    if kind in _READERS:
        return _quantity(name, raw, kind)
    if kind is FieldType.LIST:
        kept = [one for one in raw if not _is_blank(one)] if isinstance(raw, list) else []
        return Cleaned(kept) if kept else Cleaned(None, Reason.WRONG_TYPE)
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return Cleaned(None, Reason.WRONG_TYPE)
    if kind in (FieldType.ID, FieldType.WORD):
        return Cleaned(raw)
    if kind in (FieldType.PHONE, FieldType.TEXT, FieldType.COMPANY_NAME):
        number = int(raw) if isinstance(raw, float) and raw.is_integer() else raw
        return OF_TEXT[kind](name, str(number), row)
    return Cleaned(None, Reason.WRONG_TYPE)


def _is_blank(one: Any) -> bool:
    return one in (None, [], {}) or (isinstance(one, str) and is_no_value(one, FieldType.ANY))


def _read_boolean(raw: Any) -> bool | None:
    if isinstance(raw, bool):
        return raw
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(str(raw).strip().lower())


_READERS: Mapping[FieldType, Callable[[Any], Any]] = {
    FieldType.COUNT: read_count,
    FieldType.RANGE: read_range,
    FieldType.MONEY: read_money,
    FieldType.YEAR: read_year,
    FieldType.NUMBER: read_number,
    FieldType.BOOLEAN: _read_boolean,
}

OF_TEXT: Mapping[FieldType, Callable[[str, str, Mapping[str, Any]], Cleaned]] = {
    FieldType.EMAIL: _email,
    FieldType.PHONE: _phone,
    FieldType.LINKEDIN_PROFILE: _profile,
    FieldType.LINKEDIN_COMPANY: _company_page,
    FieldType.HOST: _host,
    FieldType.URL: _url,
    FieldType.PERSON_NAME: _person_name,
    FieldType.COMPANY_NAME: _company_name,
    FieldType.PLACE: _text,
    FieldType.COUNTRY: _text,
    FieldType.ID: _id,
    FieldType.WORD: _any,
    FieldType.TEXT: _text,
    FieldType.LIST: _any,
    FieldType.ANY: _any,
    **{kind: lambda name, text, _row, kind=kind: _quantity(name, text, kind) for kind in _READERS},  # type: ignore[misc]
}
