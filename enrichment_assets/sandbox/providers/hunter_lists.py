"""The people whom Hunter lists for a domain, the filters of a domain search, and the free calls about both.

hunter.io/api-documentation/v2#domain-search, #email-count, #account. `seniority`, `department` and
`verification_status` take several values with commas; an entry's `verification` is there even when it is empty.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from enrichment_assets.sandbox.companies import Company
from enrichment_assets.sandbox.exchange import Call, Question, Reply, json_reply
from enrichment_assets.sandbox.people import Person

LAST_VERIFIED = "2026-05-18"
MOST_LISTED = 60
_SENIORITIES = {"entry": "junior", "manager": "senior"}
_DEPARTMENTS = {
    "c_suite": "executive",
    "engineering": "it",
    "human_resources": "hr",
    "operations": "management",
    "product_management": "management",
}
_GENERIC = ("info", "sales", "contact")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a domain search asks for; empty members ask for nothing."""

    kind: str
    seniorities: tuple[str, ...]
    departments: tuple[str, ...]
    verifications: tuple[str, ...]
    required: tuple[str, ...]

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filters:
        """The filters in a query."""

        def several(name: str) -> tuple[str, ...]:
            return tuple(part.strip() for part in query.get(name, "").split(",") if part.strip())

        return cls(
            query.get("type", ""),
            several("seniority"),
            several("department"),
            several("verification_status"),
            several("required_field"),
        )

    def said(self) -> list[str]:
        """Every filter that is set, as text: part of what a search is."""
        parts = (*self.seniorities, *self.departments, *self.verifications, *self.required)
        return [part for part in (self.kind, *parts) if part]

    def apply(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The entries that pass. Without a `type`, generic addresses come last, behind all people."""
        return [entry for entry in entries if self._passes(entry)]

    def _passes(self, entry: Mapping[str, Any]) -> bool:
        if self.kind and entry["type"] != self.kind:
            return False
        for allowed, value in (
            (self.seniorities, entry["seniority"]),
            (self.departments, entry["department"]),
            (self.verifications, entry["verification"]["status"]),
        ):
            if allowed and value not in allowed:
                return False
        return all(self._has(entry, name) for name in self.required)

    @staticmethod
    def _has(entry: Mapping[str, Any], name: str) -> bool:
        if name == "full_name":
            return bool(entry["first_name"] and entry["last_name"])
        return bool(entry.get(name))


def listing(call: Call, company: Company) -> list[dict[str, Any]]:
    """Every entry of `emails[]` that Hunter has for a company: its people, then its generic addresses."""
    known = min(company.employees // 4 + 1, MOST_LISTED)
    people = [_entry(call, call.population.colleague(company, number)) for number in range(known)]
    return people + [_generic(company, local) for local in _GENERIC[: 1 + company.employees % len(_GENERIC)]]


def email_count(call: Call) -> Question:
    """How many addresses are known: free, and needs no verified key."""
    company = call.population.company(call.query.get("company", ""), call.query.get("domain", ""))

    def work() -> Reply:
        listed = [] if call.misses(company.domain) else listing(call, company)
        kinds = Counter(entry["type"] for entry in listed)
        data = {
            "total": len(listed),
            "personal_emails": kinds["personal"],
            "generic_emails": kinds["generic"],
            "department": dict(Counter(entry["department"] for entry in listed if entry["department"])),
            "seniority": dict(Counter(entry["seniority"] for entry in listed if entry["seniority"])),
        }
        return json_reply(200, {"data": data, "meta": {"params": {"domain": company.domain}}})

    return Question("email-count", company.domain, work)


def account(call: Call) -> Question:
    """Whose key it is and what is left: free."""
    data = {
        "first_name": "Sam",
        "last_name": "Sandbox",
        "email": "sam@example.com",
        "plan_name": "Growth",
        "plan_level": 2,
        "reset_date": "2026-12-01",
        "team_id": 1,
        "calls": {"_deprecation_notice": "use requests", "used": 0, "available": 10_000},
        "requests": {"credits": {"used": 0, "available": 10_000}},
    }
    return Question("account", "", lambda: json_reply(200, {"data": data}))


def sources(company: Company) -> list[dict[str, Any]]:
    """Where an address was seen."""
    return [
        {
            "domain": company.domain,
            "uri": f"http://www.{company.domain}/team",
            "extracted_on": "2025-02-11",
            "last_seen_on": "2026-04-30",
            "still_on_page": True,
        }
    ]


def _entry(call: Call, person: Person) -> dict[str, Any]:
    is_stale = call.is_rare(person.email)
    status = "accept_all" if person.company.accepts_all else "valid"
    return {
        "value": person.email,
        "type": "personal",
        "confidence": 94 if person.email_status == "verified" else 71,
        "sources": sources(person.company),
        "first_name": person.first_name,
        "last_name": person.last_name,
        "position": person.title,
        "position_raw": person.title,
        "seniority": _SENIORITIES.get(person.seniority, "executive"),
        "department": _DEPARTMENTS.get(person.department, person.department),
        "linkedin": person.linkedin_url,
        "twitter": None,
        "phone_number": None,
        "verification": {"date": None, "status": None} if is_stale else {"date": LAST_VERIFIED, "status": status},
    }


def _generic(company: Company, local: str) -> dict[str, Any]:
    empty = ("first_name", "last_name", "position", "position_raw", "seniority", "department")
    return {
        "value": f"{local}@{company.domain}",
        "type": "generic",
        "confidence": 90,
        "sources": sources(company),
        **dict.fromkeys(empty),
        "linkedin": None,
        "twitter": None,
        "phone_number": company.phone,
        "verification": {"date": LAST_VERIFIED, "status": "valid"},
    }
