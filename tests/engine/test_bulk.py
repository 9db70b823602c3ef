"""Bulk calls: one request for many items, and a fate, a result, a cost and a reason for each of them."""

from __future__ import annotations

from decimal import Decimal

import orjson

from enrichment_assets.store.inbox.callbacks import Receipt
from tests.harness.batches import (
    BatchHarness,
    Launched,
    Row,
    account,
    bulk_async_step,
    bulk_step,
    company_step,
    people,
    step,
)

CENT = Decimal("0.01")


def rows_with(*traps: str) -> list[Row]:
    """A row for each, with what goes wrong with it."""
    return [{"first_name": f"Ann{n}", "trap": trap} for n, trap in enumerate(traps)]


def fates(batch: Launched, slug: str = "first") -> list[tuple[str, str | None, str | None]]:
    """Status, outcome and error class of each row, in their order."""
    return [(s["status"], s["outcome"], s["error_class"]) for s in batch.states(slug)]


FOUND = ("COMPLETED", "found", None)
BROKEN = ("FAILED", None, "contract")
UNKNOWN = ("AMBIGUOUS", None, "ambiguous")


def test_ten_items_share_a_request_whose_answer_is_kept_once_and_read_by_each(harness: BatchHarness) -> None:
    batch = harness.launch(people(25), bulk_step("first", bulk={"wait": "30s"}))
    report = batch.run()
    assert report.finished
    assert fates(batch) == [FOUND] * 25
    assert batch.asked("first") == 3, "the last five waited for nobody: the batch has no further row"
    assert batch.billed() == 25
    calls, requests = {call["id"]: call for call in batch.calls()}, batch.bulk_calls()
    assert sorted(len(request["call_ids"]) for request in requests) == [5, 10, 10]
    assert sorted(id for request in requests for id in request["call_ids"]) == sorted(calls)
    ended = {(call["state"], call["cost"], call["response_body"]) for call in calls.values()}
    assert ended == {("applied", CENT, None)}
    fields = {result["item_id"]: result["fields"]["first"] for result in batch.results()}
    for request in requests:
        answered = orjson.loads(bytes(request["response_body"]))["results"]
        assert {int(e["id"]): e["number"] for e in answered}.items() <= fields.items()
        assert request["names"] == [str(calls[id]["item_id"]) for id in request["call_ids"]]
        assert request["http_status"] == 200 and request["received_at"] is not None


def test_each_member_has_its_own_fate_whatever_becomes_of_the_others_and_in_whatever_order_they_are_answered(
    harness: BatchHarness,
) -> None:
    traps = ["", "missing", "twice", "contradicted", "status-404", "status-503", "status-451", "", "status-400", ""]
    workflow = bulk_step("first", envelope={"order": "reversed"}, bulk={"wait": "30s"})
    found = workflow.model_copy(update={"response": workflow.response.model_copy(update={"not_found_status": [404]})})
    batch = harness.launch(rows_with(*traps), found)
    batch.set_budget("1")
    batch.run()
    assert fates(batch) == [
        FOUND,
        BROKEN,
        FOUND,
        BROKEN,
        ("COMPLETED", "not_found", None),
        ("FAILED", None, "retryable"),
        ("SKIPPED", None, None),
        FOUND,
        ("SKIPPED", None, None),
        FOUND,
    ]
    reasons = [s["reason"] or "" for s in batch.states("first")]
    assert reasons[1] == "the answer says nothing about this member"
    assert reasons[3] == "the answer has 2 different elements for this member"
    assert reasons[6].startswith("suppressed") and reasons[8].startswith("invalid_input")
    requests = batch.bulk_calls()
    assert [len(request["call_ids"]) for request in requests] == [10, 1, 1], "only the one that failed was asked again"
    retried = batch.calls()[5]
    assert [request["call_ids"] for request in requests[1:]] == [[retried["id"]]] * 2 and retried["attempt"] == 3
    (budget,) = batch.budgets()
    assert (budget.reserved, budget.spent) == (0, sum(call["cost"] or 0 for call in batch.calls()))


def test_a_member_that_spoils_the_request_for_all_is_found_by_asking_each_alone(harness: BatchHarness) -> None:
    batch = harness.launch(rows_with("", "", "bad", ""), bulk_step("first", envelope={"strict": True}))
    batch.run()
    assert fates(batch) == [FOUND, FOUND, ("SKIPPED", None, None), FOUND]
    assert sorted(len(request["call_ids"]) for request in batch.bulk_calls()) == [1, 1, 1, 1, 4]
    assert batch.billed() == 3


def test_a_call_of_unknown_fate_is_ambiguous_for_each_member_and_is_never_sent_again(harness: BatchHarness) -> None:
    headers = {"x-sandbox-scenario": "timeout"}
    request = {"url": "/enrich-many", "headers": headers, "body": {"rows": "{{members}}"}}
    batch = harness.launch(people(4), bulk_step("first", request=request, retry={"timeout": 0.3, "base": 0.01}))
    batch.set_budget("1")
    batch.run()
    batch.run()
    assert fates(batch) == [UNKNOWN] * 4
    assert len(batch.bulk_calls()) == 1
    (budget,) = batch.budgets()
    assert (budget.reserved, budget.spent) == (4 * CENT, 0), "it may have been billed for each"


def test_where_the_provider_honours_keys_the_same_request_is_sent_again_under_its_key_and_billed_once(
    harness: BatchHarness,
) -> None:
    faults = '{"timeouts": 0.5, "resets": 0.3, "hang": 5}'
    headers = {"x-api-key": account("first"), "x-sandbox-faults": faults}
    request = {"url": "/enrich-many", "headers": headers, "body": {"rows": "{{members}}"}}
    retry = {"timeout": 0.5, "base": 0.01, "attempts": 20}
    keyed = bulk_step("first", request=request, retry=retry, idempotency_header="idempotency-key")
    batch = harness.launch(people(20), keyed)
    batch.run()
    assert fates(batch) == [FOUND] * 20
    assert len(batch.bulk_calls()) == 2 and batch.asked("first") >= 2
    assert harness.sandbox.billing()["double_charges"] == [] and batch.billed() == 20


def test_what_a_dead_run_left_is_read_where_the_answer_is_kept_and_else_unknown_for_each(harness: BatchHarness) -> None:
    batch = harness.launch(people(4), bulk_step("first"))
    batch.run()
    bodies = batch.bulk_calls()
    batch.change("delete from enrichment_results; delete from company_play_step_completions")
    batch.change("update workflow_states set status = 'PENDING', outcome = null, result_id = null, cost = 0")
    batch.change("update provider_calls set state = 'received', cost = null")
    batch.run()
    assert fates(batch) == [FOUND] * 4 and batch.asked("first") == 1
    assert batch.bulk_calls() == bodies
    batch.change("update workflow_states set status = 'PENDING', outcome = null, result_id = null")
    batch.change("update provider_calls set state = 'intent', cost = null")
    batch.change("update bulk_calls set response_body = null, received_at = null")
    batch.run()
    assert fates(batch) == [UNKNOWN] * 4 and batch.asked("first") == 1


def test_a_budget_counts_members_and_who_has_no_room_does_not_keep_the_others_out(harness: BatchHarness) -> None:
    batch = harness.launch(people(10), bulk_step("first", bulk={"wait": "30s"}))
    batch.set_budget("0.07")
    batch.run()
    assert sorted(status for status, _, _ in fates(batch)) == ["COMPLETED"] * 7 + ["PENDING"] * 3
    assert batch.asked("first") == 1 and batch.billed() == 7
    (budget,) = batch.budgets()
    assert (budget.reserved, budget.spent) == (0, 7 * CENT)


def test_what_a_call_cost_as_a_whole_is_shared_by_those_who_were_found_to_the_last_fraction(
    harness: BatchHarness,
) -> None:
    price = {"estimate": "0.05", "not_found": "0", "per_unit": "0.0333333"}
    workflow = bulk_step("first", bulk={"cost": "units"}, price=price)
    batch = harness.launch(rows_with("", "", "status-404", ""), workflow)
    batch.run()
    costs = [call["cost"] for call in batch.calls()]
    assert costs == [Decimal("0.033334"), Decimal("0.033333"), 0, Decimal("0.033333")]


def test_a_question_whose_answer_is_kept_is_no_member_and_each_answer_is_kept_for_the_next_batch(
    harness: BatchHarness,
) -> None:
    rows = people(6)
    member = {"id": "{{first_name}}", "first_name": "{{first_name}}"}
    workflow = bulk_step("first", bulk={"member": member, "wait": "30s"}, reuse_for="1d")
    batch = harness.launch([*rows[:4], rows[0]], workflow)
    batch.run()
    assert [len(r["call_ids"]) for r in batch.bulk_calls()] == [4], "a row that asks the same shares the answer"
    again = harness.launch(rows, workflow)
    again.run()
    assert fates(again) == [FOUND] * 6 and [len(r["call_ids"]) for r in again.bulk_calls()] == [2]
    assert again.asked("first") == 2 and again.billed() == 6
    first = {s["row_number"]: s for s in batch.states()}
    fields = [r["fields"] for r in again.results()]
    assert {r["fields"]["first"] for r in batch.results()} < {f["first"] for f in fields} and len(first) == 5


def test_rows_with_one_id_never_share_a_request(harness: BatchHarness) -> None:
    member = {"id": "{{first_name}}", "first_name": "{{first_name}}"}
    rows = [{"first_name": name} for name in ("Ann", "Ann", "Bob", "Bob", "Eve", "Ann")]
    batch = harness.launch(rows, bulk_step("first", bulk={"member": member}))
    batch.run()
    assert fates(batch) == [FOUND] * 6
    assert sorted(r["names"] for r in batch.bulk_calls()) == [["Ann"], ["Ann", "Bob"], ["Ann", "Bob", "Eve"]]


def test_members_are_found_by_their_place_where_the_provider_keeps_it_and_by_nothing_where_the_numbers_differ(
    harness: BatchHarness,
) -> None:
    by_place = bulk_step("first", bulk={"match": "position"})
    batch = harness.launch(rows_with("", "status-404", ""), by_place)
    batch.run()
    assert fates(batch) == [FOUND, BROKEN, FOUND]
    assert {r["names"] for r in batch.bulk_calls()} == {None}
    results = {r["item_id"]: r["payload"]["id"] for r in batch.results()}
    assert all(item == int(id) for item, id in results.items())
    shorter = harness.launch(rows_with("", "missing", ""), by_place)
    shorter.run()
    assert fates(shorter) == [BROKEN] * 3
    assert shorter.state("first")["reason"] == "the answer has 2 elements for 3 members: nobody knows whose they are"


def test_rows_of_one_company_ask_once_and_their_companies_share_a_request(harness: BatchHarness) -> None:
    member = {"id": "{{company_name}}", "company": "{{company_name}}", "entity": "company"}
    workflow = bulk_step("firm", bulk={"member": member, "wait": "30s"}, entity="company", requires=["company_name"])
    rows = [{"first_name": f"Ann{n}", "company_name": f"Firm {n % 3}"} for n in range(9)]
    batch = harness.launch(rows, workflow, company_step("alone"), step("last", requires=["firm"]))
    batch.run()
    assert batch.statuses() == {"COMPLETED": 27}
    assert [sorted(r["names"]) for r in batch.bulk_calls()] == [["Firm 0", "Firm 1", "Firm 2"]]
    assert batch.asked("firm") == 1


POLL = {"request": {"method": "GET", "url": "/results/{{external_id}}"}, "pending_status": [202]}


def call_back(batch: Launched, body: bytes) -> Receipt:
    """One callback to the address of a request, by the receiver's own statement."""
    (request,) = batch.bulk_calls()
    return batch.call_back({"callback_token": request["callback_token"]}, body)


def test_one_callback_answers_every_member_and_its_bytes_are_kept_once(harness: BatchHarness) -> None:
    rows = [*people(3), {"first_name": "Eve", "trap": "missing"}, {"first_name": "Ina", "trap": "contradicted"}]
    batch = harness.launch(rows, bulk_async_step("first", bulk={"wait": "30s"}))
    batch.set_budget("1")
    batch.run()
    assert batch.statuses() == {"IN_PROGRESS": 5} and batch.asked("first") == 1
    assert {(c["state"], c["callback_token"]) for c in batch.calls()} == {("sent", None)}
    elements = [{"id": str(c["item_id"]), "found": True, "number": f"n{c['item_id']}"} for c in batch.calls()[:3]]
    twice = [{"id": batch.calls()[4]["item_id"], "found": True, "number": n} for n in ("a", "b")]
    body = orjson.dumps({"results": [*reversed(elements), *twice]})
    assert call_back(batch, body) is Receipt.STORED
    assert call_back(batch, body) is Receipt.ALREADY_STORED
    assert sorted(bytes(row["body"]) for row in batch.inbox()) == [b""] * 4 + [body]
    assert batch.run().finished
    assert fates(batch) == [FOUND] * 3 + [BROKEN] * 2
    numbers = {r["item_id"]: r["fields"]["first"] for r in batch.results()}
    assert numbers == {item: f"n{item}" for item in numbers} and len(numbers) == 3
    assert sorted(row["status"] for row in batch.inbox()) == ["applied"] * 3 + ["dead"] * 2
    (budget,) = batch.budgets()
    assert (budget.reserved, budget.spent) == (0, sum(call["cost"] or 0 for call in batch.calls()))
    # A later one has the answer of the one that was missing, and changes nothing for the others.
    late = {"id": batch.calls()[3]["item_id"], "found": True, "number": "late"}
    call_back(batch, orjson.dumps({"results": [late, *elements, *twice]}))
    batch.run()
    assert fates(batch)[3] == FOUND and {r["fields"]["first"] for r in batch.results()} == {*numbers.values(), "late"}


def test_a_token_that_names_no_request_and_one_whose_time_is_over_are_unknown(harness: BatchHarness) -> None:
    batch = harness.launch(people(2), bulk_async_step("first"))
    batch.run()
    assert batch.call_back({"callback_token": "nobody's"}, b"{}") is Receipt.UNKNOWN_TOKEN
    batch.change("update bulk_calls set token_expires_at = now() - interval '1 s'")
    assert call_back(batch, b"{}") is Receipt.UNKNOWN_TOKEN
    assert batch.inbox() == []


def test_a_callback_that_never_comes_is_asked_for_once_for_all_members(harness: BatchHarness) -> None:
    batch = harness.launch(people(4), bulk_async_step("first", bulk={"wait": "30s"}, poll=POLL))
    batch.run()
    assert batch.statuses() == {"IN_PROGRESS": 4}
    batch.overdue()
    assert batch.run().finished
    assert fates(batch) == [FOUND] * 4
    polls = harness.sandbox.billing()["accounts"]
    assert sum(account["calls"] for account in polls) <= 3, "one submission, one poll, or another for who came later"
    (request,) = batch.bulk_calls()
    assert orjson.loads(bytes(request["response_body"]))["units"] == 4
