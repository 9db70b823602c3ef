"""Home pages of the simulated companies: HTML, markdown, plain text, and the values that CSS selectors find in it."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from enrichment_assets.sandbox.companies import Company
from enrichment_assets.sandbox.population import Population

STAFF_ON_PAGE = 4


def links_of(company: Company) -> list[str]:
    """Addresses that the page links to."""
    site = f"https://www.{company.domain}"
    return [f"{site}/about", f"{site}/services", f"{site}/team", f"{site}/contact", company.linkedin_url]


def headings_of(company: Company) -> dict[str, list[str]]:
    """h1 and h2 texts."""
    return {"h1": [company.name], "h2": ["What we do", "Our people", "Contact"]}


def staff_of(population: Population, company: Company) -> list[tuple[str, str]]:
    """Names and titles of the people whom the page names."""
    people = [population.colleague(company, number) for number in range(STAFF_ON_PAGE)]
    return [(person.name, person.title) for person in people]


def html_page(population: Population, company: Company) -> str:
    """The page as HTML."""
    name, about = escape(company.name), escape(company.description)
    topics = "".join(f'<li class="service">{escape(topic)}</li>' for topic in company.keywords)
    staff = "".join(
        f'<li class="member"><b>{escape(person)}</b>, {escape(title)}</li>'
        for person, title in staff_of(population, company)
    )
    links = "".join(f'<a href="{escape(link)}">{escape(link.rpartition("/")[2])}</a> ' for link in links_of(company))
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{name} | {escape(company.industry)}</title>'
        f'<meta name="description" content="{about}"></head><body><nav>{links}</nav><h1>{name}</h1>'
        f'<p class="about">{about} Founded in {company.founded}, {company.employees} people.</p>'
        f"<h2>What we do</h2><ul>{topics}</ul><h2>Our people</h2><ul>{staff}</ul>"
        f'<h2>Contact</h2><address>{escape(company.address)}<br><a href="tel:{company.phone}">{company.phone}</a> '
        f'<a href="mailto:info@{company.domain}">info@{company.domain}</a></address>'
        f"<footer>&copy; {name}</footer></body></html>"
    )


def markdown_page(population: Population, company: Company) -> str:
    """The page as markdown."""
    topics = "\n".join(f"- {topic}" for topic in company.keywords)
    staff = "\n".join(f"- **{person}**, {title}" for person, title in staff_of(population, company))
    links = " ".join(f"[{link.rpartition('/')[2]}]({link})" for link in links_of(company))
    return (
        f"# {company.name}\n\n{company.description} Founded in {company.founded}, {company.employees} people.\n\n"
        f"## What we do\n\n{topics}\n\n## Our people\n\n{staff}\n\n## Contact\n\n{company.address}  \n"
        f"{company.phone}  \n[info@{company.domain}](mailto:info@{company.domain})\n\n{links}\n"
    )


def plain_page(population: Population, company: Company) -> str:
    """The page as plain text."""
    return re.sub(
        r"^#+ |\*\*|^- |\((?:mailto|https?):[^)]*\)|[\[\]]", "", markdown_page(population, company), flags=re.MULTILINE
    )


def select(company: Company, selector: str) -> Any:
    """What a CSS selector finds; a sensible subset (tags, `.about`, `.service`, `meta`, `@href`), else null."""
    found = {
        "title": f"{company.name} | {company.industry}",
        "h1": company.name,
        "h2": headings_of(company)["h2"],
        "p": f"{company.description} Founded in {company.founded}, {company.employees} people.",
        ".about": f"{company.description} Founded in {company.founded}, {company.employees} people.",
        ".service": list(company.keywords),
        "address": company.address,
        "a": [link.rpartition("/")[2] for link in links_of(company)],
        "a @href": links_of(company),
        "a[href^='mailto:'] @href": f"mailto:info@{company.domain}",
        "a[href^='tel:'] @href": f"tel:{company.phone}",
        "meta[name=description] @content": company.description,
    }
    return found.get(
        re.sub(r"\s+", " ", selector.strip()).replace('"', "'").replace("name='description'", "name=description")
    )
