"""The map server: Overpass' contract and refusals, and what its map has of a course."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from enrichment_assets.sandbox.web.courses import courses_in
from enrichment_assets.sandbox.web.maps import MappedCourse, mapped
from enrichment_assets.sandbox.web.overpass_query import parse
from enrichment_assets.sandbox.web.overpass_tree import BadQuery

from .conftest import Client, Got

UA = {"user-agent": "enrichment-assets (ops@agency.example)"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
IN_TEXAS = 'area["ISO3166-2"="US-TX"]->.state;'
WATER = '(nwr["golf"~"^(lateral_)?water_hazard$"](area.inside); nwr["natural"="water"](area.inside););'


async def overpass(sandbox: Client, query: str, **headers: str) -> Got:
    async with sandbox.session.post(
        f"{sandbox.url}/overpass/api/interpreter",
        data=urlencode({"data": f"[out:json][timeout:60];{query}"}),
        headers={**UA, **FORM, **headers},
    ) as answer:
        return Got(answer.status, answer.headers, await answer.read())


def of_kind(kind: str) -> MappedCourse:
    known = [mapped(7, course) for course in courses_in(7, "TX")]
    return next(one for one in known if one.mapping == kind and one.mapped_ponds == one.ponds)


def named(course: MappedCourse) -> str:
    return f'{IN_TEXAS} wr["leisure"="golf_course"]["name"="{course.course.name}"](area.state);map_to_area->.inside;'


def bodies(elements: list[dict[str, Any]]) -> int:
    """Bodies of water among elements: those whose boxes touch are one."""
    boxes = [tuple(one["bounds"].values()) for one in elements]
    groups: list[list[tuple[float, ...]]] = []
    for box in boxes:
        touching = [group for group in groups if any(_touch(box, other) for other in group)]
        groups = [group for group in groups if group not in touching] + [[box, *(one for g in touching for one in g)]]
    return len(groups)


def _touch(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(one[axis] <= other[axis + 2] and other[axis] <= one[axis + 2] for axis in (0, 1))


async def test_the_water_of_a_course_is_found_with_its_doubles_and_without_the_pond_beyond_its_fence(
    sandbox: Client,
) -> None:
    for course in [mapped(7, one) for one in courses_in(7, "TX") if mapped(7, one).mapping == "full"]:
        got = await overpass(sandbox, f'{named(course)}{WATER}out tags bb;way["golf"="hole"](area.inside);out count;')
        if not course.boundary or course.boundary.tags["name"] != course.course.name:
            continue
        *water, holes = got.json["elements"]
        assert bodies(water) == course.ponds, course.course.name
        assert holes["tags"]["ways"] == str(course.course.holes)


async def test_a_course_can_be_mapped_without_water_or_not_at_all(sandbox: Client) -> None:
    known = [mapped(7, course) for course in courses_in(7, "TX")]
    kinds = {one.mapping: one for one in known}
    for course, courses in ((kinds["boundary"], 1), (kinds["absent"], 0)):
        name = course.course.name.rpartition(" ")[0]
        asked = f'{IN_TEXAS} wr["leisure"="golf_course"]["name"~"^(The )?{name}",i](area.state)->.c;'
        got = await overpass(sandbox, f"{asked}.c out ids;.c map_to_area->.inside;{WATER}out ids;")
        elements = got.json["elements"]
        assert len({one["id"] for one in elements}) >= courses
        assert bool(elements) == bool(courses)


async def test_places_are_asked_for_by_box_surroundings_and_id_too(sandbox: Client) -> None:
    course = of_kind("full")
    lat, lon = course.middle
    by_name = await overpass(sandbox, f"{named(course)}{WATER}out ids;")
    box = f"({lat - 0.005},{lon - 0.005},{lat + 0.005},{lon + 0.005})"
    by_box = await overpass(sandbox, f'(nwr["golf"~"water_hazard"]{box};nwr["natural"="water"]{box};);out ids;')
    assert {one["id"] for one in by_name.json["elements"]} == {one["id"] for one in by_box.json["elements"]}
    near = await overpass(sandbox, f'nwr["natural"="water"](around:2000,{lat},{lon});out center;')
    assert {"lat", "lon"} <= set(near.json["elements"][0]["center"])
    assert course.boundary is not None
    found = await overpass(sandbox, f"{course.boundary.kind}({course.boundary.id});out tags;")
    assert [one["tags"]["name"] for one in found.json["elements"]] == [course.boundary.tags["name"]]


async def test_who_does_not_say_who_asks_is_not_answered(sandbox: Client) -> None:
    for agent in ("", "python-requests/2.32.0", "curl/8.5.0", "Mozilla/5.0 (X11)"):
        got = await overpass(sandbox, "node(1);out;", **{"user-agent": agent})
        assert (got.status, got.headers["content-type"]) == (406, "text/html; charset=utf-8"), agent
    assert (await overpass(sandbox, "node(1);out;")).json["elements"] == []


async def test_a_time_out_hides_in_a_200_and_other_failures_are_html(sandbox: Client) -> None:
    course = of_kind("full")
    whole = await overpass(sandbox, f"{named(course)}{WATER}out ids;")
    cut = await overpass(sandbox, f"{named(course)}{WATER}out ids;", **{"x-sandbox-scenario": "remark"})
    assert (cut.status, len(cut.json["elements"])) == (200, len(whole.json["elements"]) // 2)
    assert "timed out" in cut.json["remark"]
    for scenario, status in (("rate-limited", 429), ("unavailable", 503)):
        got = await overpass(sandbox, "node(1);out;", **{"x-sandbox-scenario": scenario})
        assert (got.status, got.body[:5]) == (status, b"<?xml")
    assert (await overpass(sandbox, "foo;")).status == 400


@pytest.mark.parametrize(
    "query",
    [
        # wiki.openstreetmap.org/wiki/Overpass_API/Overpass_QL: what is no statement, or one that is not simulated
        "foo;",
        "node;out",
        "[out:json]node(1);out;",
        'way["leisure"="golf_course"',
        'way["leisure"&"golf_course"];out;',
        "(node(1); - node(2););out;",
        "foreach->.a(out;);",
        "node(poly:1);out;",
        "",
    ],
)
def test_what_is_no_query_is_refused(query: str) -> None:
    with pytest.raises(BadQuery):
        parse(query)
