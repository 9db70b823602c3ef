"""What each kind of rule finds, what it leaves alone, and when it is over: on batches that the engine ran."""

from __future__ import annotations

from decimal import Decimal

from enrichment_assets.domain.alerts.kinds import Kind
from enrichment_assets.domain.suppression import read_identity
from enrichment_assets.services.alerts.sentences import sentence
from enrichment_assets.services.alerts.watching import Round
from enrichment_assets.services.batches.advancing import load_batch
from enrichment_assets.services.batches.families import write_families
from enrichment_assets.services.operations.budgeting import set_budget
from enrichment_assets.services.operations.holding import pause, resume
from enrichment_assets.services.people.suppressing import Terms, suppress
from tests.actors import TESTER
from tests.alerts.watch import Watch
from tests.harness.batches import async_step, people, step
from tests.harness.handles import hq_of


def test_a_batch_that_finished_is_told_once_with_what_failed_and_again_when_it_finishes_again(watched: Watch) -> None:
    before = watched.harness.launch(people(1), step("find"))
    before.run()
    watched.change("update batches set finished_at = finished_at - interval '1 hour'")
    watched.rule(Kind.BATCH_FINISHED)
    batch = watched.harness.launch([{"n": "1"}, {"n": "2", "scenario": "error"}], step("find", retry={"attempts": 1}))
    batch.run()
    assert [watched.round().sent, watched.round().sent] == [1, 0]
    assert watched.texts() == [f"Info: acme: batch {batch.key} has finished, 1 steps failed"]
    batch.change("update batches set finished_at = finished_at + interval '2 minutes' where id = %s", batch.batch_id)
    assert watched.round().sent == 1
    assert watched.summaries() == [], "it happened, and is not open"


def test_a_batch_is_stuck_when_it_is_due_and_nothing_runs_it_or_nothing_of_it_moves(watched: Watch) -> None:
    watched.rule(Kind.BATCH_STUCK, threshold="30")
    due, waits, working, left, calls = (
        watched.harness.launch(people(2), async_step(f"find-{n}") if n in (1, 4) else step(f"find-{n}"))
        for n in range(5)
    )
    for batch in (waits, calls):
        batch.run()
    long_ago = "clock_timestamp() - interval '40 minutes'"
    watched.change("update batches set resume_at = clock_timestamp() + interval '1 day' where id = %s", waits.batch_id)
    assert watched.round().due == 0
    watched.change(f"update batches set resume_at = {long_ago} where id = %s", due.batch_id)
    watched.change("update batches set resume_at = null where id = any(%s)", [working.batch_id, left.batch_id])
    for batch, expires in ((working, "clock_timestamp() + interval '1 minute'"), (left, long_ago)):
        watched.change(
            f"insert into runners (batch_id, label, started_at, expires_at) values (%s, 'x', {long_ago}, {expires})",
            batch.batch_id,
        )
    watched.change(f"update workflow_states set advanced_at = {long_ago} where batch_id = %s", working.batch_id)
    calls.call_back(calls.calls()[0], {"found": True, "id": "1"})
    watched.change(f"update callback_inbox set received_at = {long_ago}")
    watched.round()
    told = watched.summaries()
    assert len(told) == 4
    for batch, word in (
        (due, "it has been due since"),
        (working, "a run works on it, and no step has moved since"),
        (left, "its run died at"),
        (calls, "callbacks have waited since"),
    ):
        assert any(text.startswith(f"acme: batch {batch.key} is stuck: {word}") for text in told)
    # A step that a provider stopped is told as that, a paused batch as that, and one that has moved is not stuck.
    watched.change(
        "insert into step_stops (batch_id, workflow_slug, client_id, cause, reason, process) "
        "select batch_id, workflow_slug, client_id, 'auth', 'no', 'x' from workflow_states where batch_id = %s limit 1",
        working.batch_id,
    )
    pause(watched.hq, due.key, reason="", actor=TESTER)
    watched.change("update runners set ended_at = clock_timestamp() where batch_id = %s", left.batch_id)
    watched.change("update callback_inbox set status = 'applied'")
    watched.round()
    watched.later(minutes=6)
    watched.round()
    assert watched.summaries() == []


def test_a_paused_step_says_who_and_why_and_a_cancelled_one_is_no_pause(watched: Watch) -> None:
    watched.rule(Kind.BATCH_PAUSED)
    batch = watched.harness.launch(people(1), step("find"), step("more"))
    pause(watched.hq, batch.key, workflow="more", reason="check the prices", actor=TESTER)
    watched.round()
    assert watched.summaries() == [
        f"acme: more of batch {batch.key} was paused by {TESTER}: check the prices",
    ]
    resume(watched.hq, batch.key, workflow="more", actor=TESTER)
    watched.change(
        """update batches set holds = '{"more": {"kind": "cancelled", "reason": "", "actor": "cli:a", "at": "x"}}'"""
    )
    watched.round()
    watched.later(minutes=6)
    watched.round()
    assert watched.summaries() == []


def test_the_share_of_failed_answers_counts_from_twenty_on_and_for_the_rules_client_only(watched: Watch) -> None:
    few = watched.harness.launch(people(19, scenario="error"), step("find", retry={"attempts": 1}))
    many = watched.harness.launch(people(15) + people(5, scenario="error"), step("find", retry={"attempts": 1}))
    theirs = watched.harness.launch(people(20, scenario="error"), step("find", retry={"attempts": 1}), client="globex")
    for batch in (few, many, theirs):
        batch.run()
    watched.rule(Kind.BATCH_ERRORS, threshold="25", client="acme")
    watched.rule(Kind.BATCH_ERRORS, threshold="26", client="acme")
    watched.round()
    assert watched.summaries() == [f"acme: 25 % of find failed in batch {many.key} (5 of 20 answers)"]


def test_a_provider_that_refuses_is_one_incident_however_many_batches_wait(watched: Watch) -> None:
    watched.rule(Kind.PROVIDER_STOPPED)
    for _ in range(3):
        batch = watched.harness.launch(people(1), step("find"))
        watched.change(
            "insert into step_stops (batch_id, workflow_slug, client_id, cause, reason, variable, process) "
            "select id, 'find', client_id, 'auth', 'Ann''s key', 'ACME_KEY', 'x' from batches where id = %s",
            batch.batch_id,
        )
    watched.change(
        "insert into step_stops (batch_id, workflow_slug, client_id, cause, reason, process) "
        "select id, 'more', client_id, 'day_limit', 'x', 'x' from batches where id = %s",
        batch.batch_id,
    )
    watched.round()
    (told,) = watched.summaries()
    assert told == "acme: find refuses its key, variable ACME_KEY: find of 3 batches wait"
    watched.change("delete from step_stops")
    watched.round()
    watched.later(minutes=6)
    assert watched.round().sent == 1
    assert watched.texts()[1] == f"Resolved: {told}"


def test_a_budget_is_told_at_eighty_and_at_a_hundred_and_when_a_batch_pauses_for_it(watched: Watch) -> None:
    for threshold in ("80", "100"):
        watched.rule(Kind.BUDGET_USED, threshold=threshold)
    batch = watched.harness.launch(people(3), step("find", price={"estimate": "0.04", "not_found": "0"}))
    hq = hq_of(watched.settings)
    set_budget(hq, "acme", "1", batch=None, workflow=None, actor=TESTER)
    set_budget(hq, "acme", "0", batch=None, workflow="reveal-phone-via-apollo", actor=TESTER)
    assert watched.round().due == 0
    set_budget(hq, "acme", "0.1", batch=batch.key, workflow=None, actor=TESTER)
    batch.run()
    watched.round()
    of = f"acme: the budget of batch {batch.key}: 0.08 of 0.10 (80 %) spent or set aside"
    assert sorted(watched.summaries()) == [of, f"{of}, and batches pause for it"]
    set_budget(hq, "acme", "10", batch=batch.key, workflow=None, actor=TESTER)
    watched.round()
    watched.later(minutes=6)
    watched.round()
    assert watched.summaries() == [], "raised, and the batch goes on"


def test_dead_letters_are_counted_for_each_client_and_over_when_they_are_replayed(watched: Watch) -> None:
    watched.rule(Kind.CALLBACK_DEAD, threshold="2")
    batch = watched.harness.launch(people(2), async_step("find"))
    batch.run()
    for call in batch.calls():
        batch.call_back(call, {"found": True, "id": "1"})
    watched.change("update callback_inbox set status = 'dead' where id = (select min(id) from callback_inbox)")
    assert watched.round().due == 0
    watched.change("update callback_inbox set status = 'dead'")
    watched.round()
    assert watched.summaries() == ["acme: 2 callbacks that could not be read"]
    watched.change("update callback_inbox set status = 'new'")
    watched.round()
    watched.later(minutes=6)
    watched.round()
    assert watched.summaries() == []


def test_a_client_without_a_new_batch_or_table_is_overdue_also_one_that_never_had_any(watched: Watch) -> None:
    watched.harness.launch(people(1), step("find"))
    watched.harness.launch(people(1), step("find"), client="globex")
    watched.rule(Kind.CLIENT_OVERDUE, threshold="24")
    watched.rule(Kind.TABLE_OVERDUE, threshold="24")
    watched.rule(Kind.TABLE_BEHIND, threshold="30")
    assert watched.round().due == 0
    old = "clock_timestamp() - interval '25 hours'"
    watched.change(
        f"update batches set created_at = {old} where client_id = (select id from clients where slug = 'acme')"
    )
    watched.change(f"update clients set created_at = {old}")
    watched.round()
    (overdue, *never) = watched.summaries()
    assert overdue.startswith("acme: the newest batch is of 20")
    assert never == [
        f"{client}: there is no table yet, 24 hours after the client was added" for client in ("acme", "globex")
    ]
    watched.change("update batches set finished_at = clock_timestamp() - interval '40 minutes'")
    watched.change("update batches set extracted_at = clock_timestamp() where id = (select max(id) from batches)")
    watched.round()
    (behind,) = [text for text in watched.summaries() if "its tables are not made of it" in text]
    assert behind.startswith("acme: batch ")


def test_rows_of_people_who_said_no_are_told_once_for_a_batch_and_without_their_names(watched: Watch) -> None:
    watched.rule(Kind.SUPPRESSION_HIT)
    suppress(watched.hq, watched.settings, read_identity("ann@acme.com"), Terms("asked Bob to stop"), actor=TESTER)
    batch = watched.harness.launch(
        [{"n": "1", "email": "ann@acme.com"}, {"n": "2", "email": "ben@acme.com"}], step("find"), step("more")
    )
    batch.run()
    assert [watched.round().sent, watched.round().sent] == [1, 0]
    assert watched.texts() == [f"Info: acme: batch {batch.key} has 1 row of people who said no: nobody is asked"]


def test_families_that_failed_or_could_not_be_written_are_told_by_step_and_rows_until_they_are_mended(
    watched: Watch,
) -> None:
    watched.rule(Kind.FAMILY_FAILED)
    rows = [{"n": str(n), "scenario": "error" if n in (2, 3) else ""} for n in range(1, 5)]
    columns = {"id": "original.n", "status": "family.status"}
    tables = [{"table": "not_there", "key": ["id"], "columns": columns}]
    batch = watched.harness.launch(rows, step("find", retry={"attempts": 1}), families={"tables": tables})
    batch.run()
    assert watched.round().due == 0
    write_families(watched.hq, load_batch(watched.hq, batch.key))
    watched.round()
    assert sorted(watched.summaries()) == [
        f"acme: 2 of the families of batch {batch.key} failed (find): rows 2, 3",
        f"acme: tables of batch {batch.key} could not be written for 4 of its families: rows 1, 2, 3, 4",
    ]
    watched.change("update item_families set status = 'enriched', problem = null")
    watched.round()
    watched.later(minutes=6)
    watched.round()
    assert watched.summaries() == []


def test_a_webhook_at_which_nothing_arrives_is_told_and_over_when_something_does(watched: Watch) -> None:
    watched.rule(Kind.DELIVERY_FAILED, threshold="30")
    watched.harness.launch(people(1), step("find"))
    for name in ("crm", "other", "off"):
        watched.change(
            "insert into outgoing_webhooks (client_id, name, url, events, secret_variable, failing_since, last_error) "
            "select id, %s, 'https://crm.acme.com', '[]', 'T', clock_timestamp() - interval '20 minutes', 'HTTP 503' "
            "from clients where slug = 'acme'",
            name,
        )
    watched.change("update outgoing_webhooks set failing_since = null, disabled_at = now() where name = 'off'")
    assert watched.round().due == 0
    long_ago = "timestamptz '2026-11-29T03:15:00Z'"
    watched.change(f"update outgoing_webhooks set failing_since = {long_ago} where name = 'crm'")
    watched.change(
        f"update outgoing_webhooks set failing_since = {long_ago}, disabled_at = now(), "
        "disabled_reason = 'the receiver is gone (HTTP 410)' where name = 'other'"
    )
    assert watched.round().due == 2
    since = "since 2026-11-29 03:15 UTC"
    assert sorted(watched.summaries()) == [
        f"acme: no message has arrived at the webhook crm {since}: HTTP 503",
        f"acme: no message has arrived at the webhook other {since}, and it is disabled: "
        "the receiver is gone (HTTP 410)",
    ]
    watched.change("update outgoing_webhooks set failing_since = null, disabled_at = null")
    watched.round()
    watched.later(minutes=6)
    watched.round()
    assert watched.summaries() == []


def test_a_mailbox_that_is_paused_is_told_and_over_when_mail_leaves_again(watched: Watch) -> None:
    watched.rule(Kind.MAILBOX_PAUSED)
    watched.harness.launch(people(1), step("find"))
    for address in ("ann@acme.example", "bob@acme.example"):
        watched.change(
            "insert into mailboxes (client_id, address, kind, settings, secrets, postal_address, opt_out, time_zone, "
            "daily_cap, domain_cap) select id, %s, 'smtp', '{}', '{}', 'Erie', 'No?', 'UTC', 20, 5 "
            "from clients where slug = 'acme'",
            address,
        )
    assert watched.round().due == 0
    watched.change(
        "update mailboxes set paused_at = now(), paused_reason = '3 of 90 mails bounced, more than 2%%' "
        "where address = 'ann@acme.example'"
    )
    watched.round()
    assert watched.summaries() == [
        "acme: nothing leaves from the mailbox ann@acme.example: 3 of 90 mails bounced, more than 2%"
    ]
    watched.change("update mailboxes set paused_at = null, paused_reason = null")
    watched.round()
    watched.later(minutes=6)
    watched.round()
    assert watched.summaries() == []


def test_no_kind_finds_anything_where_nothing_is_wrong(watched: Watch) -> None:
    for kind in Kind:
        watched.rule(kind)
    watched.harness.launch(people(1), step("find"))
    assert watched.round() == Round()


def test_a_sentence_is_one_bounded_line_in_utc() -> None:
    facts = {"batch": "a-1", "workflow": None, "reason": "a\nb " + "x" * 900, "actor": "cli:ann"}
    said = sentence(Kind.BATCH_PAUSED, "acme", facts)
    assert said.startswith("acme: batch a-1 was paused by cli:ann: a b xxx")
    assert (len(said), said[-1]) == (500, "…")
    behind = {"batch": "a-1", "since": "2026-11-29T05:15:10.123456+02:00"}
    assert "finished at 2026-11-29 03:15 UTC" in sentence(Kind.TABLE_BEHIND, None, behind)
    budget = {"batch": None, "workflow": "find", "amount": "0", "used": "0", "percent": Decimal(100)}
    assert sentence(Kind.BUDGET_USED, None, budget).endswith(
        "0.00 of 0.00 spent or set aside, and batches pause for it"
    )
