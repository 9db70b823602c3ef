"""What OpenStreetMap's elements are as features: each thing once, however it was drawn, and nothing that it is not.

Shapes as wiki.openstreetmap.org has them: Tag:golf=water_hazard, Tag:golf=lateral_water_hazard, Relation:multipolygon;
output of `out geom` as in wiki.openstreetmap.org/wiki/Overpass_API/Overpass_QL.
"""

from __future__ import annotations

from typing import Any

import pytest

from enrichment_assets.domain import map_answers
from enrichment_assets.domain.expressions import Expression
from enrichment_assets.domain.map_answers import map_payload
from enrichment_assets.registry.loader import builtin_workflows

POND = {"golf": "water_hazard"}
LATERAL = {"golf": "lateral_water_hazard"}
UNTAGGED = {"natural": "water"}
Element = dict[str, Any]


def square(lat: float, lon: float, half: float = 1.0) -> list[dict[str, float]]:
    corners = ((-1, -1), (-1, 1), (1, 1), (1, -1), (-1, -1))
    return [{"lat": lat + a * half, "lon": lon + b * half} for a, b in corners]


def way(number: int, tags: dict[str, str], at: tuple[float, float], half: float = 1.0, **more: Any) -> Element:
    return {"type": "way", "id": number, "tags": tags, "geometry": square(*at, half), **more}


def relation(number: int, tags: dict[str, str], *outer: Element) -> Element:
    members = [{"type": "way", "ref": one["id"], "role": "outer", "geometry": one["geometry"]} for one in outer]
    return {"type": "relation", "id": number, "tags": {"type": "multipolygon", **tags}, "members": members}


def half_ring(number: int, north: bool) -> Element:
    """A half of the shore of one lake: an open way."""
    points = square(0, 0)
    line = points[:3] if north else points[2:]
    return {"type": "way", "id": number, "geometry": line}


COURSE = way(1, {"leisure": "golf_course", "name": "Pine"}, (0, 0), 50)
HOLE = {"type": "way", "id": 2, "tags": {"golf": "hole"}}


@pytest.mark.parametrize(
    ("elements", "ponds"),
    [
        ([way(1, POND, (0, 0)), way(2, LATERAL, (9, 9)), way(3, UNTAGGED, (20, 20))], 3),
        ([way(1, POND, (0, 0)), way(2, POND, (0, 2))], 1),  # two halves that touch
        ([way(1, POND, (0, 0)), way(2, POND, (0, 2)), way(3, POND, (0, 4))], 1),  # three, in a chain
        ([way(1, POND, (0, 0)), way(2, UNTAGGED, (0.2, 0.2))], 1),  # the hazard is drawn over the pond
        ([way(1, POND, (0, 0), 3), way(2, UNTAGGED, (0, 0), 1)], 1),  # one within the other
        ([relation(9, POND, way(1, {}, (0, 0))), way(1, POND, (0, 0))], 1),  # with its outer way, which says it again
        ([way(1, POND, (0, 0)), relation(9, UNTAGGED, way(1, {}, (0, 0)))], 1),
        ([relation(9, UNTAGGED, half_ring(1, True), half_ring(2, False)), way(3, POND, (0.5, 0))], 1),  # open ways
        ([way(1, POND, (0, 0)), way(1, POND, (0, 0))], 1),  # twice in one answer
        ([way(1, POND, (0, 0)), way(2, POND, (2.5, 0))], 2),  # neighbours that do not touch
        ([way(1, {"natural": "water", "water": "river"}, (0, 0))], 0),
        ([way(1, {"natural": "water", "water": "wastewater"}, (0, 0))], 0),
        ([way(1, {"waterway": "stream"}, (0, 0)), {"type": "node", "id": 5, "tags": {"natural": "water"}}], 0),
        ([way(1, {"golf": "bunker"}, (0, 0)), {"type": "count", "tags": {"total": "4"}}], 0),
        ([{"type": "way", "id": 1, "tags": POND}, {"type": "way", "id": 2, "tags": POND}], 2),  # without geometry
        ([{"type": "way", "id": 1, "tags": POND, "geometry": [None, {"lat": "x"}]}, 7, None, {"type": 3}], 1),
    ],
)
def test_water_is_counted_by_ponds_and_not_by_drawings(elements: list[Any], ponds: int) -> None:
    features = map_payload({"elements": elements})["features"]
    assert len([one for one in features if one["kind"] == "water"]) == ponds


def test_a_feature_has_the_names_and_tags_of_all_its_elements_and_a_place() -> None:
    (pond,) = map_payload({"elements": [way(1, POND, (0, 0)), way(2, {**UNTAGGED, "name": "Big"}, (0, 1))]})["features"]
    assert (pond["kind"], pond["ids"], pond["tags"]["name"]) == ("water", ["way/1", "way/2"], "Big")
    assert (pond["lat"], pond["lon"]) == (0, 0)
    body = {"elements": [COURSE], "osm3s": {"timestamp_osm_base": "2026-11-01T00:00:00Z"}}
    assert map_payload(body)["taken_at"] == "2026-11-01T00:00:00Z"
    for nothing in (None, [], "text", {"elements": "none"}):
        assert map_payload(nothing)["features"] == []


@pytest.mark.parametrize(
    ("elements", "count", "confidence", "coverage"),
    [
        ([COURSE, HOLE, way(3, POND, (0, 0))], 1, 9, "holes"),
        ([COURSE, HOLE], 0, 9, "holes"),
        ([COURSE, way(3, POND, (0, 0))], 1, 5, "water_only"),
        ([COURSE], None, None, "boundary_only"),
        ([], None, None, "not_mapped"),
        ([COURSE, way(8, COURSE["tags"], (300, 0), 50), HOLE], None, None, "several_courses"),
        ([COURSE, way(8, COURSE["tags"], (60, 0), 50), HOLE, way(3, POND, (0, 0))], 1, 9, "holes"),  # one club
        ([relation(7, COURSE["tags"], COURSE), COURSE, HOLE], 0, 9, "holes"),
    ],
)
def test_a_count_says_how_well_the_course_is_mapped_and_what_is_not_mapped_is_not_none(
    elements: list[Element], count: int | None, confidence: int | None, coverage: str
) -> None:
    provides = builtin_workflows()["count-water-hazards-via-overpass"].provides
    payload = map_payload({"elements": elements})
    said = {name: Expression(text, name)(payload) for name, text in provides.items()}
    assert (said["water_hazard_count"], said["water_hazard_confidence"], said["water_coverage"]) == (
        count, confidence, coverage,
    )  # fmt: skip


def test_beyond_the_steps_that_comparing_may_take_what_could_be_one_is_two(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = {"elements": [way(1, POND, (0, 0)), way(2, UNTAGGED, (0.2, 0.2))]}
    assert len(map_payload(drawn)["features"]) == 1
    monkeypatch.setattr(map_answers, "MOST_STEPS", 4)
    assert len(map_payload(drawn)["features"]) == 2
