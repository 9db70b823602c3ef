"""Search plans: the queries that are put to search engines to find companies, one row each, made from templates.

Industries times regions times templates, page by page: the first page of each query stands before the second of any, so
that a launch's target is reached with the best results. A plan is an upload like any other: a person can make or change
one by hand, with the column `query` and perhaps `industry`, `region` and `page`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.parts import Part
from enrichment_assets.domain.suggestions import instead
from enrichment_assets.domain.workflow import Slug

REGION = "{region}"
_LONGEST = 120


class Industry(Part):
    """One kind of company: its name for people, and what is searched for."""

    title: str = Field(min_length=1)
    queries: list[Annotated[str, StringConstraints(min_length=1)]] = Field(min_length=1)


class Searches(Part):
    """Search templates, and the pipeline that takes the plans made of them."""

    slug: Slug
    title: str
    pipeline: Slug
    region_in_query: bool = Field(default=True, description="else the region is a filter of its own of the search")
    results: int = Field(default=10, ge=1, le=100, description="companies that one page of results leads to at most")
    most_pages: int = Field(default=10, ge=1, le=50, description="pages of one query")
    industries: dict[Slug, Industry] = Field(min_length=1)

    @model_validator(mode="after")
    def _queries_name_the_region(self) -> Searches:
        for query in (query for industry in self.industries.values() for query in industry.queries):
            if (REGION in query) is not self.region_in_query:
                has = "does not say where" if self.region_in_query else "says where"
                raise ValueError(f"{query!r} {has} {REGION} goes")
        return self


@dataclass(frozen=True, slots=True)
class PlannedSearch:
    """One row of a plan, in the order of its columns."""

    query: str
    industry: str
    region: str
    page: int


def plan_searches(
    searches: Searches, industries: Sequence[str], regions: Sequence[str], target: int
) -> list[PlannedSearch]:
    """The rows of a plan: as many pages of each query as the target takes, were each company to have one prospect.

    Args:
        searches: The templates.
        industries: Their slugs; none: all.
        regions: As they are to stand in the queries (`Boston, MA`).
        target: How many prospects are wanted.

    Raises:
        ConfigurationError: No region, one that no query can hold, or an industry without templates.
    """
    for slug in industries:
        if slug not in searches.industries:
            raise ConfigurationError(
                f"{searches.slug} has no industry {slug!r}: {instead(slug, searches.industries)}",
                code="discovery.industry_unknown",
            )
    places = list(dict.fromkeys(map(_region, regions)))
    if not places:
        raise ConfigurationError("a plan needs a region to search in", code="discovery.region_missing")
    chosen = [searches.industries[slug] for slug in dict.fromkeys(industries or searches.industries)]
    first = [(q.replace(REGION, place), one.title, place) for one in chosen for place in places for q in one.queries]
    pages = min(searches.most_pages, max(1, -(-target // (len(first) * searches.results))))
    return [PlannedSearch(*row, page) for page in range(1, pages + 1) for row in first]


def plan_file(rows: Iterable[PlannedSearch]) -> bytes:
    """A plan as CSV (UTF-8, header first): equal plans are equal bytes, so that a plan is uploaded once."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([one.name for one in fields(PlannedSearch)])
    writer.writerows(astuple(row) for row in rows)
    return out.getvalue().encode()


def _region(text: str) -> str:
    """A region as a query holds it, between quotes: one line, without quotes of its own."""
    region = " ".join(text.replace('"', " ").split())
    if not region or len(region) > _LONGEST:
        raise ConfigurationError(
            f"{text[:50]!r} is no region: one line of at most {_LONGEST} characters", code="discovery.region_invalid"
        )
    return region
