"""What OpenStreetMap has of each golf course: its boundary, holes and water, with the habits and gaps of real mapping.

A hazard is tagged `golf=water_hazard` or `golf=lateral_water_hazard`, or it is a pond that is only `natural=water`. A
pond can be split in two ways that touch, or stand there as a relation and as its outer way. A pond beyond the fence is
no hazard. Of a course without `golf=hole`, no water says nothing (wiki.openstreetmap.org/wiki/Golf_course).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from enrichment_assets.sandbox.seeded_random import SeededRandom, digest
from enrichment_assets.sandbox.web.courses import Course
from enrichment_assets.sandbox.web.states import STATES

MAPPINGS = (*("full",) * 60, *("water",) * 12, *("boundary",) * 16, *("absent",) * 12)
"""How well a course is mapped, by share of a hundred: everything, water but no hole, its boundary alone, nothing."""

HALF = 0.005
"""Degrees from a course's middle to its fence, in each direction."""

MOST_PONDS = 9
_POND = 0.0004
_WATER = (
    *({"golf": "water_hazard", "natural": "water", "water": "pond"},) * 7,
    *({"golf": "lateral_water_hazard"},) * 5,
    *({"natural": "water"},) * 8,
)

Point = tuple[float, float]
"""Latitude and longitude."""


@dataclass(frozen=True, slots=True)
class Element:
    """One element of the map.

    Attributes:
        kind: node, way or relation.
        points: Where a way runs, a closed one to its first point again; of a node where it is; of a relation those of
            its outer way.
        outer: Of a relation: its outer way.
    """

    kind: str
    id: int
    tags: Mapping[str, str]
    points: tuple[Point, ...]
    outer: Element | None = None

    @property
    def nodes(self) -> tuple[int, ...]:
        """Ids of a way's nodes."""
        last = len(self.points) - 1
        ids = [self.id * 100 + number for number in range(len(self.points))]
        return tuple(ids[:last] + ids[:1]) if self.points[0] == self.points[-1] else tuple(ids)


@dataclass(frozen=True, slots=True)
class MappedCourse:
    """A course on the map, and what is true of it, mapped or not.

    Attributes:
        mapping: One of `MAPPINGS`.
        ponds: Bodies of water that are on the course.
        mapped_ponds: Bodies of water that the map shows on it, a split or doubled one once.
        boundary: The element that is the course; None where the map has none.
        elements: All of its elements, and those beyond its fence.
    """

    course: Course
    mapping: str
    middle: Point
    ponds: int
    mapped_ponds: int
    boundary: Element | None
    elements: tuple[Element, ...]

    def holds(self, point: Point) -> bool:
        """Whether a point is on the course."""
        return all(abs(at - middle) <= HALF for at, middle in zip(point, self.middle, strict=True))


@lru_cache(maxsize=4_000)
def mapped(seed: int, course: Course) -> MappedCourse:
    """A course as the map has it."""
    rng = SeededRandom(seed, "map", course.host)
    state = STATES[course.state]
    middle = (round(state.latitude + rng.roll() - 0.5, 5), round(state.longitude + rng.roll() - 0.5, 5))
    mapping, ponds = rng.pick(MAPPINGS), rng.between(0, MOST_PONDS)
    make = _Maker(seed, course)
    boundary = make.boundary(rng, middle) if mapping != "absent" else ()
    water = [make.pond(rng, _cell(middle, number)) for number in range(ponds)] if mapping in {"full", "water"} else []
    elements: list[Element] = [*boundary, *(part for pond in water for part in pond)]
    if mapping == "full":
        elements += [make.hole(number, middle) for number in range(1, course.holes + 1)]
    if mapping != "absent" and rng.chance(0.5):
        beyond = (middle[0] + HALF + 0.0015, middle[1])
        elements.append(make.way({"natural": "water"}, _round_about(beyond, _POND)))
    return MappedCourse(course, mapping, middle, ponds, len(water), boundary[0] if boundary else None, tuple(elements))


class _Maker:
    """Makes the elements of one course; each gets an id of its own."""

    def __init__(self, seed: int, course: Course) -> None:
        self._course = course
        self._first = int.from_bytes(digest(seed, "osm", course.host, size=5), "big") % 10**9 * 1000
        self._made = 0

    def way(self, tags: Mapping[str, str], points: tuple[Point, ...]) -> Element:
        self._made += 1
        return Element("way", self._first + self._made, tags, points)

    def relation(self, tags: Mapping[str, str], outer: Element) -> Element:
        self._made += 1
        return Element("relation", self._first + self._made, {"type": "multipolygon", **tags}, outer.points, outer)

    def boundary(self, rng: SeededRandom, middle: Point) -> tuple[Element, ...]:
        """The course, a way or a relation; with the relation its outer way, which may say the same again."""
        tags = {"leisure": "golf_course", "name": self._name(rng), "golf:course": f"{self._course.holes}_hole"}
        fence = _round_about(middle, HALF)
        if rng.chance(0.8):
            return (self.way(tags, fence),)
        outer = self.way(tags if rng.chance(0.5) else {}, fence)
        return self.relation(tags, outer), outer

    def pond(self, rng: SeededRandom, middle: Point) -> tuple[Element, ...]:
        """One body of water: a way, two that touch, or a relation and its outer way."""
        tags, shape = rng.pick(_WATER), rng.roll()
        if shape < 0.1:
            west, east = (middle[0], middle[1] - _POND), (middle[0], middle[1] + _POND)
            return self.way(tags, _round_about(west, _POND)), self.way(tags, _round_about(east, _POND))
        one = self.way(tags, _round_about(middle, _POND))
        return (self.relation(tags, one), one) if shape < 0.18 else (one,)

    def hole(self, number: int, middle: Point) -> Element:
        """The line of play of a hole."""
        tee = (middle[0] - HALF + 0.0002 * number, middle[1] - HALF + 0.0002 * number)
        return self.way({"golf": "hole", "ref": str(number), "par": "4"}, (tee, (tee[0] + 0.001, tee[1])))

    def _name(self, rng: SeededRandom) -> str:
        """As mappers write it: mostly as it is called, else without its last word, or with an article."""
        name, shape = self._course.name, rng.roll()
        if shape < 0.06 and len(name.split()) > 2:
            return name.rpartition(" ")[0]
        return f"The {name}" if shape < 0.1 and not name.startswith("The ") else name


def parts_of(elements: tuple[Element, ...]) -> Iterator[Element]:
    """The nodes of ways."""
    for element in elements:
        if element.kind == "way":
            for identity, point in dict(zip(element.nodes, element.points, strict=True)).items():
                yield Element("node", identity, {}, (point,))


def _cell(middle: Point, number: int) -> Point:
    """A place of its own on the course, far from the next one."""
    row, column = divmod(number, 3)
    return round(middle[0] + 0.003 * (row - 1), 6), round(middle[1] + 0.003 * (column - 1), 6)


def _round_about(middle: Point, half: float) -> tuple[Point, ...]:
    """A closed square."""
    lat, lon = middle
    corners = ((lat - half, lon - half), (lat - half, lon + half), (lat + half, lon + half), (lat + half, lon - half))
    shown = tuple((round(a, 7), round(b, 7)) for a, b in corners)
    return (*shown, shown[0])
