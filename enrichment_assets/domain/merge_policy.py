"""The merge policy (`seeds/merge_policy.csv`) as the engine asks it: which rule ranks a value of a field.

`lead_values.sql` applies the same file to the same question, for every field.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from enrichment_assets.domain.contact_words import read_seed

NO_RULE = (2, 1000)


@dataclass(frozen=True, slots=True)
class Source:
    """Who gave a value: `upload`, or a `workflow` with its slug, provider and position in the pipeline.

    `of_person`: the workflow asks about the person, so that what it says of a company is of this person's.
    """

    kind: str
    workflow: str | None = None
    provider: str | None = None
    position: int = -1
    of_person: bool = True


@dataclass(frozen=True, slots=True)
class _Rule:
    source: str
    specific: int
    priority: int
    min_confidence: float | None


def place(field: str, source: Source, *, verified: bool, confidence: float | None) -> tuple[int, int]:
    """(0 for a rule of the field's own, 1 for one of all fields, 2 for none; priority): the lowest that applies."""
    names = {source.kind, source.workflow, source.provider, "verified" if verified else None}
    return min(
        (
            (rule.specific, rule.priority)
            for rule in _rules(field)
            if rule.source in names
            and (rule.min_confidence is None or (confidence is not None and confidence >= rule.min_confidence))
        ),
        default=NO_RULE,
    )


@cache
def _rules(field: str) -> tuple[_Rule, ...]:
    return tuple(
        _Rule(
            source=row["source"],
            specific=int(row["column_name"] == "*"),
            priority=int(row["priority"]),
            min_confidence=float(row["min_confidence"]) if row["min_confidence"] else None,
        )
        for row in read_seed("merge_policy")
        if row["column_name"] in (field, "*")
    )
