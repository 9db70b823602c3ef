"""People who may not be bought, called or written to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.services.people import importing, suppressing


@dataclass(frozen=True, slots=True)
class Suppression(Shape):
    """Somebody who said no.

    Attributes:
        id: Its number.
        client: For whom; null: for every client.
        kind: `email`, `domain`, `phone`, `linkedin` or `person`.
        value: Whom: masked, but with `--plain`; null: sealed with another pepper.
        reason: Why.
        actor: Who said so.
        created_at: When.
        expires_at: Until when; null: for good.
    """

    id: int
    client: str | None
    kind: str
    value: str | None
    reason: str
    actor: str
    created_at: datetime
    expires_at: datetime | None

    @classmethod
    def of(cls, one: suppressing.Suppressed) -> Suppression:
        """From what the services return."""
        return cls(one.id, one.client, one.kind, one.value, one.reason, one.actor, one.created_at, one.expires_at)


@dataclass(frozen=True, slots=True)
class SuppressionChange(Shape):
    """Somebody was suppressed, or may be asked about again.

    Attributes:
        kind: What names them.
        client: For whom; null: for every client.
        suppressions: How many were added or removed; 0: they were suppressed before.
    """

    kind: str
    client: str | None
    suppressions: int


@dataclass(frozen=True, slots=True)
class SuppressionFault(Shape):
    """A row of which nobody can be suppressed.

    Attributes:
        line: Its line in the file.
        reason: Why.
    """

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class SuppressionImport(Shape):
    """What a list of people who said no came to.

    Attributes:
        rows: Rows that were read.
        added: Identities that were not suppressed before.
        known: Identities that were.
        kinds: Kind to identities of the list.
        not_understood: Rows that name nobody.
        faults: The first of those.
    """

    rows: int
    added: int
    known: int
    kinds: Mapping[str, int]
    not_understood: int
    faults: tuple[SuppressionFault, ...]

    @classmethod
    def of(cls, report: importing.ImportReport) -> SuppressionImport:
        """From what the services return."""
        faults = tuple(SuppressionFault(fault.line, fault.reason) for fault in report.faults)
        return cls(report.rows, report.added, report.known, report.kinds, report.not_understood, faults)
