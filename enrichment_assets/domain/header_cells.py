"""What the cells of a column say about it, where its header says too little."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from enrichment_assets.domain.companies import normalise_linkedin_company
from enrichment_assets.domain.company_names import has_legal_form
from enrichment_assets.domain.domains import address_on
from enrichment_assets.domain.header_names import fold, header_names

_PERSON_PAGE = re.compile(r"^/(?:mwlite/)?(?:in|pub|profile|sales/(?:lead|people))/[^/?#]", re.IGNORECASE)
_USUAL_PAGE = re.compile(r"https?://(?:[a-z]{2,3}\.)?linkedin\.com(/[A-Za-z0-9/_-]*)")
_MOST = 0.5
_SOME = 0.3


def linkedin_field(cells: Sequence[str]) -> str | None:
    """`linkedin_url` or `company_linkedin_url` when at least half of the cells are such pages, else None."""
    pages = [page for cell in cells if (page := _linkedin_page(cell))]
    people = sum(_PERSON_PAGE.match(page) is not None for page in pages)
    companies = sum(
        _PERSON_PAGE.match(page) is None and normalise_linkedin_company(f"linkedin.com{page}") is not None
        for page in pages
    )
    if not cells or max(people, companies) < _MOST * len(cells):
        return None
    return "linkedin_url" if people >= companies else "company_linkedin_url"


def _linkedin_page(cell: str) -> str | None:
    """The path of the first page on LinkedIn that a cell has. Most are told without a look at public suffixes."""
    if (usual := _USUAL_PAGE.fullmatch(cell)) is not None:
        return usual.group(1)
    return address_on("linkedin.com", cell) if "linkedin" in cell.casefold() else None


def are_forms_of_address(cells: Sequence[str]) -> bool:
    """True when most cells are `Dr.`, `Mr.`, `Frau`, ...: the column is no job title."""
    known = header_names().forms_of_address
    return bool(cells) and sum(fold(cell) in known for cell in cells) >= _MOST * len(cells)


def are_company_names(cells: Iterable[str]) -> bool:
    """True when a good part of the names ends with a legal form (`Ltd`, `GmbH`): no people are called so."""
    names = list(cells)
    return bool(names) and sum(map(has_legal_form, names)) >= _SOME * len(names)
