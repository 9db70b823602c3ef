"""What each law of DESIGN.md section 6 comes to: functions that raise AssertionError where the law is broken.

They are run on the package as it is, and on copies of it from which a guard was taken (`mutants.py`).
"""

from __future__ import annotations

import asyncio
import io
import logging
import os
from decimal import Decimal
from pathlib import Path

import httpx

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.receiver.app import build_app
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.batches.storing import store_results
from enrichment_assets.services.catalog.configuration import add_workflow, list_workflows
from enrichment_assets.store.calls import intents as intents_store
from enrichment_assets.store.calls.intents import Intent
from enrichment_assets.store.database import connect, connect_async
from enrichment_assets.store.inbox.callbacks import Receipt
from enrichment_assets.store.runs import claims
from tests.actors import TESTER
from tests.engine.hostile_server import answering
from tests.harness.batches import BatchHarness, Launched, async_step, company_step, people, start_runner, step
from tests.harness.handles import hq_of

GOOD = {"found": True, "id": "answer"}


def rows_in_are_rows_out(harness: BatchHarness) -> None:
    """Every row is an item with its text unaltered, and ends in every step, also beside a value nobody can store."""
    rows = [{"first_name": text, "n": text} for text in ("NA", "007", "+1 555", " x ", "nul-l", "1e5", "", "refused")]
    batch = harness.launch(rows, step("first"), step("second", provides={"other": "id"}))
    kept = batch.rows("select original_data ->> 'n' as n from batch_items order by row_number")
    assert [row["n"] for row in kept] == [row["n"] for row in rows]
    batch.change(
        """create function refuse() returns trigger language plpgsql as
           $$ begin raise exception 'refused' using errcode = '22P05'; end $$"""
    )
    batch.change(
        """create trigger refuse before insert on enrichment_results for each row
           when (new.payload ->> 'n' = 'refused') execute function refuse()"""
    )
    try:
        batch.run()
    except InfrastructureError as error:
        raise AssertionError(f"one value ended the run: {error}") from error
    assert sum(batch.statuses().values()) == 2 * len(rows)
    assert set(batch.statuses()) == {"COMPLETED", "FAILED"}


def a_row_that_is_lost_between_upload_and_items_is_noticed(harness: BatchHarness) -> None:
    """The kept bytes give fewer rows than were counted: nothing is laid out."""
    batch = harness.launch(people(3), step("first"))
    for table in ("workflow_states", "item_leases", "batch_items"):
        batch.change(f"delete from {table}")
    batch.change("update batches set items_created_at = null")
    (kept,) = [path for path in (harness.settings.home / "uploads").rglob("*") if path.is_file()]
    kept.chmod(0o600)
    kept.write_bytes(b"".join(kept.read_bytes().splitlines(keepends=True)[:-1]))
    try:
        create_items(hq_of(harness.settings), harness.settings, batch.key)
    except InfrastructureError:
        assert batch.rows("select 1 from batch_items") == []
        return
    raise AssertionError("a row went missing in silence")


def acknowledged_is_committed(harness: BatchHarness) -> None:
    """A callback is answered 2xx only when its bytes are committed, whatever they are."""
    batch = harness.launch(people(1), async_step("slow"))
    batch.run()
    token = batch.calls()[0]["callback_token"]
    batch.change(
        """create function full_disk() returns trigger language plpgsql as
           $$ begin raise exception 'full' using errcode = '53100'; end $$"""
    )
    batch.change("create trigger full_disk before insert on callback_inbox for each row execute function full_disk()")

    async def post() -> int:
        app = build_app(harness.settings)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://receiver") as sender,
        ):
            return (await sender.post(f"/callbacks/{token}", content=b"\x00\xff not json")).status_code

    assert asyncio.run(post()) >= 500 and batch.inbox() == [], "acknowledged, and nothing is committed"
    batch.change("drop trigger full_disk on callback_inbox")
    assert asyncio.run(post()) == 202
    assert bytes(batch.inbox()[0]["body"]) == b"\x00\xff not json"


def the_intent_is_durable_before_the_request_leaves(harness: BatchHarness) -> None:
    """When the provider sees the request, another connection sees its intent."""
    seen: list[int] = []
    with answering() as server:
        batch = harness.launch(people(5), step("first", request={"url": server.url + "/x", "body": {}}))

        def look() -> None:
            with connect(harness.settings.hq_database_url or "", autocommit=True) as connection:
                found = connection.execute("select count(*) as n from provider_calls where state = 'intent'").fetchone()
                seen.append(0 if found is None else found["n"])

        server.before = look
        batch.run()
    assert len(seen) == 5 and min(seen) >= 1, "a request left before its intent was durable"


def the_raw_answer_is_kept_before_it_is_read(harness: BatchHarness) -> None:
    """What cannot be read is there, byte for byte."""
    batch = harness.launch(people(1, scenario="html"), step("first"))
    batch.run()
    body = batch.calls()[0]["response_body"]
    assert body is not None and b"Bad Gateway" in bytes(body)


def an_unknown_fate_is_never_resent(harness: BatchHarness) -> None:
    """A time-out of a billed call is AMBIGUOUS, now and in the next run."""
    batch = harness.launch(people(3, scenario="timeout"), step("first", retry={"timeout": 0.2, "base": 0.01}))
    batch.run()
    batch.run()
    assert batch.statuses() == {"AMBIGUOUS": 3}
    assert harness.sandbox.billing()["double_charges"] == []


def a_dead_runs_call_is_never_resent(harness: BatchHarness) -> None:
    """An intent that a dead run left behind has an unknown fate."""
    batch = harness.launch(people(2), step("first"))
    leave_intents(batch)
    batch.run()
    assert batch.statuses() == {"AMBIGUOUS": 2}
    assert batch.asked("first") == 0


def a_finished_call_is_never_made_again(harness: BatchHarness) -> None:
    """The ledger's key stands in the way, even where a state says that there is work to do."""
    batch = harness.launch(people(2), step("first"))
    batch.run()
    batch.change("update workflow_states set status = 'PENDING', outcome = null")
    batch.run(linger=0.1)
    assert batch.asked("first") == 2


def a_repeated_call_carries_its_key(harness: BatchHarness) -> None:
    """Where the provider honours keys, an answer lost on its way is fetched and not bought again."""
    rows = people(3, faults='{"resets": 1, "fault_attempts": 1}')
    batch = harness.launch(rows, step("first", idempotency_header="idempotency-key"))
    batch.run()
    assert harness.sandbox.billing()["double_charges"] == []


def a_company_is_asked_once(harness: BatchHarness) -> None:
    """Whoever of its people comes first asks for all."""
    rows = [{"first_name": f"P{n}", "company_name": "One"} for n in range(6)]
    batch = harness.launch(rows, company_step("firm"))
    batch.run()
    assert batch.asked("firm") == 1


def spend_is_reserved_before_it_is_spent(harness: BatchHarness) -> None:
    """Many workers, several runs: not a cent above the budget is billed."""
    harness.sandbox.configure(latency="5ms-20ms")
    batch = harness.launch(people(60), step("first", limits={"concurrency": 20}))
    batch.set_budget("0.15")
    batch.run_twice_at_once()
    assert batch.billed() == 15, f"{batch.billed()} calls of a cent on a budget of 15"
    (budget,) = batch.budgets()
    assert (budget.spent, budget.reserved) == (Decimal("0.15"), 0)


def tenants_do_not_share_answers(harness: BatchHarness) -> None:
    """The same company in two clients' batches is asked twice; each has its own answer and rows."""
    rows = [{"first_name": "P", "company_name": "One"}]
    one = harness.launch(rows, company_step("firm"), client="acme", key="first-batch")
    two = harness.launch(rows, company_step("firm"), client="globex", key="second-batch")
    one.run()
    two.run(linger=0.1)
    assert one.asked("firm") == 2, "a client's paid answer went to another client"
    owners = one.rows("select distinct client_id, batch_id from provider_calls")
    assert len(owners) == 2


def a_token_names_its_call_and_outranks_the_payload(harness: BatchHarness) -> None:
    """A callback that claims to be another client's changes only the call of its token; an expired one nothing."""
    mine = harness.launch(people(1), async_step("slow"), client="acme")
    theirs = harness.launch(people(1), async_step("slow"), client="globex")
    mine.run()
    theirs.run()
    claimed = {**GOOD, "item": {"id": theirs.first_item()}, "item_id": theirs.first_item(), "client": "globex"}
    mine.call_back(mine.calls()[0], claimed)
    theirs.run()
    mine.run()
    assert theirs.state("slow")["status"] == "IN_PROGRESS"
    assert mine.state("slow")["outcome"] == "found"
    theirs.change("update provider_calls set token_expires_at = now() - interval '1 s'")
    assert theirs.call_back(theirs.calls()[0], GOOD) is Receipt.UNKNOWN_TOKEN, "an expired token was taken"
    assert len({call["callback_token"] for call in mine.calls() + theirs.calls()}) == 2


def a_secret_is_nowhere_but_in_the_request(harness: BatchHarness) -> None:
    """After a run with a key, neither a log line nor any column of any table has it."""
    secret = "s3cr3t-" + os.urandom(8).hex()
    os.environ["LAW_TEST_KEY"] = secret
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        request = {"url": "/enrich", "headers": {"x-api-key": "{{secrets.key}}"}, "body": {"n": "{{original.n}}"}}
        fields = {"request": request, "secrets": {"key": "LAW_TEST_KEY"}, "limits": {"per_second": 100}}
        batch = harness.launch(people(3), step("first", **fields))
        report = batch.run()
        harness.sandbox.configure(rejected_keys=[secret])
        refused = harness.launch(people(3), step("second", **fields)).run()
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        del os.environ["LAW_TEST_KEY"]
    assert report.finished and refused.stopped
    assert secret not in log.getvalue() + repr(report) + repr(refused), "a secret was logged"
    tables = batch.rows("select tablename from pg_tables where schemaname = 'public'")
    for table in (row["tablename"] for row in tables):
        found = batch.rows(f'select 1 from "{table}" t where t::text like %s', f"%{secret}%")
        assert not found, f"a secret is in {table}"


def a_value_names_where_it_came_from(harness: BatchHarness) -> None:
    """Every found state leads to a result with workflow, provider, call and time, also a shared one."""
    rows = [{"first_name": f"P{n}", "company_name": "One"} for n in range(3)]
    batch = harness.launch(rows, company_step("firm"), step("first"))
    batch.run()
    origins = batch.rows(
        """select s.item_id, r.workflow_slug, r.provider, r.fetched_at, c.id as call_id
           from workflow_states s left join enrichment_results r on r.id = s.result_id
           left join provider_calls c on c.id = r.call_id where s.outcome = 'found'"""
    )
    assert len(origins) == 6
    assert all(row["workflow_slug"] and row["provider"] and row["fetched_at"] and row["call_id"] for row in origins), (
        "a value has no origin"
    )


def a_miss_an_error_a_skip_and_an_unknown_fate_are_told_apart(harness: BatchHarness) -> None:
    """One of each, each different from the others in its state."""
    rows = [
        {"first_name": "A", "n": "found"},
        {"first_name": "B", "n": "miss", "scenario": "miss"},
        {"first_name": "C", "n": "error", "scenario": "html"},
        {"first_name": "", "n": "skipped"},
        {"first_name": "E", "n": "ambiguous", "scenario": "timeout"},
    ]
    batch = harness.launch(rows, step("first", requires=["first_name"], retry={"timeout": 0.2}))
    batch.run()
    seen = [(s["status"], s["outcome"], s["error_class"]) for s in batch.states()]
    assert seen == [
        ("COMPLETED", "found", None),
        ("COMPLETED", "not_found", None),
        ("FAILED", None, "contract"),
        ("SKIPPED", None, None),
        ("AMBIGUOUS", None, "ambiguous"),
    ], f"they cannot be told apart: {seen}"


def a_workflow_is_only_a_row(harness: BatchHarness) -> None:
    """A YAML file that no code knows is registered, runs, and lands in a table that it names itself."""
    path = Path(harness.settings.home).parent / "row.yaml"
    path.write_text(
        """
slug: only-a-row
title: Only a row
step: 500
provider: http
operation: only
mode: sync
secrets: {key: LAW_TEST_KEY}
request: {url: /enrich, headers: {x-api-key: "{{secrets.key}}"}, body: {n: "{{original.n}}"}}
response: {found_if: found}
provides: {odd_value: id}
destination: {table: odd_values, create: true, columns: {odd: fields.odd_value}}
"""
    )
    add_workflow(hq_of(harness.settings), harness.settings, path, actor=TESTER)
    (saved,) = [w.definition for w in list_workflows(hq_of(harness.settings)) if w.definition.slug == "only-a-row"]
    batch = harness.launch(people(3), saved)
    batch.run()
    (stored,) = store_results(hq_of(harness.settings), batch.key).values()
    assert stored.problem is None, stored.problem
    with connect(harness.settings.workspace_database_url or "") as connection:
        exists = connection.execute("select to_regclass('odd_values') is not null as there").fetchone()
        assert exists and exists["there"], "the table that the row asks for is not there"
        rows = connection.execute("select client_slug, batch_key, odd from odd_values").fetchall()
    assert len(rows) == 3 and all(row["odd"] and row["client_slug"] == "acme" for row in rows)


def leave_intents(batch: Launched) -> None:
    """What a run leaves that died between its intents and their answers."""

    async def intend() -> None:
        async with await connect_async(batch.settings.hq_database_url or "", autocommit=True) as connection:
            scope = await start_runner(connection, batch)
            items = [row["id"] for row in batch.rows("select id from batch_items")]
            held = await claims.claim(connection, batch.batch_id, scope.runner_id, items)
            intents = [
                Intent(item, fence, "first", f"left-{item}", f"item:{item}", "http", "first", Decimal("0.01"))
                for item, fence in held
            ]
            await intents_store.intend(connection, scope, intents)
            await connection.execute("update runners set expires_at = now() - interval '1 s'")

    asyncio.run(intend())
