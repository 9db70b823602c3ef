"""The part of a batch's page about grades and drafts: what stands in the fields is shown as text, or not at all."""

from __future__ import annotations

from typing import Any

from enrichment_assets.services.insight.html_report import render_report
from enrichment_assets.settings import Settings
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead


def judged(score: int, grade: str, **fields: Any) -> Lead:
    given = {"lead_score": score, "lead_grade": grade, "qualification_reason": f"Why it has {score}.", **fields}
    return Lead({"title": "CFO", "company_name": "Acme"}, [Answer("qualify-lead", {}, given)])


def test_the_page_lists_the_best_leads_and_the_drafts_of_two(build: Build, settings: Settings) -> None:
    draft = {
        "draft_subject": "S",
        "draft_body": "Hello <b>you</b>",
        "facts": ["One.", "Two."],
        "draft_facts": [2, 2, 9, "x"],
    }
    leads = [
        judged(90, "A", **draft),
        judged(30, "F"),
        judged(70, "B", draft_body="Third <script>", draft_facts="no list"),
    ]
    build(
        [*leads, *(judged(40, "D") for _ in range(9)), judged(66, "B", draft_body="Never shown")], batch_key="b"
    ).close()
    page = render_report(settings, "b")
    assert "13 leads judged" in page
    assert page.count('<td><span class="grade') == 10
    assert page.index("Why it has 90.") < page.index("Why it has 70.") < page.index("Why it has 40.")
    assert "Why it has 30." not in page
    written = page.partition("What was written for them")[2]
    assert written.count('class="draft"') == 2
    assert "Hello &lt;b&gt;you&lt;/b&gt;" in written and "Third &lt;script&gt;" in written
    assert written.count("<li><b>") == 1 and "<li><b>2</b>Two.</li>" in written
    assert "Never shown" not in written


def test_a_batch_without_a_grade_has_no_such_part(build: Build, settings: Settings) -> None:
    build([Lead({"title": "x"}, [])], batch_key="b").close()
    page = render_report(settings, "b")
    assert "How well they fit" not in page and "What was written" not in page
