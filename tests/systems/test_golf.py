"""`enrich demo golf`: eight courses to their tables, killed while the tables of a course are being written."""

from __future__ import annotations

from decimal import Decimal

import pytest

from enrichment_assets.domain.places import state_code
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.sandbox.companies import slug
from enrichment_assets.sandbox.web.courses import Course, known_course
from enrichment_assets.sandbox.web.maps import mapped
from enrichment_assets.services.batches.advancing import load_batch
from enrichment_assets.services.batches.families import write_families
from enrichment_assets.services.operations.recovery import resolve
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.chaos.points import Point
from tests.harness.handles import hq_of
from tests.harness.sandbox import SEED
from tests.systems.demos import Shown, rows_by_reader, shown

BETWEEN_TABLES = Point("family-rows-are-written", hit=2)
"""The second table of the first course that has ended: its first one is written, and not committed."""

COURSES = 8
COLUMNS = {
    "courses": "id course_name state status error website phone city listing_url water_hazards "
    "water_hazards_confidence total_cost total_time enriched_at client_slug",
    "contacts": "id course_id name title created_at client_slug",
    "contact_enrichment": "contact_id course_id email email_status phone linkedin_url tenure previous_clubs background "
    "enriched_at client_slug",
    "business_intelligence": "course_id segment segment_confidence range_intel opportunities conversation_starters "
    "created_at client_slug",
}
ONCE = (
    "search-course-listing-via-serper", "scrape-course-listing-via-zenrows", "extract-course-facts",
    "extract-course-staff", "count-water-hazards-via-overpass", "assess-course",
)  # fmt: skip


@pytest.mark.crashes
def test_the_demo_survives_a_kill_and_every_course_is_whole(
    settings: Settings, sandbox_process: SandboxProcess
) -> None:
    with shown("golf", settings, sandbox_process, killed_at=BETWEEN_TABLES) as demo:
        for table, wanted in COLUMNS.items():
            rows = demo.workspace(f"select * from golf.{table} limit 1")
            assert " ".join(rows[0]) == wanted, table
        _what_nobody_knows_is_held_until_somebody_decides(demo)
        _every_course_is_whole(demo)
        _what_is_said_of_courses_is_true(demo)
        _nothing_is_asked_or_paid_twice(demo)
        _reports_add_up(demo)
        assert "Going on with batch fairway-1-golf-1" in demo.printed
        seen = rows_by_reader(demo, "fairway")
        assert set(seen) == {f"golf.{table}" for table in COLUMNS}
        assert {name: rows for name, rows in seen.items() if not 0 < rows[0] == rows[1] or rows[2]} == {}


def _what_nobody_knows_is_held_until_somebody_decides(demo: Shown) -> None:
    """Calls that were under way at the kill: their courses are in no table yet, and all others are."""
    held = demo.hq(
        "select count(distinct coalesce(parent_item_id, id)) as n from batch_items i join workflow_states s "
        "on s.item_id = i.id where s.status = 'AMBIGUOUS'"
    )[0]["n"]
    assert len(demo.workspace("select from courses")) == COURSES - held
    assert f"  courses: {COURSES - held} rows" in demo.printed
    hq = hq_of(demo.settings)
    resolve(hq, demo.batch, "accept-miss", actor=TESTER, cost="0")
    assert write_families(hq, load_batch(hq, demo.batch)).written == held


def _every_course_is_whole(demo: Shown) -> None:
    rows = demo.workspace(
        """
        select c.course_name, c.status, c.failure_reason, c.contacts, c.total_cost, b.segment,
               count(p.contact_id) as people, count(e.contact_id) as enriched
        from courses c join business_intelligence b using (course_id)
        left join contacts p using (course_id) left join contact_enrichment e using (contact_id)
        group by 1, 2, 3, 4, 5, 6
        """
    )
    assert len(rows) == COURSES
    for row in rows:
        assert row["contacts"] == row["people"] == row["enriched"], row
        is_failed = row["status"] == "failed"
        assert is_failed == (row["people"] == 0) == (row["failure_reason"] is not None), row
        assert is_failed or row["segment"] in ("high-end", "budget", "both"), row
    leads = demo.workspace(
        "select l.segment, l.top_opportunity, b.segment as wanted, b.opportunities from final_leads l "
        "join courses c on c.item_id = l.parent_item_id join business_intelligence b using (course_id)"
    )
    assert leads, "contacts are leads, and a delivery takes them by what their course is"
    assert [lead for lead in leads if lead["segment"] != lead["wanted"] or not lead["top_opportunity"]] == []
    noted = demo.hq("select status, written_at, problem, cost, children from item_families order by item_id")
    assert len(noted) == COURSES
    assert all(row["written_at"] is not None and row["problem"] is None for row in noted)
    assert sum(row["cost"] for row in noted) == sum(row["total_cost"] for row in rows)
    booked = demo.hq("select sum(cost) as cost from provider_calls")[0]["cost"]
    assert sum(row["cost"] for row in noted) == booked


def _what_is_said_of_courses_is_true(demo: Shown) -> None:
    """By what the sandbox's courses are."""
    rows = demo.workspace("select * from courses order by item_id")
    people = demo.workspace(
        "select p.course_id, name, title, email from contacts p join contact_enrichment using (contact_id)"
    )
    sure = 0
    for row in rows:
        course = _true(row["course_name"], row["state"])
        mapping = mapped(SEED, course)
        holes = {"full": "holes", "water": "water_only" if mapping.mapped_ponds else "boundary_only"}
        if row["water_coverage"] != "not_mapped":
            assert row["water_coverage"] == holes.get(mapping.mapping, "boundary_only"), row["course_name"]
            known = row["water_coverage"] in ("holes", "water_only")
            assert row["water_hazard_count"] == (mapping.mapped_ponds if known else None), row["course_name"]
            sure += known
        assert row["listing_url"] in (course.listing, f"https://www.{course.host}/", None), row["course_name"]
        if row["listing_url"] == course.listing:
            assert (row["holes"], row["par"], row["opened"]) == (course.holes, course.par, course.opened)
        staff = {f"{one.first_name} {one.last_name}": one.title for one in course.staff}
        for person in (one for one in people if one["course_id"] == row["course_id"]):
            assert staff.get(person["name"]) == person["title"], (row["course_name"], person)
            assert person["email"] is None or person["email"].endswith(f"@{course.host}"), person
    assert sure >= 4, "several courses are mapped well enough to be counted"
    there = sum(len(_true(row["course_name"], row["state"]).staff) for row in rows if row["contacts"])
    assert len(people) >= 0.9 * there
    known = demo.workspace("select count(linkedin_url) as profiles, count(tenure) as tenures from contact_enrichment")[
        0
    ]
    assert 0 < known["profiles"] * 0.8 <= known["tenures"] <= known["profiles"]


def _true(name: str, state: str) -> Course:
    return known_course(SEED, (state_code(state, None) or "").removeprefix("US-"), slug(name))


def _nothing_is_asked_or_paid_twice(demo: Shown) -> None:
    assert demo.charged_twice() == []
    asked = demo.hq(
        "select workflow_slug, count(*) as calls, count(distinct subject_key) as subjects from provider_calls "
        "where workflow_slug = any(%s) group by 1",
        list(ONCE),
    )
    assert {row["workflow_slug"] for row in asked} == set(ONCE)
    for row in asked:
        assert row["calls"] == row["subjects"] <= COURSES, row
    per_contact = demo.hq("select count(*) as n from batch_items where parent_item_id is not null")[0]["n"]
    found = demo.hq(
        "select count(*) as n from workflow_states where workflow_slug = 'search-linkedin-via-serper' "
        "and status = 'COMPLETED'"
    )
    assert found[0]["n"] == per_contact


def _reports_add_up(demo: Shown) -> None:
    lines = [line.split("\t") for line in demo.printed.splitlines()]
    named = ("high-end", "budget", "both", "not assessed")
    segments = [int(line[3]) for line in lines if line[:2] == ["fairway", demo.batch] and line[2] in named]
    assert sum(segments) == COURSES
    days = [line for line in lines if line[:2] == ["fairway", demo.batch] and len(line) == 10]
    assert sum(int(line[3]) for line in days) == COURSES
    spent = demo.hq("select sum(cost) as cost from provider_calls")[0]["cost"]
    assert sum(Decimal(line[7].removesuffix(" USD")) for line in days) == spent
