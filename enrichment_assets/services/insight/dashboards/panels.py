"""What a dashboard is made of: bars with their parts, and the table that says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """Over what a dashboard is: batches of a client or of all, launched from `since` on and before `until`."""

    client: str | None = None
    batch: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar. `kind`: what it means, by which it is coloured (`found`, `none`, `asked`, `failed` ...)."""

    kind: str
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it is called, its parts side by side, and the text at its end."""

    label: str
    parts: Sequence[Part]
    note: str

    @property
    def total(self) -> float:
        """The length of it."""
        return sum(part.value for part in self.parts)


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart and its table.

    Attributes:
        key: Its place in the page.
        title: What it shows.
        says: The same in a sentence, with the unit.
        bars: In order; none: there is nothing yet.
        columns: Of the table.
        rows: Of the table, whole, where the chart shows the first bars only.
        full: What fills the width; None: the longest bar does.
        report: The named report with the same rows batch by batch; None: there is none.
    """

    key: str
    title: str
    says: str
    bars: Sequence[Bar]
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    full: float | None = None
    report: str | None = None

    @property
    def width(self) -> float:
        """The value that fills the width; never nothing."""
        return self.full or max((bar.total for bar in self.bars), default=0) or 1

    @property
    def legend(self) -> list[Part]:
        """The first part of each kind."""
        found: dict[str, Part] = {}
        for bar in self.bars:
            for part in bar.parts:
                found.setdefault(part.kind, part)
        return list(found.values())
