"""One step for chosen items: what it would ask is said before, and nobody else is asked about."""

from __future__ import annotations

from decimal import Decimal

import pytest

from enrichment_assets.domain.conditions import parse_conditions
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.services.batches.choosing import Choice, choose
from enrichment_assets.services.operations.holding import pause
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, Launched, company_step, people, step
from tests.harness.handles import hq_of


def chosen(batch: Launched, workflow: str, *where: str) -> Choice:
    return choose(hq_of(batch.settings), batch.settings, batch.key, workflow, parse_conditions(where))


def test_only_the_chosen_items_are_asked_about_and_a_company_of_theirs_once(harness: BatchHarness) -> None:
    rows = [*people(3, company_name="Acme", industry="Food"), *people(2, company_name="Bolt", industry="Steel")]
    rows += people(1, company_name="Cove", industry="Sea food", city="Bremen")
    batch = harness.launch(rows, company_step("firm"), step("match", uses=["firm"]))
    before = chosen(batch, "firm", "industry~food")
    assert (len(before.items), before.of_items, before.companies, before.ready) == (4, 6, 2, 4)
    assert (before.calls_at_most, before.cost_at_most, before.currency) == (2, Decimal("0.02"), "USD")
    assert (before.ended, before.hindrances) == ({}, ())
    waiting = chosen(batch, "match", "industry~food", "city=")
    assert (len(waiting.items), waiting.ready, waiting.waiting, waiting.calls_at_most) == (3, 0, {"firm": 3}, 0)

    batch.run({"firm"}, only=before.items)
    assert batch.billed("firm") == 2
    assert batch.statuses("firm") == {"COMPLETED": 4, "PENDING": 2}
    assert batch.statuses("match") == {"PENDING": 6}
    after = chosen(batch, "firm", "industry~food")
    assert (after.ready, after.ended, after.calls_at_most, after.cost_at_most) == (0, {"found": 4}, 0, 0)

    again = chosen(batch, "firm", "row<=2")
    batch.run({"firm"}, only=again.items)
    assert batch.billed("firm") == 2, "what has ended is not asked again"

    now = chosen(batch, "match", "firm!=", "original.n=1")
    assert {state["row_number"] for state in batch.states("match") if state["item_id"] in now.items} == {1, 6}
    batch.run({"match"}, only=now.items)
    assert batch.billed("match") == 2

    batch.run()
    assert batch.statuses() == {"COMPLETED": 12}
    assert (batch.billed("firm"), batch.billed("match")) == (3, 6)


def test_what_would_keep_it_from_asking_is_said(harness: BatchHarness) -> None:
    batch = harness.launch(people(2), step("match"))
    pause(hq_of(batch.settings), batch.key, reason="a look first", actor=TESTER)
    held = chosen(batch, "match", "row=1")
    assert [one.reason for one in held.hindrances] == ["paused by cli:tester: a look first"]
    batch.run({"match"}, only=held.items)
    assert batch.statuses() == {"PENDING": 2}


def test_a_step_and_fields_that_are_not_there_are_refused_with_what_there_is(harness: BatchHarness) -> None:
    batch = harness.launch(people(1), step("first"), step("match", uses=["first"]))
    with pytest.raises(NotFoundError, match="'match'"):
        chosen(batch, "mach", "row=1")
    with pytest.raises(ConfigurationError, match="did you mean 'industry'"):
        chosen(batch, "match", "industri=food")
    with pytest.raises(ConfigurationError, match="sees no field 'match'"):
        chosen(batch, "match", "match=1")
    assert chosen(batch, "match", "first=").ready == 0
    with pytest.raises(ConfigurationError, match=r"original\.n"):
        chosen(batch, "match", "original.N=1")
