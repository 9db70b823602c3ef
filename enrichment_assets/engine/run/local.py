"""Workflows of mode `local`: computed here, free, from the domain room's pure functions.

A local operation takes the item's context and returns a payload; `provides` maps the payload like any provider's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from enrichment_assets.domain.companies import domain_of_row
from enrichment_assets.domain.discovery import companies_found, listed_people_found, prospects_found, staff_page_found
from enrichment_assets.domain.domains import addresses_of, registrable_domain
from enrichment_assets.domain.emails import normalise_email
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.facts import gathered_facts
from enrichment_assets.domain.freshness import compared, replacement
from enrichment_assets.domain.linkedin_search import choose_profile, wanted
from enrichment_assets.domain.names import normalise_name
from enrichment_assets.domain.phones import normalise_phone
from enrichment_assets.domain.place_operations import career_read, page_found, place_normalised, staff_found
from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.statuses import ErrorClass
from enrichment_assets.engine.decisions.decision import Decision, completed, failed
from enrichment_assets.engine.run.prepared_step import Step

Operation = Callable[[Mapping[str, Any]], dict[str, Any]]
_SITES = ("company_domain", "company_website")


def compute(step: Step, context: Mapping[str, Any]) -> Decision:
    """Compute a local step. What cannot be computed is FAILED(contract), as with a provider."""
    operation = OPERATIONS.get(step.workflow.operation)
    if operation is None:
        known = ", ".join(sorted(OPERATIONS))
        reason = f"there is no local operation {step.workflow.operation!r} (known: {known})"
        return failed(ErrorClass.CONTRACT, reason)
    try:
        reading = step.reader.read(Answer(200, {}, b"", document=(operation(context),)))
    except ContractError as error:
        return failed(ErrorClass.CONTRACT, str(error))
    return completed(step.workflow.price, reading)


def _normalise_name(context: Mapping[str, Any]) -> dict[str, Any]:
    name = normalise_name(context.get("first_name"), context.get("last_name"), context.get("full_name"))
    return {
        "first_name": name.first_name,
        "last_name": name.last_name,
        "full_name": name.full_name,
        "prefix": name.prefix,
        "suffix": name.suffix,
        "middle": name.middle,
    }


def _normalise_domain(context: Mapping[str, Any]) -> dict[str, Any]:
    """The first of domain cell, website and e-mail address that names a company's host (not a mail or social one)."""
    cells = {name: cell for name in ("company_name", *_SITES, "email") if isinstance(cell := context.get(name), str)}
    host = domain_of_row(cells)
    said_by = (name for name in (*_SITES, "email") if any(a.host == host for a in addresses_of(cells.get(name))))
    return {
        "company_domain": host,
        "company_registrable_domain": registrable_domain(host),
        "source": next(said_by, None) if host else None,
    }


def _normalise_contact(context: Mapping[str, Any]) -> dict[str, Any]:
    email, phone, country = (context.get(name) for name in ("email", "phone", "country"))
    return {
        "email": normalise_email(email) if isinstance(email, str) else None,
        "phone": normalise_phone(phone, country if isinstance(country, str) else None)
        if isinstance(phone, str)
        else None,
    }


def _find_linkedin_profile(context: Mapping[str, Any]) -> dict[str, Any]:
    results = context.get("linkedin_search_results")
    match = choose_profile(wanted(context), results if isinstance(results, list) else [])
    return {
        "linkedin_url": match.url,
        "matched": match.matched,
        "reason": match.reason,
        "namesakes": match.namesakes,
    }


def _gather_facts(context: Mapping[str, Any]) -> dict[str, Any]:
    return {"facts": gathered_facts(context.get("facts_about_company"), context.get("facts_about_person"))}


OPERATIONS: Mapping[str, Operation] = {
    "normalise_name": _normalise_name,
    "normalise_domain": _normalise_domain,
    "normalise_contact": _normalise_contact,
    "gather_facts": _gather_facts,
    "find_linkedin_profile": _find_linkedin_profile,
    "choose_companies": companies_found,
    "find_staff_page": staff_page_found,
    "choose_listed_people": listed_people_found,
    "choose_prospects": prospects_found,
    "normalise_place": place_normalised,
    "choose_page": page_found,
    "choose_staff": staff_found,
    "read_career": career_read,
    "compare_with_known": compared,
    "choose_replacement": replacement,
}
"""Every local operation by the name that a workflow's `operation` has."""
