"""Local operations about places: where one is, which page is about it, who works there. Contexts in, payloads out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from enrichment_assets.domain.career import read_career
from enrichment_assets.domain.discovery import fields_of_prospect, list_in
from enrichment_assets.domain.domains import host_of
from enrichment_assets.domain.found_pages import choose_page
from enrichment_assets.domain.places import state_code, state_names
from enrichment_assets.domain.staff_members import choose_staff

_PAGES = ("staff_page_emails", "homepage_emails", "listing_emails")


def place_normalised(context: Mapping[str, Any]) -> dict[str, Any]:
    """ISO 3166-2 code and name of the state of a row, by `state` and `country`."""
    state, country = _text(context.get("state")), _text(context.get("country"))
    names, code = state_names(state, country), state_code(state, country)
    return {
        "state_code": code,
        "state_name": None if names is None else names.name,
        "country_code": code.partition("-")[0] if code else None,
    }


def page_found(context: Mapping[str, Any]) -> dict[str, Any]:
    """The page about the place among `course_page_results`, at one of `parameters.hosts`."""
    parameters = context.get("parameters")
    hosts = list_in(parameters.get("hosts")) if isinstance(parameters, Mapping) else []
    found = choose_page(
        list_in(context.get("course_page_results")),
        _text(context.get("company_name")),
        state_names(_text(context.get("state")), _text(context.get("country"))),
        [one for one in hosts if isinstance(one, str)],
    )
    site = f"https://{found.host}/" if found.is_own else None
    return {"listing_url": found.url, "host": found.host, "reason": found.reason, "own_site": site}


def staff_found(context: Mapping[str, Any]) -> dict[str, Any]:
    """The people among `people_on_pages`, with the addresses of the pages; each is known by the place and the name."""
    addresses = [one for name in _PAGES for one in list_in(context.get(name))]
    directory = host_of(_text(context.get("listing_url")))
    found = choose_staff(
        context.get("people_on_pages"),
        addresses,
        _text(context.get("company_domain")),
        [directory] if directory else [],
    )
    item = context.get("item")
    place = (item.get("company_key") or item.get("id")) if isinstance(item, Mapping) else None
    people = [fields_of_prospect(one) for one in found.people]
    return {
        "staff": [{**one, "key": f"{place}/{one['key'].rpartition('/')[2]}"} for one in people],
        "kept": len(people),
        "dropped": [{"what": what, "why": why} for what, why in found.dropped],
    }


def career_read(context: Mapping[str, Any]) -> dict[str, Any]:
    """Since when a person is at the item's company, and where of that kind before, by `jobs` and `parameters.words`."""
    parameters = context.get("parameters")
    words = list_in(parameters.get("words")) if isinstance(parameters, Mapping) else []
    career = read_career(
        context.get("jobs"), _text(context.get("company_name")), [one for one in words if isinstance(one, str)]
    )
    return {"tenure": career.tenure, "since": career.since, "previous": [asdict(one) for one in career.previous]}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
