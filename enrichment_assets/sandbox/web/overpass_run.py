"""Runs a read Overpass query over the small web's map and shows what it found, in Overpass' JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from enrichment_assets.sandbox.companies import slug
from enrichment_assets.sandbox.population import Population
from enrichment_assets.sandbox.web.courses import courses_in, known_course
from enrichment_assets.sandbox.web.maps import Element, MappedCourse, Point, mapped, parts_of
from enrichment_assets.sandbox.web.overpass_tree import BadQuery, Out, Query, Script, Statement, Step, TagFilter, Union
from enrichment_assets.sandbox.web.states import STATES, state_code

WAY_AREA, RELATION_AREA = 2_400_000_000, 3_600_000_000
"""What is added to an element's id for the id of its area."""

STATE_AREA = RELATION_AREA + 100_000
_METRES = 111_320.0
_NEAR = 2.0
"""Degrees from a state's middle within which its courses lie."""


@dataclass(frozen=True, slots=True)
class Area:
    """An area: a whole state, or a course."""

    id: int
    state: str
    course: MappedCourse | None = None


Found = Element | Area


def run(population: Population, script: Script) -> list[dict[str, Any]]:
    """The `elements` of the answer, in the order in which they are put out. Raises `BadQuery`."""
    world = _World(population, script)
    shown: list[dict[str, Any]] = []
    for statement in script.statements:
        if isinstance(statement, Out):
            shown += world.shown(statement)
        else:
            world.sets[statement.into] = world.found(statement)
    return shown


class _World:
    """The sets of one run."""

    def __init__(self, population: Population, script: Script) -> None:
        self._population = population
        self.sets: dict[str, list[Found]] = {}
        box = [float(part) for part in script.settings.get("bbox", "").split(",") if part]
        self._box = (box[0], box[1], box[2], box[3]) if len(box) == 4 else None

    def found(self, statement: Statement) -> list[Found]:
        """What one statement finds, each once."""
        if isinstance(statement, Union):
            return _once(one for member in statement.members for one in self._kept(member))
        if isinstance(statement, Step):
            return _once(self._step(statement, self.sets.get(statement.source, [])))
        if isinstance(statement, Query):
            return _once(self._areas(statement) if "area" in statement.kinds else self._elements(statement))
        raise BadQuery("line 1: parse error: 'out' cannot stand in a union")

    def shown(self, out: Out) -> list[dict[str, Any]]:
        """A set as the answer has it."""
        members = self.sets.get(out.source, [])[: out.at_most]
        if "count" in out.words:
            kinds = [one.kind for one in members if isinstance(one, Element)]
            tags = {f"{kind}s": str(kinds.count(kind)) for kind in ("node", "way", "relation")}
            return [{"type": "count", "id": 0, "tags": {**tags, "total": str(len(members))}}]
        return [_json(one, out.words) for one in members]

    def _kept(self, member: Statement) -> list[Found]:
        found = self.found(member)
        if not isinstance(member, Out) and member.into != "_":
            self.sets[member.into] = found
        return found

    def _set(self, name: str) -> list[Element]:
        """The elements of a set."""
        return [one for one in self.sets.get(name, []) if isinstance(one, Element)]

    def _step(self, step: Step, members: list[Found]) -> Iterator[Found]:
        elements = [one for one in members if isinstance(one, Element)]
        if step.name == "item":
            yield from members
        elif step.name == "map_to_area":
            for course in self._courses(members):
                yield Area(_area_id(course.boundary), course.course.state, course)
        elif step.name == ">":
            yield from parts_of(tuple(elements))
            for outer in [one.outer for one in elements if one.outer is not None]:
                yield from (outer, *parts_of((outer,)))

    def _courses(self, members: list[Found]) -> Iterator[MappedCourse]:
        """The courses of which these are the boundaries."""
        ids = {(one.kind, one.id) for one in members if isinstance(one, Element)}
        for course in self._population.mapped.values():
            if course.boundary is not None and (course.boundary.kind, course.boundary.id) in ids:
                yield course

    def _areas(self, query: Query) -> Iterator[Found]:
        if query.ids:
            yield from self._areas_by_id(query.ids)
            return
        said = {one.key: one.value for one in query.tags if one.operator == "="}
        if "leisure" in said:
            for one in self._elements(Query(("way", "relation"), query.tags, query.areas, query.area_ids, query.box)):
                for course in self._courses([one]):
                    yield Area(_area_id(course.boundary), course.course.state, course)
            return
        region = said.get("ISO3166-2", "").removeprefix("US-") or said.get("ref", "") or said.get("name", "")
        if code := state_code(region):
            yield Area(STATE_AREA + list(STATES).index(code), code)

    def _elements(self, query: Query) -> Iterator[Found]:
        areas = [[one for one in self.sets.get(name, []) if isinstance(one, Area)] for name in query.areas]
        areas += [self._areas_by_id(query.area_ids)] if query.area_ids else []
        inputs = [{_key(one) for one in self.sets.get(name, [])} for name in query.inputs]
        for course in self._candidates(query, areas):
            for element in course.elements:
                if (
                    element.kind in query.kinds
                    and all(_has(element, tag) for tag in query.tags)
                    and all(any(_is_in(element, area) for area in within) for within in areas)
                    and (not query.ids or element.id in query.ids)
                    and all(_key(element) in known for known in inputs)
                    and self._is_near(element, query)
                ):
                    yield element

    def _areas_by_id(self, ids: tuple[int, ...]) -> list[Area]:
        states = [Area(one, list(STATES)[one - STATE_AREA]) for one in ids if 0 <= one - STATE_AREA < len(STATES)]
        courses = [one for one in self._population.mapped.values() if _area_id(one.boundary) in ids]
        return states + [Area(_area_id(one.boundary), one.course.state, one) for one in courses]

    def _candidates(self, query: Query, areas: list[list[Area]]) -> Iterator[MappedCourse]:
        """The courses whose elements can be meant; each is remembered, so that what is found of it is known again."""
        within = [area for named in areas for area in named]
        if within and all(area.course is not None for area in within):
            yield from [area.course for area in within if area.course is not None]
            return
        seed = self._population.seed
        states = {area.state for area in within} or self._states_near(query)
        for state in sorted(states):
            courses = {one.slug: one for one in courses_in(seed, state, self._population.style)}
            courses |= {
                name: known_course(seed, state, name, self._population.style) for name in self._names(query, state)
            }
            for course in courses.values():
                yield self._population.mapped_course(mapped(seed, course))

    def _names(self, query: Query, state: str) -> Iterator[str]:
        """Slugs of the courses of a state that a query names, and of those that were met elsewhere in the web."""
        for tag in query.tags:
            if (
                tag.key == "name"
                and tag.operator in {"=", "~"}
                and re.search("golf|club|links", tag.value, re.IGNORECASE)
            ):
                yield slug(re.sub(r"[^\w '&.-]", "", tag.value).removeprefix("The "))
        yield from (name for known, name in self._population.met_courses if known == state)

    def _states_near(self, query: Query) -> set[str]:
        points = [point for point in self._points(query) if point is not None]
        if not points:
            return set(STATES)
        return {
            code
            for code, state in STATES.items()
            if any(abs(state.latitude - lat) < _NEAR and abs(state.longitude - lon) < _NEAR for lat, lon in points)
        }

    def _points(self, query: Query) -> Iterator[Point | None]:
        for box in (query.box, self._box):
            if box is not None:
                yield (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        if query.around is not None:
            _, name, point = query.around
            yield from (
                [point] if point else [_middle(one) for one in self.sets.get(name, []) if isinstance(one, Element)]
            )

    def _is_near(self, element: Element, query: Query) -> bool:
        for box in (query.box, self._box):
            if box is not None and not any(
                box[0] <= lat <= box[2] and box[1] <= lon <= box[3] for lat, lon in element.points
            ):
                return False
        if query.around is None:
            return True
        radius, name, point = query.around
        others = (
            [point]
            if point
            else [at for one in self.sets.get(name, []) if isinstance(one, Element) for at in one.points]
        )
        return any(_metres(at, other) <= radius for at in element.points for other in others)


def _has(element: Element, tag: TagFilter) -> bool:
    value = element.tags.get(tag.key)
    if tag.operator in {"", "!"}:
        return (value is not None) is (tag.operator == "")
    if tag.operator in {"=", "!="}:
        return (value == tag.value) is (tag.operator == "=")
    try:
        found = value is not None and re.search(tag.value, value, re.IGNORECASE if tag.ignores_case else 0) is not None
    except re.error as error:
        raise BadQuery(f"line 1: static error: Invalid regular expression: {tag.value!r}") from error
    return found is (tag.operator == "~")


def _is_in(element: Element, area: Area) -> bool:
    return area.course is None or any(area.course.holds(point) for point in element.points)


def _json(one: Found, words: frozenset[str]) -> dict[str, Any]:
    if isinstance(one, Area):
        return {"type": "area", "id": one.id, "tags": {"name": STATES[one.state].name}}
    shown: dict[str, Any] = {"type": one.kind, "id": one.id}
    lats, lons = [lat for lat, _ in one.points], [lon for _, lon in one.points]
    bounds = {"minlat": min(lats), "minlon": min(lons), "maxlat": max(lats), "maxlon": max(lons)}
    if one.kind == "node" and "ids" not in words:
        shown |= {"lat": lats[0], "lon": lons[0]}
    elif "center" in words:
        lat, lon = _middle(one)
        shown["center"] = {"lat": lat, "lon": lon}
    if one.kind != "node" and words & {"bb", "geom"}:
        shown["bounds"] = bounds
    geometry = [{"lat": lat, "lon": lon} for lat, lon in one.points]
    if one.kind == "way" and not words & {"ids", "tags"}:
        shown["nodes"] = list(one.nodes)
    if one.kind == "way" and "geom" in words:
        shown["geometry"] = geometry
    if one.outer is not None and not words & {"ids", "tags"}:
        member = {"type": "way", "ref": one.outer.id, "role": "outer"}
        shown["members"] = [{**member, "geometry": geometry} if "geom" in words else member]
    return shown if words & {"ids", "skel"} or not one.tags else {**shown, "tags": dict(one.tags)}


def _area_id(boundary: Element | None) -> int:
    if boundary is None:
        return 0
    return boundary.id + (RELATION_AREA if boundary.kind == "relation" else WAY_AREA)


def _key(one: Found) -> tuple[str, int]:
    return ("area" if isinstance(one, Area) else one.kind, one.id)


def _once(found: Iterable[Found]) -> list[Found]:
    return list({_key(one): one for one in found}.values())


def _middle(element: Element) -> Point:
    lats, lons = [lat for lat, _ in element.points], [lon for _, lon in element.points]
    return round((min(lats) + max(lats)) / 2, 7), round((min(lons) + max(lons)) / 2, 7)


def _metres(one: Point, other: Point) -> float:
    east = (one[1] - other[1]) * math.cos(math.radians(one[0]))
    return math.hypot(one[0] - other[0], east) * _METRES
