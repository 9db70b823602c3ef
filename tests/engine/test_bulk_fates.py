"""Whatever a bulk answer says of others, each member has the fate of its own part. Pure: no call, no database."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from enrichment_assets.domain.bulk_answers import Place
from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.planning import build_blueprint
from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.decisions.bulk import decide_member, decide_members
from enrichment_assets.engine.decisions.decision import Decision
from enrichment_assets.engine.run.prepared_step import Step, prepare_steps
from enrichment_assets.providers import build_providers
from tests.harness.batches import bulk_step


def prepared(workflow: WorkflowDefinition) -> Step:
    """The step of a batch with this workflow alone."""
    pipeline = PipelineDefinition(slug="p", steps=[workflow.slug])
    blueprint = build_blueprint("acme", pipeline, {workflow.slug: workflow}, {})
    return prepare_steps(blueprint, build_providers(), None, lambda *_: None, None)[workflow.slug]


PRICE = {"estimate": "0.05", "not_found": "0", "per_unit": "0.01"}
RESPONSE = {"found_if": "found", "not_found_status": [404], "error_if": "error && status == `200`"}
OWN = prepared(bulk_step("own", price=PRICE, response=RESPONSE))
SHARED = prepared(bulk_step("shared", price=PRICE, response=RESPONSE, bulk={"cost": "units"}))

FOUND = {"status": 200, "found": True, "number": "n"}
FATES: Mapping[str, tuple[list[Mapping[str, Any]], tuple[str, str | None, str | None]]] = {
    "found": ([FOUND], ("COMPLETED", "found", None)),
    "miss": ([{"status": 200, "found": False}], ("COMPLETED", "not_found", None)),
    "unknown to the provider": ([{"status": 404}], ("COMPLETED", "not_found", None)),
    "down": ([{"status": 503}], ("PENDING", None, "retryable")),
    "too fast": ([{"status": 429}], ("PENDING", None, "retryable")),
    "unpaid": ([{"status": 402}], ("PENDING", None, "payment")),
    "invalid": ([{"status": 400}], ("SKIPPED", None, None)),
    "suppressed": ([{"status": 451}], ("SKIPPED", None, None)),
    "says an error": ([{"status": 200, "error": "x"}], ("FAILED", None, "contract")),
    "missing": ([], ("FAILED", None, "contract")),
    "twice": ([FOUND, FOUND], ("COMPLETED", "found", None)),
    "contradicted": ([FOUND, {**FOUND, "number": "m"}], ("FAILED", None, "contract")),
}
fates = st.lists(st.sampled_from(sorted(FATES)), min_size=1, max_size=12)


def answer_to(members: list[str], order: Random) -> tuple[Answer, Place]:
    """One answer with every member's elements, in any order, and the place of the first."""
    elements = [{"id": str(n), **part} for n, fate in enumerate(members) for part in FATES[fate][0]]
    order.shuffle(elements)
    body = orjson.dumps({"results": elements, "units": 7})
    return Answer(200, {}, body), Place(0, len(members), tuple(str(n) for n in range(len(members))))


def said(decision: Decision) -> tuple[str, str | None, str | None]:
    """What the state says afterwards."""
    return (
        decision.status.value,
        decision.outcome and decision.outcome.value,
        decision.error_class and decision.error_class.value,
    )


@given(members=fates, order=st.randoms(use_true_random=False))
def test_each_member_has_the_fate_of_its_own_part_and_reads_the_same_alone(members: list[str], order: Random) -> None:
    answer, place = answer_to(members, order)
    decided = decide_members(OWN, answer, place)
    assert not decided.is_whole
    assert [said(decision) for decision in decided.decisions] == [FATES[fate][1] for fate in members]
    for n, decision in enumerate(decided.decisions):
        assert decide_member(OWN, answer, Place(n, place.count, place.names)) == decision


@given(members=fates, order=st.randoms(use_true_random=False))
def test_what_the_call_cost_is_booked_once_to_the_last_fraction(members: list[str], order: Random) -> None:
    decided = decide_members(SHARED, *answer_to(members, order))
    costs = [decision.cost or Decimal(0) for decision in decided.decisions]
    assert sum(costs) == Decimal("0.07")
    payers = [n for n, decision in enumerate(decided.decisions) if said(decision)[1] == "found"]
    assert not payers or all(cost == 0 for n, cost in enumerate(costs) if n not in payers)


@given(members=fates, stranger=st.integers(100, 200), order=st.randoms(use_true_random=False))
def test_an_element_of_nobody_makes_no_miss_of_who_is_missing(members: list[str], stranger: int, order: Random) -> None:
    workflow = OWN.workflow.model_copy(update={"bulk": OWN.workflow.bulk.model_copy(update={"missing": "not_found"})})  # type: ignore[union-attr]
    step = prepared(workflow)
    answer, place = answer_to(members, order)
    known = decide_members(step, answer, place).decisions
    body = orjson.loads(answer.body)
    body["results"].append({"id": str(stranger), **FOUND})
    with_stranger = decide_members(step, Answer(200, {}, orjson.dumps(body)), place).decisions
    for fate, before, after in zip(members, known, with_stranger, strict=True):
        if fate == "missing":
            assert said(before) == ("COMPLETED", "not_found", None) and said(after) == ("FAILED", None, "contract")
        else:
            assert before == after


@given(
    status=st.sampled_from([400, 401, 402, 403, 404, 408, 413, 422, 429, 451, 500, 503]),
    members=st.integers(1, 12),
)
def test_an_answer_about_the_call_is_the_same_for_every_member(status: int, members: int) -> None:
    decided = decide_members(OWN, Answer(status, {}, b"{}"), Place(0, members, None))
    assert decided.is_whole and len(decided.decisions) == members
    assert len({said(decision) for decision in decided.decisions}) == 1
    assert all(decision.cost is None or decision.cost == 0 for decision in decided.decisions)
