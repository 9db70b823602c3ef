"""Tables that bring leads by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.services.sources import checking, looking, table_sources
    from enrichment_assets.store.sources import table_sources as store


@dataclass(frozen=True, slots=True)
class Source(Shape):
    """A table that brings leads.

    Attributes:
        name: By which it is known.
        client: Whose leads they are.
        pipeline: What they go through.
        table: The table of the workspace.
        key: The column by which a row is known.
        where: Column and value of the rows that are taken.
        map: Column and identity field; an empty one: it is none.
        done: Column and value that a row gets when it is through.
        failed: Column and value where a step of it failed.
        reason: The column that is told why; null: none is.
        every: Seconds between two looks.
        at_most: Rows that are taken at a look.
        gather: `hour` or `day`: rows of the same one share a batch.
        created_at: Since when there is the source.
        paused_at: Since when no rows are taken; null: they are.
        next_look_at: When it is looked at next.
        looked_at: When it was looked at last, to the end; null: it was not.
        problem: Why the last look could not be finished; null: it could.
        under_way: Rows that were taken and have not ended.
        ended: How many rows ended how: `done`, `failed`, `gone` (the row is no more), `changed` (by others meanwhile).
    """

    name: str
    client: str
    pipeline: str
    table: str
    key: str
    where: Mapping[str, str]
    map: Mapping[str, str]
    done: Mapping[str, str]
    failed: Mapping[str, str]
    reason: str | None
    every: float
    at_most: int
    gather: str
    created_at: datetime
    paused_at: datetime | None
    next_look_at: datetime
    looked_at: datetime | None
    problem: str | None
    under_way: int
    ended: Mapping[str, int]

    @classmethod
    def of(cls, one: store.Source) -> Source:
        """From what the services return."""
        said = one.definition
        return cls(
            one.name,
            one.client,
            one.pipeline,
            said.table,
            said.key,
            dict(said.where),
            dict(said.mapping),
            dict(said.done),
            dict(said.failed),
            said.reason,
            said.every,
            said.at_most,
            said.gather.value,
            one.created_at,
            one.paused_at,
            one.next_look_at,
            one.looked_at,
            one.problem,
            one.under_way,
            dict(one.ended),
        )


@dataclass(frozen=True, slots=True)
class SourceRow(Shape):
    """A row that was taken and has not ended.

    Attributes:
        key: Its key; null: it named somebody who was erased.
        job_id: The number of its item; null: it could not be read, and its table is told so.
        batch: The batch that has it.
        since: When it was taken.
    """

    key: str | None
    job_id: int | None
    batch: str
    since: datetime

    @classmethod
    def of(cls, one: table_sources.RowUnderWay) -> SourceRow:
        """From what the services return."""
        return cls(one.key, one.job_id, one.batch, one.since)


@dataclass(frozen=True, slots=True)
class SourceDetail(Shape):
    """A table that brings leads, with its rows under way.

    Attributes:
        source: The source.
        rows: Rows of it that were taken and have not ended, the oldest first, at most twenty.
    """

    source: Source
    rows: tuple[SourceRow, ...]


@dataclass(frozen=True, slots=True)
class SourceColumn(Shape):
    """A column that is read.

    Attributes:
        name: Its name.
        type: Its type.
        field: The identity field that it is; null: it is a cell by its name alone.
    """

    name: str
    type: str
    field: str | None


@dataclass(frozen=True, slots=True)
class SourceCheck(Shape):
    """What a source would meet.

    Attributes:
        source: Its name.
        table: The table's name with its schema; null: there is none.
        columns: What is read of it.
        matching: Rows that would be taken.
        counted_to: Where counting ends: `matching` may be more.
        problems: What is wrong, in sentences.
    """

    source: str
    table: str | None
    columns: tuple[SourceColumn, ...]
    matching: int
    counted_to: int
    problems: tuple[str, ...]

    @classmethod
    def of(cls, name: str, one: checking.Checked) -> SourceCheck:
        """From what the services return."""
        columns = tuple(SourceColumn(column.name, column.type, column.field) for column in one.columns)
        return cls(name, one.table, columns, one.matching, one.counted_to, one.problems)


@dataclass(frozen=True, slots=True)
class SourceLook(Shape):
    """What one look at a source did.

    Attributes:
        source: Its name.
        taken: Rows that became leads.
        rejected: Rows that cannot be read; their table is told so.
        batch: The batch that has them; null: none were taken.
        ended: How many rows ended how.
        problem: Why the look could not be finished; null: it was.
        busy: Somebody else looks at it right now: nothing was done.
    """

    source: str
    taken: int
    rejected: int
    batch: str | None
    ended: Mapping[str, int]
    problem: str | None
    busy: bool

    @classmethod
    def of(cls, one: looking.Look) -> SourceLook:
        """From what the services return."""
        ended = {end.value: count for end, count in one.ended.items()}
        return cls(one.source, one.taken, one.rejected, one.batch, ended, one.problem, one.busy)
