"""A try shows what leaves, what comes back and what it costs, and is a call like any other in all that is kept."""

from __future__ import annotations

import json
import threading
import time
from decimal import Decimal
from typing import Any

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.providers import build_providers
from enrichment_assets.services.batches.status import overview
from enrichment_assets.services.batches.taking import take_in_callbacks
from enrichment_assets.services.tries.drafting import Wanted
from enrichment_assets.services.tries.running import make_try
from enrichment_assets.store.database import connect
from enrichment_assets.store.inbox.callbacks import new_callbacks_by_batch
from enrichment_assets.store.states.waiting_batches import batches_to_resume
from tests.actors import TESTER
from tests.harness.batches import async_step, bulk_step, company_step, people, step
from tests.harness.handles import hq_of
from tests.tries.conftest import Desk


def asking(slug: str, **fields: Any) -> WorkflowDefinition:
    """A step whose request is made of the row alone."""
    body = {"first_name": "{{first_name}}", "n": "{{original.n}}", "step": slug, "seen": "{{clue}}"}
    headers = {"x-api-key": f"{{{{ '{slug}' }}}}", "x-token": "{{secrets.token}}"}
    values = {"secrets": {"token": "MY_TOKEN"}, "uses": ["clue"], "requires": ["first_name"]}
    return step(slug, request={"url": "/enrich", "headers": headers, "body": body}, **{**values, **fields})


def test_given_fields_are_asked_about_and_everything_is_shown(desk: Desk, monkeypatch: Any) -> None:
    monkeypatch.setenv("MY_TOKEN", "a-secret-of-ours")
    desk.register(asking("find", provides={"find": "id", "email": "id"}))
    desk.harness.hq.execute("insert into budgets (client_id, amount) select id, 1 from clients")
    desk.harness.hq.commit()

    dry = desk.json("try", "find", "--set", "first_name=Ada", "--set", "original.n=7", "--dry-run")
    (row,) = dry["rows"]
    assert (dry["batch"], row["status"], row["cost"], row["estimated"]) == (None, None, None, "0.01")
    assert desk.rows("select 1 from batches") == [], "a dry run writes nothing"
    request = row["request"]
    assert request["method"] == "POST" and request["url"].endswith("/http/enrich")
    assert request["headers"]["x-token"] == "${MY_TOKEN}"
    assert json.loads(request["body"]["text"]) == {"first_name": "Ada", "n": "7", "step": "find"}

    tried = desk.json("try", "find", "--set", "first_name=Ada", "--set", "original.n=7")
    (row,) = tried["rows"]
    assert (tried["batch"], tried["settled"], tried["cost"]) == ("acme-try-find-1", True, "0.01")
    assert (row["status"], row["outcome"], row["cost"], row["answer"]["http_status"]) == (
        "COMPLETED", "found", "0.01", 200,
    )  # fmt: skip
    assert row["request"] == request
    answer = json.loads(row["answer"]["body"]["text"])
    by_name = {one["field"]: one for one in row["fields"]}
    assert (by_name["find"]["answered"], by_name["find"]["value"]) == (answer["id"], answer["id"])
    assert (by_name["email"]["type"], by_name["email"]["value"], by_name["email"]["rejected"]) == (
        "email", None, "not_an_address",
    )  # fmt: skip
    assert tried["budgets"] == [{"workflow": None, "amount": "1.00", "left": "0.99", "currency": "USD"}]
    assert "a-secret-of-ours" not in json.dumps(tried)
    (call,) = desk.rows("select * from provider_calls")
    assert (call["state"], call["cost"]) == ("applied", Decimal("0.01"))
    assert json.loads(bytes(call["response_body"])) == answer, "the ledger has the raw answer"

    again = desk.json("try", "find", "--set", "first_name=Ada", "--set", "original.n=7")
    assert (again["rows"][0]["reused_from"], again["cost"]) == ("acme-try-find-1", "0.00")
    fresh = desk.json("try", "find", "--set", "first_name=Ada", "--set", "original.n=7", "--fresh")
    assert (fresh["rows"][0]["reused_from"], fresh["cost"]) == (None, "0.01")
    assert fresh["budgets"][0]["left"] == "0.98"

    printed = desk("try", "find", "--set", "first_name=Ada", "--set", "original.n=7").stdout
    assert "nothing: batch acme-try-find-" in printed and "${MY_TOKEN}" in printed
    shown = desk.json("try", "--show", "acme-try-find-1")
    assert shown["rows"] == tried["rows"]

    assert overview(hq_of(desk.settings), desk.settings) == [], "no list of batches has it"
    with connect(desk.settings.hq_database_url or "") as connection:
        connection.execute("update batches set finished_at = finished_at - interval '1 h'")
        assert batches_to_resume(connection) == [], "no run is asked for"
    assert desk.rows("select 1 from company_play_step_completions") == []
    actions = desk.rows("select action, name from operator_actions where action = 'batch.try' order by id")
    assert [row["name"] for row in actions] == [f"acme-try-find-{n}" for n in (1, 2, 3, 4)]


def test_a_row_of_a_batch_is_seen_as_the_step_would_see_it_and_the_batch_stays_as_it_is(desk: Desk) -> None:
    """The clue is an earlier step's answer, n a cell, and the first name a person's correction."""
    body = {"first_name": "{{first_name}}", "n": "{{original.n}}", "seen": "{{clue}}"}
    clue = step(
        "clue", request={"url": "/echo", "body": {"n": "{{original.n}}0"}}, provides={"clue": "json.n"}, response={}
    )
    find = step("find", request={"url": "/echo", "body": body}, provides={"find": "json.seen"}, response={})
    batch = desk.ran(people(4), clue, find)
    item = batch.first_item()
    batch.change(
        "insert into item_edits (client_id, batch_id, item_id, field, value, edited_by) "
        "select client_id, batch_id, id, 'first_name', 'Grace', 'ada' from batch_items where id = %s", item,
    )  # fmt: skip
    before = desk.rows("select * from workflow_states where batch_id = %s order by 1, 2", batch.batch_id)
    answers = sorted(batch.results(), key=lambda row: row["item_id"])
    seen = [row["fields"]["clue"] for row in answers if row["workflow_slug"] == "clue"]

    batch.change("update batches set blueprint = jsonb_set(blueprint, '{simulated}', 'true')")

    tried = desk.json("try", "find", "--row", f"{batch.key}:1", "--pilot", "3")
    assert [row["row"] for row in tried["rows"]] == [1, 2, 3]
    sent = [json.loads(row["request"]["body"]["text"]) for row in tried["rows"]]
    assert sent == [
        {"first_name": name, "n": str(n), "seen": clue}
        for n, name, clue in zip((1, 2, 3), ("Grace", "Ann2", "Ann3"), seen[:3], strict=True)
    ]
    assert [row["fields"][0]["value"] for row in tried["rows"]] == seen[:3]
    assert desk.rows("select * from workflow_states where batch_id = %s order by 1, 2", batch.batch_id) == before
    assert [row["reused_from"] for row in tried["rows"]] == [None, batch.key, batch.key], (
        "only the corrected row is new"
    )
    alone = desk.json("try", "clue", "--row", f"{batch.key}:2", "--dry-run")
    assert json.loads(alone["rows"][0]["request"]["body"]["text"]) == {"n": "20"}


def test_what_cannot_be_tried_is_refused_with_its_cause_and_nothing_is_written(desk: Desk) -> None:
    desk.register(asking("find", base_url="http://127.0.0.1:9"), step("off", enabled=False), step("free"))
    batch = desk.harness.launch(people(2), step("free"))
    row = ("--row", f"{batch.key}:1")
    for arguments, code in (
        (("off", "--set", "first_name=Ada"), "workflow.disabled"),
        (("nothing", "--set", "first_name=Ada"), "workflow.not_found"),
        (("free", "--set", "frist_name=Ada"), "try.unknown_field"),
        (("find", "--set", "original.n=1"), "try.missing_input"),
        (("free",), "try.row_or_fields"),
        (("free", *row, "--set", "first_name=Ada"), "try.row_or_fields"),
        (("free", "--row", f"{batch.key}:99"), "row.not_found"),
        (("free", "--row", "no-such-batch:1"), "batch.not_found"),
        (("free", "--row", "a b:c"), "try.row_invalid"),
        (("free", "--row", f"{batch.key}:1", "--client", "globex"), "try.other_client"),
        (("free", "--set", "first_name=Ada", "--pilot", "3"), "try.several_of_given"),
        (("free", "--set", "first_name=Ada", "--client", "globex"), "client.not_found"),
        ((), "option.try"),
        (("--show", "acme-try-free-9"), "try.not_found"),
    ):
        assert desk.refused("try", *arguments) == code, arguments
    real = desk("try", "find", "--set", "first_name=Ada", ENRICH_SANDBOX_URL="")
    assert "the environment variable MY_TOKEN is not set" in str(real.exception)
    assert desk.rows("select 1 from batches where is_try") == []
    desk.harness.hq.execute("insert into clients (slug, name) values ('globex', 'g')")
    desk.harness.hq.commit()
    assert desk.refused("try", "free", "--set", "first_name=Ada") == "try.client_not_said"


def test_a_bulk_workflow_is_tried_alone_a_companys_rows_share_a_call_and_a_budget_is_kept(desk: Desk) -> None:
    firm = company_step("firm", price={"estimate": "0.03"})
    batch = desk.ran([{**one, "company_name": "One Ltd"} for one in people(3)], firm)
    desk.register(bulk_step("many", price={"estimate": "0.02", "not_found": "0.02"}))
    alone = desk.json("try", "many", "--row", f"{batch.key}:2")
    assert (alone["at_most"], len(alone["rows"]), alone["rows"][0]["together"]) == (10, 1, 1)
    assert len(json.loads(alone["rows"][0]["request"]["body"]["text"])["rows"]) == 1
    together = desk.json("try", "many", "--row", f"{batch.key}:1", "--pilot", "3", "--fresh")
    assert [row["together"] for row in together["rows"]] == [3, 3, 3]

    shared = desk.json("try", "firm", "--row", batch.key, "--pilot", "3")
    assert sorted(row["shares_row"] is None for row in shared["rows"]) == [False, False, True]
    assert shared["cost"] == "0.03"

    batch.set_budget("0.01")
    broke = desk.json("try", "many", "--row", f"{batch.key}:3", "--fresh")
    assert broke["rows"][0]["status"] == "SKIPPED" and broke["rows"][0]["reason"].startswith("budget: ")
    assert broke["rows"][0]["hints"][0]["action"] == "raise_budget"


def test_what_goes_wrong_is_told_with_its_raw_answer_and_a_script_notices(desk: Desk) -> None:
    desk.register(
        step("find", retry={"attempts": 2, "base": 0.01, "max": 0.02}), step("gone", base_url="http://127.0.0.1:9")
    )
    given = ("--set", "first_name=Ada", "--set")
    down = desk.json("try", "find", *given, "original.scenario=unavailable", code=1)["rows"][0]
    assert (down["status"], down["error_class"], down["attempts"]) == ("FAILED", "retryable", 2)
    assert down["answer"]["http_status"] >= 500 and down["hints"][0]["action"] == "retry_later"
    page = desk.json("try", "find", *given, "original.scenario=html", code=1)["rows"][0]
    assert (page["status"], page["error_class"]) == ("FAILED", "contract")
    assert page["answer"]["body"]["text"].startswith("<!DOCTYPE html>")
    result = desk("try", "gone", *given, "original.n=1", "--json", ENRICH_SANDBOX_URL="")
    (away,) = json.loads(result.stdout)["rows"]
    assert away["answer"] is None and "could not be reached" in away["reason"], away
    missed = desk.json("try", "find", *given, "original.scenario=miss")["rows"][0]
    assert (missed["outcome"], missed["cost"]) == ("not_found", "0.00")


def test_an_answer_that_comes_later_is_waited_for_with_an_end_and_seen_when_it_came(desk: Desk) -> None:
    desk.register(async_step("later"))
    tried = desk.json("try", "later", "--set", "first_name=Ada", "--wait", "0.3")
    (row,) = tried["rows"]
    assert (tried["settled"], row["status"], row["answer"]["how"]) == (False, "IN_PROGRESS", "response")
    assert row["request"]["headers"].keys() and "(token)" in row["request"]["body"]["text"]
    assert [hint["text"] for hint in row["hints"]] == [f"look again: enrich try --show {tried['batch']}"]

    (call,) = desk.rows("select * from provider_calls")
    batch = desk.harness.launch(people(1), step("other"))
    batch.call_back(call, {"found": True, "id": "late"})
    assert desk.refused("status", tried["batch"]) == "batch.is_a_try"
    came = desk.json("try", "--show", tried["batch"], "--wait", "0")
    assert (came["settled"], came["rows"][0]["answer"]["how"], came["rows"][0]["outcome"]) == (
        True,
        "callback",
        "found",
    )
    assert came["rows"][0]["fields"][0]["value"] == "late"


def test_the_daemon_takes_a_trys_callback_in_and_asks_for_no_run_and_a_stop_leaves_the_rest(desk: Desk) -> None:
    desk.register(async_step("later"))
    hq, stop = hq_of(desk.settings), threading.Event()
    begun = time.monotonic()
    wanted = Wanted("later", given={"first_name": "Ada"})
    report = make_try(hq, desk.settings, wanted, actor=TESTER, wait=60, on_wait=lambda _: stop.set(), stop=stop)
    assert not report.settled and report.key and time.monotonic() - begun < 30
    (call,) = desk.rows("select * from provider_calls")
    desk.harness.launch(people(1), step("other")).call_back(call, {"found": True, "id": "late"})
    with connect(desk.settings.hq_database_url or "") as connection:
        assert [(one.batch_key, one.is_try) for one in new_callbacks_by_batch(connection)] == [(report.key, True)]
    taken = take_in_callbacks(hq, desk.settings, report.key, build_providers(desk.settings.sandbox_url), 5.0)
    assert (taken.items, taken.settled.finished) == (1, True)
    assert desk.json("try", "--show", report.key)["rows"][0]["outcome"] == "found"
    with connect(desk.settings.hq_database_url or "") as connection:
        connection.execute("update batches set finished_at = finished_at - interval '1 h'")
        assert report.key not in {waiting.batch_key for waiting in batches_to_resume(connection)}


def test_child_items_of_a_tried_row_are_counted_and_nobody_is_asked_about_them(desk: Desk) -> None:
    people_of = [{"first_name": "Ann", "email": "ann@pine.example"}, {"first_name": "Bob", "title": "Pro"}]
    request = {"url": "/echo", "body": {"people": people_of}}
    answer = {"found_if": "json.people"}
    desk.register(step("search", request=request, provides={}, response=answer, emits={"items": "json.people"}))
    (row,) = desk.json("try", "search", "--set", "company_name=Pine Golf")["rows"]
    assert (row["outcome"], row["emitted"]) == ("found", 2)
    assert len(desk.rows("select 1 from provider_calls")) == 1
