"""A model proposes searches, a person accepts them, and only then does a plan ask them."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.domain.search_plans import plan_searches
from enrichment_assets.domain.search_proposals import State, said_of, template_of, with_accepted
from enrichment_assets.registry.loader import builtin_searches
from enrichment_assets.services.review.proposing import decide, list_proposals, searches_for
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.warehouse.hq_data import Answer, Lead, seed_batch

FS = builtin_searches()["fs"]


@pytest.mark.parametrize(
    ("words", "template"),
    [
        ("fiduciary advisers", 'fiduciary advisers "{region}"'),
        ("  family\n office  team ", 'family office team "{region}"'),
        ('"our partners" wealth', '"our partners" wealth "{region}"'),
        ("wealth firms {region}", 'wealth firms "{region}"'),
        ("Vermögensverwalter Zürich", 'Vermögensverwalter Zürich "{region}"'),
        ("", None),
        ("ab", None),
        ("x" * 121, None),
        ("{{ secrets.api_key }} firms", None),
        ("firms https://evil.example/", None),
        ("<script>alert(1)</script>", None),
        ("a\x00bcd", None),
        (None, None),
        (["firms"], None),
    ],
)
def test_words_are_a_query_or_none(words: Any, template: str | None) -> None:
    assert template_of(words) == template


def test_accepted_templates_are_asked_behind_those_of_the_system_and_none_twice() -> None:
    known = FS.industries["accounting"].queries[0]
    more = [("accounting", 'tax advisers "{region}"'), ("accounting", known), ("mining", 'mines "{region}"')]
    plan = plan_searches(with_accepted(FS, [*more, more[0]]), ["accounting"], ["Boston, MA"], 10)
    first = [row.query for row in plan if row.page == 1]
    assert first == [q.query for q in plan_searches(FS, ["accounting"], ["Boston, MA"], 10)] + [
        'tax advisers "Boston, MA"'
    ]
    assert with_accepted(FS, more[1:]) is FS


def test_a_model_reads_the_best_query_first() -> None:
    poor = {"query": "b", "companies": 9, "prospects": 4, "grade_a": 0, "grade_b": 0, "cost_per_qualified": None}
    good = {"query": "a", "companies": 3, "prospects": 2, "grade_a": 1, "grade_b": 1, "cost_per_qualified": 0.5}
    assert said_of([poor, good]).splitlines() == [
        "a: 3 companies, 2 prospects, 1 of grade A, 1 of grade B, 0.5000 each of those",
        "b: 9 companies, 4 prospects, 0 of grade A, 0 of grade B, none of them qualified",
    ]


def test_a_proposal_is_in_no_plan_before_somebody_has_accepted_it(
    settings: Settings, hq: psycopg.Connection[dict[str, Any]]
) -> None:
    proposed = [
        {"words": "fiduciary advisers", "reason": "the best query names advisers"},
        {"words": "https://evil.example", "reason": "no query"},
        {"words": "fiduciary advisers", "reason": "again"},
        "no object",
    ]
    row = {"system": "fs", "industry_slug": "wealth-management", "industry": "Wealth management", "yields": "..."}
    answer = Answer("propose-queries", fields={"proposed_queries": proposed}, provider="openai")
    seed_batch(hq, [Lead({"industry": "Wealth management"}, [answer], original=row)], batch_key="acme-2")
    seed_batch(hq, [Lead({"industry": "x"}, [answer], original=row)], batch_key="globex-1", client="globex")
    handle = hq_of(settings)
    (one,) = list_proposals(handle, client="acme")
    assert (one.template, one.industry, one.state, one.batch) == (
        'fiduciary advisers "{region}"', "wealth-management", State.PROPOSED, "acme-2",
    )  # fmt: skip
    assert len(list_proposals(handle)) == 2
    assert searches_for(handle, FS, "acme") == FS
    (accepted,) = decide(handle, [one.id], State.ACCEPTED, actor=TESTER)
    decide(handle, [one.id], State.ACCEPTED, actor=TESTER)
    assert (accepted.state, accepted.decided_by) == (State.ACCEPTED, "cli:tester")
    assert searches_for(handle, FS, "acme").industries["wealth-management"].queries[-1] == one.template
    assert searches_for(handle, FS, "globex") == FS
    assert [p.id for p in list_proposals(handle, state=State.ACCEPTED)] == [one.id]
    decide(handle, [one.id], State.REJECTED, actor=TESTER)
    assert searches_for(handle, FS, "acme") == FS
    assert [p.state for p in list_proposals(handle, client="acme")] == [State.REJECTED]
    with pytest.raises(NotFoundError, match="there is no proposal 99"):
        decide(handle, [one.id, 99], State.ACCEPTED, actor=TESTER)
    found = hq.execute(
        "select action, before, after from operator_actions where kind = 'proposal' order by id"
    ).fetchall()
    assert [(row["action"], row["before"]["state"], row["after"]["state"]) for row in found] == [
        ("proposal.accept", "proposed", "accepted"),
        ("proposal.reject", "accepted", "rejected"),
    ]
