"""The merge policy (`seeds/merge_policy.csv`) as the engine asks it: which rule ranks a value of a field.

`lead_values.sql` applies the same file to the same question, for every field.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, lru_cache
from typing import Any, Literal

from enrichment_assets.domain.contact_words import read_seed

NO_RULE = (2, 1000)
_KEPT_RULES = 10_000
HUMAN_POSITION = 32767
"""A correction comes after every step."""

SourceKind = Literal["upload", "parent", "workflow", "human"]


@dataclass(frozen=True, slots=True)
class Source:
    """Who gave a value.

    `kind` is `upload`, `parent` (a child item's company), `human`, or `workflow`, with its slug, provider and position.
    `of_person`: the workflow asks about the person, so that what it says of a company is of this person's.
    """

    kind: SourceKind
    workflow: str | None = None
    provider: str | None = None
    position: int = -1
    of_person: bool = True


@dataclass(frozen=True, slots=True)
class Given:
    """The fields that one source gave, and when (of a reused answer: when it was first fetched)."""

    source: Source
    fields: Mapping[str, Any]
    fetched_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Rule:
    source: str
    specific: int
    priority: int
    min_confidence: float | None
    max_age: timedelta | None


def place(field: str, given: Given, now: datetime, *, verified: bool, confidence: float | None) -> tuple[int, int]:
    """(0 for a rule of the field's own, 1 for one of all fields, 2 for none; priority): the lowest that applies.

    Args:
        field: The field.
        given: The source of the value.
        now: A rule with a greatest age counts only for what was fetched so long before, or later.
        verified: A verifier called the value valid.
        confidence: 0 to 1; None is less than any least confidence.
    """
    return min(
        (
            (rule.specific, rule.priority)
            for rule in _rules_of(field, given.source, verified)
            if (rule.min_confidence is None or (confidence is not None and confidence >= rule.min_confidence))
            and (rule.max_age is None or (given.fetched_at is not None and given.fetched_at >= now - rule.max_age))
        ),
        default=NO_RULE,
    )


@lru_cache(_KEPT_RULES)
def _rules_of(field: str, source: Source, verified: bool) -> tuple[_Rule, ...]:
    """The rules that name this source; those of a blueprint's steps are asked for with every item."""
    names = {source.kind, source.workflow, source.provider, "verified" if verified else None}
    return tuple(rule for rule in _rules(field) if rule.source in names)


@cache
def _rules(field: str) -> tuple[_Rule, ...]:
    return tuple(
        _Rule(
            source=row["source"],
            specific=int(row["column_name"] == "*"),
            priority=int(row["priority"]),
            min_confidence=float(row["min_confidence"]) if row["min_confidence"] else None,
            max_age=timedelta(days=int(row["max_age_days"])) if row["max_age_days"] else None,
        )
        for row in read_seed("merge_policy")
        if row["column_name"] in (field, "*")
    )
