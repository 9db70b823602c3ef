"""Leads: where the values of one come from; and rows of answers, whose keys are the columns that were asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from enrichment_assets.services.shapes.shape import FLAT, Shape
from enrichment_assets.services.shapes.tries import Citation

if TYPE_CHECKING:
    from enrichment_assets.services.insight import explain


@dataclass(frozen=True, slots=True)
class GivenValue(Shape):
    """One value that somebody gave for a field of a lead.

    Attributes:
        wins: It is the one that is shown.
        value: What was given.
        source: The workflow, the uploaded column, or who corrected it.
        provider: Who was called.
        fetched_at: When it was given.
        confidence: How sure the provider is, from 0 to 1.
        verdict: What counts of all that is said of an address or number, in our words.
        rule: The rule by which it competes.
        reused_from_batch: The batch whose answer it is.
        said: The verdict in the words of `said_by`.
        said_by: A workflow, or `upload`.
        kind: Of a number or an address.
        do_not_call: A register says that this number is not to be called.
        profile_version: Version of the client's profile that the workflow's request was made of; null: it reads none.
        citations: Where it stands in the inputs of the prompt that gave it; empty: it is not grounded.
        why_not: Why another one is shown.
    """

    wins: bool
    value: str | None
    source: str
    provider: str | None
    fetched_at: datetime | None
    confidence: float | None
    verdict: str | None
    rule: str | None
    reused_from_batch: str | None
    said: str | None
    said_by: str | None
    kind: str | None
    do_not_call: str | bool | None
    profile_version: int | None
    citations: tuple[Citation, ...]
    why_not: str | None


@dataclass(frozen=True, slots=True)
class LeadField(Shape):
    """All values of one field of a lead, the best first.

    Attributes:
        field: Its name.
        final: The value that is shown; null: none.
        because: Why it is that one.
        links: The values.
    """

    field: str
    final: str | None
    because: str
    links: tuple[GivenValue, ...]

    @classmethod
    def of(cls, chain: explain.Chain) -> LeadField:
        """From what the services return."""
        links = (
            GivenValue(
                wins=link.wins,
                value=link.value,
                source=link.source,
                provider=link.provider,
                fetched_at=link.fetched_at,
                confidence=link.confidence,
                verdict=link.verdict,
                rule=link.rule,
                reused_from_batch=link.reused_from_batch,
                said=link.said,
                said_by=link.said_by,
                kind=link.kind,
                do_not_call=link.do_not_call,
                profile_version=link.profile_version,
                citations=tuple(
                    Citation(one["at"], one["input"], one["quote"], one["start"]) for one in link.citations
                ),
                why_not=link.why_not,
            )
            for link in chain.links
        )
        return cls(chain.field, chain.final, chain.because, tuple(links))


@dataclass(frozen=True, slots=True)
class Row(Shape):
    """One row of a report or of an answer about careers.

    Attributes:
        columns: The keys are the columns of the report, as [models](models.md) and [analytics](analytics.md) name them.
    """

    columns: Mapping[str, Any] = field(metadata=FLAT)

    @classmethod
    def all_of(cls, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[Row]:
        """The rows of an answer."""
        return (cls(dict(zip(columns, row, strict=True))) for row in rows)
