"""What an Overpass query is once it is read: statements that make sets of elements, and show them."""

from __future__ import annotations

from dataclasses import dataclass, field


class BadQuery(Exception):
    """The query is no Overpass QL that this server reads; says where and why."""


@dataclass(frozen=True, slots=True)
class TagFilter:
    """`[key]`, `[!key]`, `[key=value]`, `[key!=value]`, `[key~pattern,i]`, `[key!~pattern]`."""

    key: str
    operator: str = ""
    value: str = ""
    ignores_case: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """One statement that looks for elements.

    Attributes:
        kinds: Kinds of elements that it finds.
        tags: All of these have to hold.
        areas: Names of sets of areas, in all of which they are.
        box: South, west, north, east.
        around: Radius in metres, and a set's name or a point.
        ids: Ids that are asked for.
        inputs: Sets whose members alone count.
    """

    kinds: tuple[str, ...]
    tags: tuple[TagFilter, ...] = ()
    areas: tuple[str, ...] = ()
    area_ids: tuple[int, ...] = ()
    box: tuple[float, float, float, float] | None = None
    around: tuple[float, str, tuple[float, float] | None] | None = None
    ids: tuple[int, ...] = ()
    inputs: tuple[str, ...] = ()
    into: str = "_"


@dataclass(frozen=True, slots=True)
class Union:
    """What several statements find together."""

    members: tuple[Statement, ...]
    into: str = "_"


@dataclass(frozen=True, slots=True)
class Step:
    """`map_to_area`, `>` or `item`: a set made of a set."""

    name: str
    source: str = "_"
    into: str = "_"


@dataclass(frozen=True, slots=True)
class Out:
    """What is shown of a set: words such as `tags`, `center`, `geom`, `count`, and how many at most."""

    source: str
    words: frozenset[str]
    at_most: int | None = None


Statement = Query | Union | Step | Out


@dataclass(slots=True)
class Script:
    """A whole request: its settings and statements."""

    settings: dict[str, str] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
