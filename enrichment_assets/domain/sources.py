"""What brings leads one after another: a table of the workspace, the HTTP API, somebody by hand; and how it is said.

Such leads are gathered into one open batch for each client, source, pipeline and hour (or day): docs/adr/0048.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from enrichment_assets.domain.durations import parse_duration
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.suggestions import instead

BY_HAND = "by-hand"
API = "api"
RESERVED_NAMES = frozenset({API, BY_HAND})
"""What leads come from that no table brings; no source may be called so."""

MOST_AT_A_TIME = 10_000
"""Rows that are taken at once, at most."""

SHORTEST, LONGEST = 5.0, 86_400.0
"""Seconds between two looks at a table; a sensor has a floor of five."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


class Window(StrEnum):
    """How long a batch stays open for further rows."""

    HOUR = "hour"
    DAY = "day"


class RowEnd(StrEnum):
    """How a row that was taken ended."""

    DONE = "done"
    """Its table says so: whatever its steps found, skipped or did not find."""
    FAILED = "failed"
    """A step of it failed or was cancelled, or the row could not be read; its table says so."""
    GONE = "gone"
    """The row is not in its table any more: nothing was written."""
    CHANGED = "changed"
    """Somebody else has changed what it was chosen by: nothing was written."""


@dataclass(frozen=True, slots=True)
class TableSource:
    """A table of the workspace and how its rows are chosen, read and written back: columns and values, never SQL.

    Attributes:
        table: Its name, perhaps with its schema.
        key: The column by which a row is known.
        where: Column -> value of the rows that are taken.
        done: Column -> value that a row gets when it is through.
        failed: Column -> value where a step of it failed.
        mapping: Column -> identity field, or "" for none.
        reason: The column that is told why a row failed; it is emptied where one is done.
        every: Seconds between two looks.
        at_most: Rows that are taken at a look.
        gather: How long a batch stays open.

    Raises:
        ConfigurationError: What is said cannot be.
    """

    table: str
    key: str
    where: Mapping[str, str]
    done: Mapping[str, str]
    failed: Mapping[str, str]
    mapping: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None
    every: float = 60.0
    at_most: int = 500
    gather: Window = Window.HOUR

    def __post_init__(self) -> None:
        if not self.where:
            raise ConfigurationError(
                "say which rows are taken: a column and the value that it has", code="source.where_missing"
            )
        for name, assigned in (("done", self.done), ("failed", self.failed)):
            self._check_assigned(name, assigned)
        for column, wanted in self.mapping.items():
            if wanted and wanted not in IDENTITY_FIELDS:
                raise ConfigurationError(
                    f"{column!r} cannot be mapped to {wanted!r}: {instead(wanted, IDENTITY_FIELDS)}",
                    code="source.field_unknown",
                )
        if not SHORTEST <= self.every <= LONGEST:
            raise ConfigurationError(
                f"a table is looked at every {SHORTEST:g} seconds to {LONGEST / 3600:g} hours, not every "
                f"{self.every:g} seconds",
                code="source.every_invalid",
            )
        if not 1 <= self.at_most <= MOST_AT_A_TIME:
            raise ConfigurationError(
                f"1 to {MOST_AT_A_TIME:,} rows are taken at a time, not {self.at_most:,}", code="source.at_most_invalid"
            )

    def _check_assigned(self, name: str, assigned: Mapping[str, str]) -> None:
        if not any(column in assigned and assigned[column] != value for column, value in self.where.items()):
            chosen = " and ".join(f"{column}={value}" for column, value in self.where.items())
            raise ConfigurationError(
                f"{name}: a row would be taken again and again: give one of its columns ({chosen}) another value",
                code="source.never_ends",
            )
        for column in (self.key, self.reason):
            if column in assigned:
                raise ConfigurationError(
                    f"{name}: {column!r} is the key or the column for the reason, and gets no value",
                    code="source.column_twice",
                )

    @property
    def columns(self) -> list[str]:
        """The columns that are named, each once: those that have to be there."""
        named = [self.key, *self.where, *self.done, *self.failed, *self.mapping, *filter(None, [self.reason])]
        return list(dict.fromkeys(named))

    def kept(self) -> dict[str, Any]:
        """What is kept of it in HQ."""
        return {
            "table": self.table,
            "key": self.key,
            "where": dict(self.where),
            "map": dict(self.mapping),
            "done": dict(self.done),
            "failed": dict(self.failed),
            "reason": self.reason,
            "every": self.every,
            "at_most": self.at_most,
            "gather": self.gather.value,
        }

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> TableSource:
        """What `kept` came from."""
        return cls(
            table=kept["table"],
            key=kept["key"],
            where=kept["where"],
            done=kept["done"],
            failed=kept["failed"],
            mapping=kept["map"],
            reason=kept["reason"],
            every=kept["every"],
            at_most=kept["at_most"],
            gather=Window(kept["gather"]),
        )


def checked_source_name(text: str) -> str:
    """The name, if it is one. It is part of batch keys.

    Raises:
        ConfigurationError: It is none, or stands for leads that no table brings.
    """
    if not _NAME.fullmatch(text) or text in RESERVED_NAMES:
        reserved = " and ".join(sorted(RESERVED_NAMES))
        raise ConfigurationError(
            f"{text!r} is no name of a source: lower-case letters, digits and hyphens, at most 40; not {reserved}",
            code="source.name_invalid",
        )
    return text


def seconds_of(text: str) -> float:
    """`1m` -> 60.0. Raises `ConfigurationError`."""
    found = parse_duration(text)
    if not isinstance(found, float):
        raise ConfigurationError(f"{text!r} is no duration: write 30s, 5m or 1h", code="source.duration_invalid")
    return found


def pairs_of(texts: list[str], what: str, *, blank: bool = False) -> dict[str, str]:
    r"""`["a=1,b=2", "c=3"]` -> `{"a": "1", "b": "2", "c": "3"}`; a comma in a value is written `\\,`.

    Args:
        texts: As they were given.
        what: What they are, for the error.
        blank: Whether a value may be empty.

    Raises:
        ConfigurationError: One of them is no pair, or a column stands twice.
    """
    found: dict[str, str] = {}
    for part in (part for text in texts for part in re.split(r"(?<!\\),", text)):
        column, equals, value = part.partition("=")
        column, value = column.strip(), value.strip().replace("\\,", ",")
        if not equals or not column or not (value or blank):
            raise ConfigurationError(f"{what} takes COLUMN=VALUE, not {part!r}", code="source.pair_invalid")
        if column in found:
            raise ConfigurationError(f"{what} names the column {column!r} twice", code="source.column_repeated")
        found[column] = value
    return found
