"""Apollo's phone numbers: revealed ones, those of a waterfall, those of a contact.

docs.apollo.io/docs/retrieve-mobile-phone-numbers-for-contacts and answers that users published. `status_cd` is
valid_number, no_status or invalid_number; `type_cd` mobile, work_direct, work_hq, other or null; `dnc_status_cd`
not_found, found (the number is on a do-not-call list) or null. `position` ranks them, whatever their order in the list.
"""

from __future__ import annotations

from typing import Any

from enrichment_assets.sandbox.exchange import Call
from enrichment_assets.sandbox.people import Person

_CHECKED = "2026-03-14T08:15:30.123+00:00"


def revealed(call: Call, identity: str, found: Person) -> list[dict[str, Any]]:
    """`phone_numbers[]` of a phone reveal; empty when no mobile number is known."""
    if not found.has_mobile:
        return []
    if not call.is_rare(identity):
        checked = call.population.rng("do not call", identity).chance(0.5)
        return [_number(found.mobile, dnc="not_found" if checked else None)]
    return call.population.rng("phones", identity).pick(_RARE)(found)


def by_waterfall(found: Person) -> list[dict[str, Any]]:
    """`phone_numbers[]` of a waterfall: neither type nor confidence, status unknown."""
    if not found.has_mobile:
        return []
    return [_number(found.mobile, kind=None, status="no_status", confidence=None)]


def of_contact(found: Person) -> list[dict[str, Any]]:
    """`phone_numbers[]` of a contact, under its own member names."""
    return [
        {
            "raw_number": found.company.phone,
            "sanitized_number": e164(found.company.phone),
            "type": "work_hq",
            "position": 0,
            "status": "no_status",
            "dnc_status": None,
            "dnc_other_info": None,
            "dialer_flags": {"country_name": found.company.country, "high_risk_calling_enabled": False},
        }
    ]


def e164(number: str) -> str:
    """A phone number as E.164 writes it."""
    return "+" + "".join(digit for digit in number if digit.isdigit())


def _number(
    raw: str | None,
    *,
    kind: str | None = "mobile",
    status: str = "valid_number",
    confidence: str | None = "high",
    dnc: str | None = None,
    position: int = 0,
) -> dict[str, Any]:
    return {
        "raw_number": raw,
        "sanitized_number": None if raw is None else e164(raw),
        "type_cd": kind,
        "status_cd": status,
        "confidence_cd": confidence,
        "dnc_status_cd": dnc,
        "dnc_status_updated_at": None if dnc is None else _CHECKED,
        "dnc_other_info": None if dnc is None else {"country": "US"} if dnc == "found" else {},
        "direct_dial_source_cd": None,
        "position": position,
    }


def _invalid_first(found: Person) -> list[dict[str, Any]]:
    dead = _number(f"{found.mobile[:-1]}x", kind="other", status="invalid_number", confidence="low")
    dead["sanitized_number"] = e164(found.mobile)[:-1]
    return [dead, _number(found.mobile, position=1)]


def _switchboard_first(found: Person) -> list[dict[str, Any]]:
    return [_number(found.company.phone, kind="work_hq"), _number(found.mobile, position=1)]


def _listed_out_of_rank(found: Person) -> list[dict[str, Any]]:
    second = _number(found.company.phone, kind="work_direct", status="no_status", confidence=None, position=1)
    return [second, _number(found.mobile, position=0)]


def _do_not_call(found: Person) -> list[dict[str, Any]]:
    return [_number(found.mobile, dnc="found")]


def _nothing_first(found: Person) -> list[dict[str, Any]]:
    return [_number(None), _number(found.mobile, position=1)]


def _direct_line_only(found: Person) -> list[dict[str, Any]]:
    return [_number(found.mobile, kind="work_direct", status="no_status", confidence=None, dnc="not_found")]


_RARE = (_invalid_first, _switchboard_first, _listed_out_of_rank, _do_not_call, _nothing_first, _direct_line_only)
