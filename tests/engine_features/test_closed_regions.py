"""Nobody in a region that a workflow is closed to is asked about: by no way of calling, no retry and no replay."""

from __future__ import annotations

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.operations.replaying import replay
from enrichment_assets.services.operations.retrying import retry
from tests.actors import TESTER
from tests.engine.hostile_server import answering
from tests.harness.batches import BatchHarness, Launched, Row, async_step, bulk_step, company_step, step
from tests.harness.handles import hq_of

UNKNOWN = "closed_to_region: the country is not known"
CASES = {
    "Germany": "closed_to_region: EU (DE)",
    "France": "closed_to_region: EU (FR)",
    "brasil": "closed_to_region: BR",
    "United States": None,
    "NO": None,
    "": UNKNOWN,
    "Atlantis": UNKNOWN,
}


def rows_of(*countries: str) -> list[Row]:
    return [{"first_name": f"Ann{n}", "n": str(n), "trap": "", "company_name": f"Firm {n}", "country": country}
            for n, country in enumerate(countries, 1)]  # fmt: skip


def reasons(batch: Launched, slug: str) -> list[str | None]:
    return [row["reason"] if row["status"] == "SKIPPED" else None for row in batch.states(slug)]


def test_every_way_of_calling_leaves_out_who_is_closed_and_asks_about_the_others(harness: BatchHarness) -> None:
    closed = {"not_for": ["EU", "BR"]}
    tidy = {"slug": "tidy", "title": "t", "step": 1, "provider": "local", "operation": "normalise_name",
            "mode": "local", "provides": {"full_name": "full_name"}}  # fmt: skip
    one = step("one", **closed)
    batch = harness.launch(
        rows_of(*CASES),
        WorkflowDefinition.model_validate({**tidy, **closed}),
        one,
        bulk_step("many", **closed, bulk={"wait": "0s"}),
        async_step("later", **closed),
        step("willing", **closed, not_for_unknown="ask"),
        company_step("firm"),
        company_step("strict", not_for=["EU"]),
    )
    batch.run()
    for slug in ("tidy", "one", "many", "later"):
        assert reasons(batch, slug) == list(CASES.values()), slug
    assert reasons(batch, "willing") == [None if why == UNKNOWN else why for why in CASES.values()]
    assert reasons(batch, "firm") == [None] * 7, "it asks about a company, and does not say that it is closed"
    assert reasons(batch, "strict") == [UNKNOWN] * 7, "a company's country decides, and no list said one"
    asked = {slug: batch.asked(slug) for slug in ("one", "later", "willing", "strict")}
    assert asked == {"one": 2, "later": 2, "willing": 4, "strict": 0}
    calls = len(batch.calls())

    retry(hq_of(batch.settings), batch.settings, batch.key, actor=TESTER)
    add_workflow(hq_of(batch.settings), batch.settings, one, actor=TESTER)
    replay(hq_of(batch.settings), batch.settings, batch.key, "one", actor=TESTER)
    batch.change("update workflow_states set status = 'PENDING' where status = 'SKIPPED'")
    batch.run()
    assert len(batch.calls()) == calls, "no retry and no replay asks"
    assert reasons(batch, "one") == list(CASES.values())


def test_a_country_that_a_step_finds_or_a_person_corrects_decides_for_the_next(harness: BatchHarness) -> None:
    found = {"1": b'"Germany"', "2": b'"US"', "3": b'"Germany"', "4": b"null"}
    with answering() as server:
        for number, country in found.items():
            server.bodies[f"/{number}"] = b'{"found": true, "where": ' + country + b"}"
        locate = step(
            "locate",
            request={"url": server.url + "/{{original.n}}", "method": "GET"},
            provides={"country": "where"},
        )
        batch = harness.launch(rows_of("US", "", "DE", "FR"), locate, step("ask", not_for=["EU"]))
        batch.change(
            "insert into item_edits (client_id, batch_id, item_id, field, value, edited_by) "
            "select client_id, batch_id, id, 'country', 'CH', 'ada' from batch_items where row_number = 3"
        )
        batch.run()
    assert reasons(batch, "ask") == ["closed_to_region: EU (DE)", None, None, "closed_to_region: EU (FR)"]
    assert batch.asked("ask") == 2


def test_a_late_answer_that_has_a_country_lets_the_next_step_go_on_unless_it_is_closed(harness: BatchHarness) -> None:
    batch = harness.launch(
        rows_of("", ""), async_step("locate", provides={"country": "where"}), step("ask", not_for=["EU"])
    )
    batch.run()
    batch.overdue()
    batch.run()
    assert reasons(batch, "ask") == [UNKNOWN, UNKNOWN]
    first, second = batch.calls()
    batch.call_back(first, {"found": True, "where": "Switzerland"})
    batch.call_back(second, {"found": True, "where": "Austria"})
    assert batch.run().finished
    assert reasons(batch, "ask") == [None, "closed_to_region: EU (AT)"]
    assert batch.asked("ask") == 1
