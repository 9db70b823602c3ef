"""One answer to "is this a value of that field?": a raw value in, the clean one or the reason why there is none out.

The same function judges a cell of an upload, a field of an answer, an emitted object and a person's correction, so
that what is no value acts as one nowhere. What is rejected is kept beside the fields with its reason; the cell and the
answer themselves are kept whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.cleaned import NOTHING, Cleaned, Reason, rejection
from enrichment_assets.domain.damaged_text import repaired
from enrichment_assets.domain.field_types import FIELD_TYPES, FieldType, type_of
from enrichment_assets.domain.lead_columns import LeadColumn, fits
from enrichment_assets.domain.no_value import NAMES_TOO, fold, is_no_value
from enrichment_assets.domain.value_kinds import OF_TEXT, needs_row, of_json

_AS_IT_CAME = frozenset({FieldType.ANY, FieldType.LIST, FieldType.WORD, FieldType.ID})

__all__ = ["Cleaned", "Reason", "clean", "clean_alone", "clean_fields", "rejection"]


def clean(name: str, raw: Any, row: Mapping[str, Any], kind: FieldType | None = None) -> Cleaned:
    """Judge one value.

    Args:
        name: The field.
        raw: A cell, or whatever JSON an answer has.
        row: The values beside it by field, as they came: the country by which a number is read, the host that makes
            `Freelancer` a company.
        kind: Type of the field, where the caller knows it (default: by the table, else free).

    Never raises.
    """
    kind = kind or FIELD_TYPES.get(name, FieldType.ANY)
    if isinstance(raw, str):
        text = _written(raw, kind)
        if not text:
            return NOTHING if not raw.strip() else Cleaned(None, Reason.PLACEHOLDER)
        if is_no_value(text, kind) and not _is_meant(name, text, row, kind):
            return Cleaned(None, Reason.PLACEHOLDER)
        return OF_TEXT[kind](name, text, row)
    if raw is None or raw == [] or raw == {}:
        return NOTHING
    return of_json(name, raw, row, kind)


def clean_alone(name: str, text: str) -> Cleaned | None:
    """Judge a text of an identity field by itself; None: the rest of its row decides, ask `clean`. Never raises."""
    kind = FIELD_TYPES[name]
    stripped = _written(text, kind)
    if not stripped:
        return NOTHING if not text.strip() else Cleaned(None, Reason.PLACEHOLDER)
    if needs_row(kind, stripped):
        return None
    if not (kind is FieldType.EMAIL and "@" in stripped) and is_no_value(stripped, kind):
        ambiguous = kind in (FieldType.PERSON_NAME, FieldType.COUNTRY)
        return None if ambiguous else Cleaned(None, Reason.PLACEHOLDER)
    return OF_TEXT[kind](name, stripped, {})


def clean_fields(
    raw: Mapping[str, Any],
    types: Mapping[str, FieldType] | None = None,
    columns: Mapping[str, LeadColumn] | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Judge the fields of one answer by each other: what competes, and what does not with its reason.

    What a value says besides (`phone_country`, `company_employee_range`) becomes a field where the answer has none. A
    value that is none of its field's column (`columns`: what the workflow declares) does not compete either.
    """
    fields: dict[str, Any] = {}
    rejected: dict[str, Any] = {}
    details: dict[str, Any] = {}
    for name, value in raw.items():
        cleaned = clean(name, value, raw, type_of(name, types))
        if columns and cleaned.value is not None and name in columns and not fits(columns[name].type, cleaned.value):
            cleaned = Cleaned(reason=Reason.WRONG_TYPE)
        if cleaned.value is not None:
            fields[name] = cleaned.value
        if (entry := rejection(value, cleaned)) is not None:
            rejected[name] = entry
        details.update(cleaned.details)
    return {**details, **fields}, rejected


def _written(raw: str, kind: FieldType) -> str:
    """The text as it was meant, without blanks around it; what is an answer of no type of ours stays as it came."""
    text = raw.strip()
    return text if kind in _AS_IT_CAME else repaired(text).strip()


def _is_meant(name: str, text: str, row: Mapping[str, Any], kind: FieldType) -> bool:
    """Whether the row makes a value of what is a placeholder on its own."""
    if kind is FieldType.PERSON_NAME and fold(text) in NAMES_TOO and text.isalpha():
        beside = row.get("last_name" if name == "first_name" else "first_name")
        return (
            isinstance(beside, str) and beside.isalpha() and _case(beside) == _case(text) and fold(beside) != fold(text)
        )
    if kind is FieldType.COUNTRY and text == "NA":
        return _is_in_namibia(row)
    return False


def _case(text: str) -> str:
    """`upper` or `lower` where a whole list is written so; a name in the same writing is no program's `null`."""
    return "upper" if text.isupper() else "lower" if text.islower() else "title"


def _is_in_namibia(row: Mapping[str, Any]) -> bool:
    """Namibia's code is what programs write for nothing: a number or an address there says which."""
    phone = "".join(sign for sign in str(row.get("phone") or "") if sign in "+0123456789")
    hosts = (
        str(row.get(name) or "").rstrip("/ ").casefold() for name in ("email", "company_domain", "company_website")
    )
    return phone.startswith(("+264", "00264")) or any(host.endswith(".na") for host in hosts)
