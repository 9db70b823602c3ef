"""Proposed search queries: templates like those of a system, with a reason, until a person has decided about them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from enrichment_assets.domain.search_plans import REGION, Searches

LONGEST = 120
WORKFLOW = "propose-queries"
"""The workflow whose answers are proposals."""

PIPELINE = "search-optimiser"


class State(StrEnum):
    """Where a proposal stands."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    """The next plan of the client asks it."""
    REJECTED = "rejected"


def template_of(words: Any) -> str | None:
    """The words that somebody proposes as a template, the region behind them; None: they are no query.

    What would be an operator of another kind goes: braces, control characters, addresses. A query that names a place in
    braces of its own is none of ours.
    """
    if not isinstance(words, str):
        return None
    text = " ".join(words.replace(REGION, " ").split())
    if not 3 <= len(text) <= LONGEST or not text.isprintable() or re.search(r"[{}<>\\]|://", text):
        return None
    return f'{text} "{REGION}"'


def with_accepted(searches: Searches, accepted: Iterable[tuple[str, str]]) -> Searches:
    """The searches with accepted templates, each (industry's slug, template), behind those that each industry has.

    One of an industry that there is not any more is left out, and none is asked twice.
    """
    more: dict[str, list[str]] = {}
    for industry, template in accepted:
        if industry in searches.industries and template not in searches.industries[industry].queries:
            more.setdefault(industry, []).append(template)
    if not more:
        return searches
    industries = {
        slug: one.model_copy(update={"queries": [*one.queries, *dict.fromkeys(more.get(slug, ()))]})
        for slug, one in searches.industries.items()
    }
    return searches.model_copy(update={"industries": industries})


def said_of(yields: Iterable[Mapping[str, Any]]) -> str:
    """Yields of queries as a model reads them: a line each, the best first."""
    rows = sorted(yields, key=lambda row: (-(row["grade_a"] + row["grade_b"]), -row["prospects"], row["query"]))
    return "\n".join(
        f"{row['query']}: {row['companies']} companies, {row['prospects']} prospects, {row['grade_a']} of grade A, "
        f"{row['grade_b']} of grade B, {_cost(row['cost_per_qualified'])}"
        for row in rows
    )


def _cost(value: float | None) -> str:
    return "none of them qualified" if value is None else f"{value:.4f} each of those"
