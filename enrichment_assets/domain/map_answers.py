"""Answers that are a piece of OpenStreetMap: its elements as the features that they are, each once.

Mappers write one thing in several ways (wiki.openstreetmap.org/wiki/Multipolygon, .../Golf_course): a relation beside
its outer way, which may repeat its tags; a pond in two ways that touch; the outline of a hazard drawn over the pond. A
count of elements counts those twice. Here elements of one kind that hold, touch or overlap each other are one feature.
What a feature is called is OpenStreetMap's: `kind` is `water`, `golf=hole`, `leisure=golf_course`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

MAP_PAYLOAD = frozenset(["features", "elements", "taken_at"])
"""What a mapping may name: `features` [{kind, tags, ids, lat, lon}], how many elements came, and the map's own time."""

MOST_ELEMENTS = 2_000
"""Elements that are looked at: pairs of areas are compared."""

MOST_STEPS = 2_000_000
"""Corners of areas that comparing all of them may pass: beyond that what could be one is taken for two."""

_MAIN_KEYS = ("golf", "leisure", "natural", "landuse", "waterway", "amenity", "building", "place")
_WATER = frozenset([
    ("golf", "water_hazard"), ("golf", "lateral_water_hazard"), ("natural", "water"), ("landuse", "reservoir"),
    ("landuse", "basin"),
])  # fmt: skip
_NO_POND = frozenset(["river", "stream", "canal", "ditch", "wastewater", "fountain", "reflecting_pool"])
"""`water=...` beside `natural=water`: a river is no body of water of its own, and a basin of a sewage plant no pond."""

Point = tuple[float, float]


def map_payload(document: Any) -> dict[str, Any]:
    """The payload of an Overpass answer: its features in the order of their first elements. Never raises.

    Args:
        document: The body: `elements` of ways and relations with tags, and with geometry (`out geom`) where areas are
            to be compared. Counts (`out count`) and nodes without tags are left out.
    """
    members = document if isinstance(document, Mapping) else {}
    elements = members.get("elements")
    listed = [one for one in elements if isinstance(one, Mapping)] if isinstance(elements, list) else []
    base = members.get("osm3s")
    shapes = _without_outer_ways([shape for one in listed[:MOST_ELEMENTS] if (shape := _shape(one)) is not None])
    return {
        "features": [_feature(group) for group in _groups(shapes)],
        "elements": len(listed),
        "taken_at": base.get("timestamp_osm_base") if isinstance(base, Mapping) else None,
    }


class _Shape:
    """One element: what it is, where it runs, and which elements are parts of it."""

    __slots__ = ("center", "id", "kind", "nodes", "parts", "rings", "tags")

    def __init__(self, identity: str, kind: str, tags: Mapping[str, str]) -> None:
        self.id = identity
        self.kind = kind
        self.tags = tags
        self.nodes: frozenset[Any] = frozenset()
        self.rings: list[list[Point]] = []
        self.parts: frozenset[str] = frozenset()
        self.center: Point | None = None

    def box(self) -> tuple[float, float, float, float]:
        """South, west, north, east of its rings."""
        points = [point for ring in self.rings for point in ring]
        latitudes, longitudes = [lat for lat, _ in points], [lon for _, lon in points]
        return min(latitudes), min(longitudes), max(latitudes), max(longitudes)


def _shape(element: Mapping[str, Any]) -> _Shape | None:
    """An element of the map that is something by its tags; None for nodes, counts, and what has no tag that says so."""
    tags, kind = element.get("tags"), element.get("type")
    if kind not in ("way", "relation") or not isinstance(tags, Mapping):
        return None
    said = {str(key): value for key, value in tags.items() if isinstance(value, str)}
    what = _kind(said)
    if what is None:
        return None
    shape = _Shape(f"{kind}/{element.get('id')}", what, said)
    lines = list(_lines(element))
    shape.rings = [line for line in lines if len(line) > 3 and line[0] == line[-1]] or _closed(lines)
    shape.nodes = frozenset(_nodes(element)) | frozenset(point for ring in shape.rings for point in ring)
    parts = element.get("members")
    if isinstance(parts, list):
        shape.parts = frozenset(f"{one.get('type')}/{one.get('ref')}" for one in parts if isinstance(one, Mapping))
    shape.center = _center(element, lines)
    return shape


def _kind(tags: Mapping[str, str]) -> str | None:
    if _WATER & set(tags.items()):
        return None if tags.get("water") in _NO_POND else "water"
    return next((f"{key}={tags[key]}" for key in _MAIN_KEYS if key in tags), None)


def _lines(element: Mapping[str, Any]) -> Iterator[list[Point]]:
    """Where a way runs, or each outer member of a relation."""
    if (line := _points(element.get("geometry"))) is not None:
        yield line
    members = element.get("members")
    for member in members if isinstance(members, list) else ():
        is_outer = isinstance(member, Mapping) and member.get("role") in ("outer", "", None)
        if is_outer and (line := _points(member.get("geometry"))) is not None:
            yield line


def _closed(lines: Sequence[list[Point]]) -> list[list[Point]]:
    """The rings that open lines make, put together by their ends: the outer ways of a large lake."""
    left, rings = [list(line) for line in lines if len(line) > 1], []
    while left:
        ring = left.pop()
        while ring[0] != ring[-1]:
            follower = next((one for one in left if ring[-1] in (one[0], one[-1])), None)
            if follower is None:
                break
            left.remove(follower)
            ring += follower[1:] if follower[0] == ring[-1] else follower[-2::-1]
        if len(ring) > 3 and ring[0] == ring[-1]:
            rings.append(ring)
    return rings


def _points(geometry: Any) -> list[Point] | None:
    if not isinstance(geometry, list):
        return None
    found = [point for one in geometry if (point := _point(one)) is not None]
    return found or None


def _point(value: Any) -> Point | None:
    if not isinstance(value, Mapping):
        return None
    lat, lon = value.get("lat"), value.get("lon")
    is_number = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (lat, lon))
    return (float(lat), float(lon)) if is_number else None  # type: ignore[arg-type]


def _nodes(element: Mapping[str, Any]) -> Iterator[Any]:
    nodes = element.get("nodes")
    yield from (one for one in nodes if isinstance(one, int)) if isinstance(nodes, list) else ()


def _center(element: Mapping[str, Any], lines: Sequence[Sequence[Point]]) -> Point | None:
    if (center := _point(element.get("center"))) is not None:
        return center
    points = [point for line in lines for point in line]
    if not points:
        return None
    latitudes, longitudes = [lat for lat, _ in points], [lon for _, lon in points]
    return (min(latitudes) + max(latitudes)) / 2, (min(longitudes) + max(longitudes)) / 2


class _Comparing:
    """Compares areas, up to `MOST_STEPS`."""

    def __init__(self) -> None:
        self._left = MOST_STEPS
        self._boxes: dict[str, tuple[float, float, float, float]] = {}

    def are_one(self, one: _Shape, other: _Shape) -> bool:
        """Whether both are of one feature: of one kind, and touching or overlapping as areas."""
        if one.kind != other.kind or not (one.rings and other.rings):
            return False
        if not one.nodes.isdisjoint(other.nodes):
            return True
        return self._boxes_meet(one, other) and (self._reaches_into(one, other) or self._reaches_into(other, one))

    def _boxes_meet(self, one: _Shape, other: _Shape) -> bool:
        south, west, north, east = self._box(one)
        its_south, its_west, its_north, its_east = self._box(other)
        return south <= its_north and its_south <= north and west <= its_east and its_west <= east

    def _box(self, shape: _Shape) -> tuple[float, float, float, float]:
        if shape.id not in self._boxes:
            self._boxes[shape.id] = shape.box()
        return self._boxes[shape.id]

    def _reaches_into(self, one: _Shape, other: _Shape) -> bool:
        """Whether a corner of one lies within the other."""
        for ring in other.rings:
            for point in (point for corners in one.rings for point in corners):
                self._left -= len(ring)
                if self._left < 0:
                    return False
                if _holds(ring, point):
                    return True
        return False


def _holds(ring: Sequence[Point], point: Point) -> bool:
    """Whether a point lies within a ring (a ray to the east crosses its border an odd number of times)."""
    lat, lon = point
    is_in = False
    for (a_lat, a_lon), (b_lat, b_lon) in pairwise(ring):
        if (a_lat > lat) != (b_lat > lat) and lon < (b_lon - a_lon) * (lat - a_lat) / (b_lat - a_lat) + a_lon:
            is_in = not is_in
    return is_in


def _without_outer_ways(shapes: Sequence[_Shape]) -> list[_Shape]:
    """Each element once, and none that is a part of another one of its kind."""
    unique = {shape.id: shape for shape in shapes}
    parts = {(shape.kind, part) for shape in unique.values() for part in shape.parts}
    return [shape for shape in unique.values() if (shape.kind, shape.id) not in parts]


def _groups(shapes: Sequence[_Shape]) -> list[list[_Shape]]:
    """The elements of each feature."""
    groups: list[list[_Shape]] = []
    comparing = _Comparing()
    for shape in shapes:
        touched = [group for group in groups if any(comparing.are_one(shape, one) for one in group)]
        merged = [one for group in touched for one in group]
        groups = [group for group in groups if not any(group is one for one in touched)]
        groups.append([*merged, shape])
    return groups


def _feature(group: Sequence[_Shape]) -> dict[str, Any]:
    first = group[0]
    counted = Counter(pair for shape in group for pair in shape.tags.items())
    tags: dict[str, str] = {}
    for (key, value), _ in counted.most_common():
        tags.setdefault(key, value)
    lat, lon = first.center or (None, None)
    return {"kind": first.kind, "tags": tags, "ids": [shape.id for shape in group], "lat": lat, "lon": lon}
