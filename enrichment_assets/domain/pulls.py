"""A pull as data: which figures of an outside service are fetched, and into which columns of which tables they go.

A pull asks questions that cost nothing and change nothing, page after page, and keeps each answer as bytes before it is
read (`services/pulls`). Tables are in the workspace; every one has `client_slug`, `pulled_at` and `raw` before its own
columns.

A stream is one kind of question:

    campaigns:
      table: instantly_campaigns_raw
      path: /api/v2/campaigns
      query: {limit: "100"}
      items: items                                   # where the list is; without it the answer is the list
      cursor: {member: next_starting_after, parameter: starting_after}
      columns: {campaign_id: id, name: name}         # column -> member of an item
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
ColumnType = Literal["text", "integer", "bigint", "numeric", "boolean", "date", "timestamptz", "jsonb"]

BUILT_IN: Mapping[str, ColumnType] = {"client_slug": "text", "pulled_at": "timestamptz", "raw": "jsonb"}
"""Columns that every table of a pull has, in order, before its own. `raw` is the item as the service gave it."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PullTable(_Part):
    """A table: what is in it, what identifies a row beside the client (nothing: one row a client), and its columns."""

    description: str
    key: tuple[Name, ...] = ()
    columns: dict[Name, ColumnType]

    @model_validator(mode="after")
    def _key_is_of_columns(self) -> PullTable:
        strange = [name for name in self.key if name not in self.columns]
        taken = [name for name in self.columns if name in BUILT_IN]
        if strange or taken:
            raise ValueError(f"no column of its own: {', '.join([*strange, *taken])}")
        return self


class Cursor(_Part):
    """How the next page is asked for. A page without items is the last: some services give a cursor with it too."""

    member: str
    parameter: str


class Each(_Part):
    """The question is asked for each value of a column of another table, or for `at_once` of them at a time.

    `column`: where the value stands in a row that answers, if the answer itself does not say.
    """

    table: Name
    value: Name
    parameter: str
    at_once: int = Field(1, ge=1, le=1_000)
    column: Name | None = None


class Days(_Part):
    """The question is about a span of days, both ends included: at most `most` of them at a time."""

    first: str
    last: str
    most: int = Field(ge=1, le=366)


class Stream(_Part):
    """One kind of question; `columns`: column of its table -> member of an item."""

    table: Name
    path: str = Field(pattern=r"^/[^?#\s]*$")
    query: dict[str, str] = Field(default_factory=dict)
    items: str | None = None
    cursor: Cursor | None = None
    each: Each | None = None
    days: Days | None = None
    columns: dict[Name, str]


class PullDefinition(_Part):
    """What is fetched from one service. Streams are asked in their order."""

    slug: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    title: str
    description: str
    provider: str
    tables: dict[Name, PullTable]
    streams: dict[Name, Stream]

    @model_validator(mode="after")
    def _streams_fit_tables(self) -> PullDefinition:
        for name, stream in self.streams.items():
            table = self.tables.get(stream.table)
            if table is None:
                raise ValueError(f"streams.{name}: there is no table {stream.table}")
            given = {*stream.columns, *([stream.each.column] if stream.each and stream.each.column else [])}
            strange = sorted(given - table.columns.keys())
            if strange:
                raise ValueError(f"streams.{name}: {stream.table} has no column {', '.join(strange)}")
            if stream.each is not None and stream.each.value not in self.tables[stream.each.table].columns:
                raise ValueError(f"streams.{name}: {stream.each.table} has no column {stream.each.value}")
        return self

    @property
    def day_streams(self) -> tuple[str, ...]:
        """Names of the streams that are about days."""
        return tuple(name for name, stream in self.streams.items() if stream.days is not None)
