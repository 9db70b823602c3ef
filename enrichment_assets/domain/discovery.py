"""The rules of discovery as payloads of local workflows: companies in search results, the page of their people, people.

Companies and prospects are objects whose keys are field names: a workflow emits them as child items. What a child has
to know of how it was found (`discovery_source`, `discovery_query`, `region`) is handed down in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.companies import own_host
from enrichment_assets.domain.company_search import choose_companies
from enrichment_assets.domain.prospects import Prospect, choose_prospects
from enrichment_assets.domain.staff_pages import choose_staff_page

HANDED_DOWN = ("discovery_source", "discovery_query", "region")
"""What an object that a step emits says of how its child was found, besides the child's fields."""


def companies_found(context: Mapping[str, Any]) -> dict[str, Any]:
    """The companies among `web_results`, and what of it was dropped, and why.

    Reads `original.query` and `original.region` (a row of a search plan), `industry`, and `parameters.not_these`.
    """
    original = _mapping(context.get("original"))
    parameters = _mapping(context.get("parameters"))
    not_these = [host for host in list_in(parameters.get("not_these")) if isinstance(host, str)]
    choice = choose_companies(list_in(context.get("web_results")), not_these)
    said = {
        "industry": context.get("industry"),
        "discovery_source": "web_search",
        "discovery_query": original.get("query"),
        "region": original.get("region"),
    }
    companies = [
        {"company_domain": one.host, "company_website": one.website, "found_at": one.found_at, **said}
        for one in choice.companies
    ]
    return {
        "companies": companies,
        "kept": len(companies),
        "dropped": [{"what": what, "why": why} for what, why in choice.dropped],
    }


def staff_page_found(context: Mapping[str, Any]) -> dict[str, Any]:
    """The page of the company's site that names its people, out of `homepage_links` and what they say."""
    host, home = _text(context.get("company_domain")), _text(context.get("homepage_url"))
    links, texts = context.get("homepage_links"), context.get("homepage_link_texts")
    page = choose_staff_page(links, own_host(home, None) or host, home, texts)
    return {"company_staff_page_url": page}


def prospects_found(context: Mapping[str, Any]) -> dict[str, Any]:
    """The prospects among `people_on_site` and the pages' addresses, and what of it was dropped, and why.

    Where `site_kind` says that the site is no company's of the kind that was searched for, nobody on it is one.
    """
    original = _mapping(context.get("original"))
    addresses = [one for name in ("staff_page_emails", "homepage_emails") for one in list_in(context.get(name))]
    host, page = _text(context.get("company_domain")), _text(context.get("homepage_url"))
    kind = _text(context.get("site_kind"))
    if kind not in (None, "company"):
        return {"prospects": [], "kept": 0, "dropped": [{"what": host, "why": f"site_of_{kind}"}]}
    found = choose_prospects(context.get("people_on_site"), addresses, host, own_host(page, None))
    said = {name: original[name] for name in HANDED_DOWN if original.get(name) is not None}
    return {
        "prospects": [{**fields_of_prospect(one), **said} for one in found.kept],
        "kept": len(found.kept),
        "dropped": [{"what": what, "why": why} for what, why in found.dropped],
    }


def listed_people_found(context: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `people_listed` who can be asked for by their id: who has an address, each once, and why not the others.

    `parameters.without_email` takes those without an address, too.
    """
    original, parameters = _mapping(context.get("original")), _mapping(context.get("parameters"))
    said = {
        "industry": context.get("industry"),
        "discovery_source": "people_search",
        "discovery_query": original.get("query"),
        "region": original.get("region"),
    }
    people: dict[str, dict[str, Any]] = {}
    dropped = []
    for person in map(_mapping, list_in(context.get("people_listed"))):
        name = person.get("apollo_person_id")
        if not isinstance(name, str) or not name:
            dropped.append({"what": None, "why": "no_id"})
        elif person.get("has_email") is not True and parameters.get("without_email") is not True:
            dropped.append({"what": name, "why": "no_address_known"})
        else:
            fields = {key: person.get(key) for key in ("apollo_person_id", "first_name", "title", "company_name")}
            people.setdefault(name, {**fields, **said})
    return {"prospects": list(people.values()), "kept": len(people), "dropped": dropped}


def fields_of_prospect(one: Prospect) -> dict[str, Any]:
    """A prospect as the fields of an item; without what is not known."""
    fields = {
        "key": one.key,
        "first_name": one.name.first_name,
        "last_name": one.name.last_name,
        "full_name": " ".join(filter(None, [one.name.full_name, one.name.suffix])) or None,
        "title": one.title,
        "email": one.email,
        "phone": one.phone,
        "linkedin_url": one.linkedin_url,
        "mailbox": one.mailbox.value if one.mailbox else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def list_in(value: Any) -> list[Any]:
    """The value where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
