"""Retention: bodies of old answers go with their figures kept, and nothing that somebody may still need is touched."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.instance.ref import InstanceRef

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.installation.databases import Databases
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.operations.history import list_history
from enrichment_assets.services.operations.replaying import replay
from enrichment_assets.services.operations.retention import Retained, retain
from enrichment_assets.services.outgoing.registering import recover_messages
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.store.calls.retention import Bodies
from enrichment_assets.store.database import connect
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, Launched, async_step, people, step
from tests.harness.handles import hq_of
from tests.harness.models import chat, playing, prompt_step, said

GOOD = {"found": True, "id": "answer-1"}


@pytest.fixture
def dagster_url(databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Dagster's tables, made."""
    monkeypatch.setenv("HQ_DATABASE_URL", databases.hq)
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path), config_dir=str(Path.cwd()))):
        yield databases.dagster


def aged(batch: Launched, days: int) -> None:
    """Let everything of the batch have happened so long ago, its tables included."""
    batch.change("update batches set extracted_at = finished_at")
    for table, columns in {
        "batches": ("created_at", "started_at", "finished_at", "extracted_at"),
        "provider_calls": ("created_at", "sent_at", "received_at", "applied_at"),
        "callback_inbox": ("received_at", "processed_at"),
    }.items():
        moved = ", ".join(f"{name} = {name} - make_interval(days => {days})" for name in columns)
        batch.change(f"update {table} set {moved}")


def old(batch: Launched, dagster_url: str, days: int = 30, *, dry_run: bool = False) -> Retained:
    return retain(hq_of(batch.settings), batch.settings, dagster_url, days, dry_run=dry_run, actor=TESTER)


def test_old_bodies_go_and_their_figures_stay(harness: BatchHarness, dagster_url: str) -> None:
    batch = harness.launch(people(2), step("plain"), async_step("slow", step=2))
    batch.run()
    for call in batch.calls("slow"):
        batch.call_back(call, GOOD)
    assert batch.run().finished
    before = {call["id"]: call for call in batch.calls()}
    results = batch.results()
    aged(batch, 40)
    assert old(batch, dagster_url, 60).answers.bodies == 0
    counted = old(batch, dagster_url, dry_run=True)
    assert (counted.answers.bodies, counted.callbacks.bodies) == (4, 2)
    assert counted.answers.bytes == sum(len(call["response_body"]) for call in before.values())
    assert all(call["response_body"] for call in batch.calls())
    done = old(batch, dagster_url)
    assert (done.answers, done.callbacks) == (counted.answers, counted.callbacks)
    for call in batch.calls():
        was = before[call["id"]]
        assert call["response_body"] is None
        assert call["body_bytes"] == len(was["response_body"])
        assert bytes(call["body_sha256"]) == hashlib.sha256(was["response_body"]).digest()
        assert call["body_removed_at"] is not None
        assert {k: call[k] for k in ("cost", "state", "http_status", "external_id")} == {
            k: was[k] for k in ("cost", "state", "http_status", "external_id")
        }
    assert [(row["body"], row["body_bytes"] > 0, row["status"]) for row in batch.inbox()] == [
        (None, True, "applied"),
        (None, True, "applied"),
    ]
    assert batch.results() == results
    assert old(batch, dagster_url).answers.bodies == 0
    noted = [row.after or {} for row in list_history(hq_of(batch.settings)) if row.action == "retention.run"]
    assert [(one["answers"], one["callbacks"]) for one in noted] == [(0, 0), (4, 2), (0, 0)]


def test_what_came_back_of_deliveries_goes_once_it_was_read_and_is_old(harness: BatchHarness, dagster_url: str) -> None:
    batch = harness.launch(people(1), step("plain"))
    for place, (status, days) in enumerate((("read", 40), ("read", 5), ("dead", 40), ("new", 40))):
        batch.change(
            "insert into event_inbox (client_id, source_id, headers, body, body_sha256, fingerprint, status, "
            f"received_at) select id, 1, '{{}}', 'From: ann@acme.com', '\\x00', '\\x0{place}', '{status}', "
            f"now() - interval '{days} days' from clients"
        )
    assert old(batch, dagster_url, dry_run=True).callbacks == Bodies(1, 18)
    assert old(batch, dagster_url).callbacks == Bodies(1, 18)
    kept = batch.rows(
        "select body is null as gone, body_bytes, body_removed_at is null as kept from event_inbox order by id"
    )
    assert [tuple(row.values()) for row in kept] == [(True, 18, False), *[(False, None, True)] * 3]
    assert old(batch, dagster_url).callbacks == Bodies(0, 0)


def test_the_kept_file_of_an_old_list_goes_with_its_figures_kept_and_comes_back_with_the_list(
    harness: BatchHarness, dagster_url: str, tmp_path: Path
) -> None:
    batch = harness.launch(people(3), step("plain"))
    batch.run()
    batch.change(
        "insert into upload_rejections (client_id, upload_id, row_number, line_number, reason, raw) "
        "select client_id, id, 9, 9, 'broken', 'Ann,\"' from uploads"
    )
    (before,) = batch.rows("select * from uploads")
    kept = batch.settings.uploads_dir / "acme" / before["sha256"]
    aged(batch, 40)
    assert old(batch, dagster_url).uploads.bodies == 0, "the list is young yet"
    batch.change("update uploads set created_at = created_at - interval '40 days'")
    batch.change("update batches set finished_at = null")
    assert old(batch, dagster_url).uploads.bodies == 0, "a batch of it is under way"
    batch.change("update batches set finished_at = extracted_at")
    assert old(batch, dagster_url, dry_run=True).uploads == Bodies(1, before["size_bytes"]) and kept.exists()
    assert old(batch, dagster_url).uploads == Bodies(1, before["size_bytes"])
    (after,) = batch.rows("select * from uploads")
    assert not kept.exists() and after["bytes_removed_at"] is not None
    figures = ("row_count", "rejected_count", "sha256", "size_bytes", "columns")
    assert [after[name] for name in figures] == [before[name] for name in figures]
    assert batch.rows("select reason, raw from upload_rejections") == [{"reason": "broken", "raw": ""}]
    assert old(batch, dagster_url).uploads.bodies == 0
    assert upload_file(
        hq_of(batch.settings), batch.settings, tmp_path / "acme-1.csv", "acme", actor=TESTER
    ).already_known
    (again,) = batch.rows("select * from uploads")
    assert kept.exists() and again["bytes_removed_at"] is None


def test_a_prompt_is_read_again_by_the_inputs_it_had_until_they_are_taken_out(
    harness: BatchHarness, dagster_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    page = "Write to ada@pumps.example, or to Bob."
    with playing(lambda path, body: (200, chat(said(email="ada@pumps.example", reason="Bob")))) as model:
        batch = harness.launch([{"company_name": "Pumps", "page": page}], prompt_step("score", model))
        assert batch.run().finished
        batch.change("update batch_items set original_data = jsonb_build_object('page', 'another page')")
        grounded = {"email": ["page"], "reason": ["name"]}
        add_workflow(
            hq_of(batch.settings),
            batch.settings,
            prompt_step("score", model, prompt={"grounded": grounded}),
            actor=TESTER,
        )
        report = replay(hq_of(batch.settings), batch.settings, batch.key, "score", actor=TESTER)
        assert (report.answers, report.changed, len(model.asked)) == (1, 1, 1)
        result = batch.results()[0]
        assert result["fields"] == {"score": 80, "email": "ada@pumps.example"}, "by the page as the model saw it"
        assert result["rejected"]["score_reason"]["reason"] == "not_grounded"
        assert batch.run().finished and len(model.asked) == 1
        aged(batch, 40)
        assert old(batch, dagster_url).answers.bodies == 2
        kept = batch.rows("select inputs, body_bytes, body_removed_at from prompt_inputs")[0]
        assert kept["inputs"] is None and kept["body_bytes"] > len(page) and kept["body_removed_at"] is not None
        gone = replay(hq_of(batch.settings), batch.settings, batch.key, "score", actor=TESTER)
        assert (gone.gone, gone.answers) == (1, 0) and batch.results()[0]["fields"] == result["fields"]


def test_replay_says_that_bodies_are_gone_and_changes_nothing(harness: BatchHarness, dagster_url: str) -> None:
    batch = harness.launch(people(2), step("plain"))
    batch.run()
    states = batch.statuses()
    add_workflow(hq_of(batch.settings), batch.settings, step("plain"), actor=TESTER)
    aged(batch, 40)
    old(batch, dagster_url)
    report = replay(hq_of(batch.settings), batch.settings, batch.key, "plain", dry_run=False, actor=TESTER)
    assert (report.gone, report.answers, report.states) == (2, 0, 0)
    assert batch.statuses() == states


NEEDED = {
    "the batch is under way": "update batches set finished_at = null",
    "its tables are not made": "update batches set extracted_at = null",
    "its tables are out of date": "update batches set extracted_at = finished_at - interval '1 minute'",
    "a callback was not read": "update callback_inbox set status = 'new'",
    "a callback is dead": "update callback_inbox set status = 'dead'",
    "the call has not settled": "update provider_calls set state = 'received'",
    "its fate is unknown": "update workflow_states set status = 'AMBIGUOUS'",
    "the state waits": "update workflow_states set status = 'IN_PROGRESS'",
    "it is young": "update provider_calls set received_at = now(), applied_at = now()",
    "a workflow may reuse it": "update batches set finished_at = finished_at; "
    "update enrichment_registry set definition = jsonb_set(definition, '{reuse_for}', '\"100d\"')",
}


@pytest.mark.parametrize("change", NEEDED.values(), ids=NEEDED.keys())
def test_what_somebody_may_still_need_is_not_touched(harness: BatchHarness, dagster_url: str, change: str) -> None:
    batch = harness.launch(people(1), async_step("slow"))
    batch.run()
    batch.call_back(batch.calls()[0], GOOD)
    assert batch.run().finished
    aged(batch, 40)
    add_workflow(hq_of(batch.settings), batch.settings, async_step("slow"), actor=TESTER)
    for statement in change.split("; "):
        batch.change(statement)
    assert old(batch, dagster_url).answers.bodies == 0
    assert all(call["response_body"] for call in batch.calls())
    assert all(row["body"] for row in batch.inbox())


def test_an_answer_to_several_calls_goes_when_none_of_them_needs_it(harness: BatchHarness, dagster_url: str) -> None:
    batch = harness.launch(people(2), step("plain"))
    batch.run()
    batch.change(
        "insert into bulk_calls (id, client_id, batch_id, workflow_slug, runner_id, call_ids, response_body) "
        "select gen_random_uuid(), client_id, batch_id, workflow_slug, 1, array_agg(id order by id), 'both' "
        "from provider_calls group by client_id, batch_id, workflow_slug"
    )
    batch.change("update provider_calls set response_body = null, bulk_id = (select id from bulk_calls)")
    aged(batch, 40)
    one, _ = batch.calls()
    batch.change("update provider_calls set state = 'ambiguous' where id = %s", one["id"])
    assert old(batch, dagster_url).answers.bodies == 0
    batch.change("update provider_calls set state = 'applied' where id = %s", one["id"])
    assert old(batch, dagster_url, dry_run=True).answers.bodies == 1
    assert old(batch, dagster_url).answers.bodies == 1
    (kept,) = batch.rows("select response_body, body_bytes, encode(body_sha256, 'hex') as sha from bulk_calls")
    assert kept == {"response_body": None, "body_bytes": 4, "sha": hashlib.sha256(b"both").hexdigest()}
    add_workflow(hq_of(batch.settings), batch.settings, step("plain"), actor=TESTER)
    assert replay(hq_of(batch.settings), batch.settings, batch.key, "plain", dry_run=True, actor=TESTER).gone == 2


TOLD = {
    "arrived": (40, 1, "arrived", "on", True),
    "given up": (40, 2, "given_up", "on", True),
    "of no webhook": (40, 3, None, "on", True),
    "waits for a webhook that is disabled": (40, 4, "waiting", "off", True),
    "waits for one that is not": (40, 5, "waiting", "on", False),
    "young": (20, 6, "arrived", "on", False),
    "of no lead": (40, None, "arrived", "on", False),
    "not laid out": (40, 7, "not laid out", "on", False),
}
"""Name -> days ago, item, what became of its message, the webhook, whether its data goes."""


def test_leads_that_were_told_go_with_ids_times_and_sizes_kept_unless_they_are_still_to_be_sent(
    harness: BatchHarness, dagster_url: str
) -> None:
    batch = harness.launch(people(1), step("plain"))
    for name, disabled in (("on", None), ("off", "gone")):
        batch.change(
            "insert into outgoing_webhooks (client_id, name, url, events, secret_variable, disabled_at, "
            "disabled_reason) select id, %s, 'https://crm.example', '[\"lead.ready\"]', 'HOOK', "
            "case when %s::text is not null then now() end, %s from clients",
            *(name, disabled, disabled),
        )
    for name, (days, item, state, webhook, _) in TOLD.items():
        batch.change(
            "insert into outgoing_events (client_id, batch_id, item_id, type, key, data, bytes, occurred_at, "
            "laid_out_at) select id, 1, %s, 'lead.ready', %s, '{\"full_name\": \"Ada\"}', 20, "
            "now() - make_interval(days => %s), case when %s then now() end from clients",
            *(item, name, days, state != "not laid out"),
        )
        if state not in (None, "not laid out"):
            batch.change(
                "insert into outgoing_messages (webhook_id, client_id, type, events, state, created_at) "
                "select w.id, w.client_id, e.type, array[e.id], %s, e.occurred_at "
                "from outgoing_webhooks w, outgoing_events e where w.name = %s and e.key = %s",
                *(state, webhook, name),
            )
    columns = "id, batch_id, item_id, type, bytes, occurred_at, laid_out_at"
    before = batch.rows(f"select {columns} from outgoing_events order by id")
    assert old(batch, dagster_url, dry_run=True).told_leads == Bodies(4, 80)
    assert batch.rows("select 1 from outgoing_events where data is null") == []
    assert old(batch, dagster_url).told_leads == Bodies(4, 80)
    gone = {row["key"] for row in batch.rows("select key from outgoing_events where data is null")}
    assert gone == {name for name, (*_, goes) in TOLD.items() if goes}
    assert batch.rows(f"select {columns} from outgoing_events order by id") == before
    assert old(batch, dagster_url).told_leads == Bodies(0, 0)
    recovered = recover_messages(hq_of(batch.settings), "on", datetime(2026, 1, 1, tzinfo=UTC), actor=TESTER)
    assert (recovered.given_up, recovered.missing) == (0, 0), "what is empty is not sent again"


def test_so_few_days_are_refused(harness: BatchHarness, dagster_url: str) -> None:
    batch = harness.launch(people(1), step("plain"))
    with pytest.raises(ConfigurationError, match="7 days"):
        old(batch, dagster_url, 6)


@dg.multi_asset(
    specs=[dg.AssetSpec("table", partitions_def=dg.DynamicPartitionsDefinition(name="batches"))],
    check_specs=[dg.AssetCheckSpec("holds", asset="table")],
)
def made() -> Iterator[dg.MaterializeResult]:
    yield dg.MaterializeResult(asset_key="table", check_results=[dg.AssetCheckResult(check_name="holds", passed=True)])


def test_old_history_goes_and_the_latest_of_each_partition_is_still_known(
    harness: BatchHarness, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way = harness.launch(people(1), step("plain"), key="under-way")
    monkeypatch.setenv("HQ_DATABASE_URL", databases.hq)
    job = dg.Definitions(assets=[made], executor=dg.in_process_executor).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path), config_dir=str(Path.cwd()))) as instance:
        instance.add_dynamic_partitions("batches", ["one", "two", "under-way"])

        def run(partition: str) -> str:
            return str(job.execute_in_process(instance=instance, partition_key=partition).run_id)

        first, second, third, kept = run("one"), run("one"), run("two"), run("under-way")
        with connect(databases.dagster) as connection:
            connection.execute("update runs set update_timestamp = update_timestamp - interval '40 days'")
        young = run("two")
        counted = old(under_way, databases.dagster, dry_run=True).history
        done = old(under_way, databases.dagster).history
        assert done == counted
        assert done.runs == 2  # `first` and `third` were followed by others
        assert instance.get_run_by_id(first) is None
        assert instance.get_run_by_id(third) is None
        table = dg.AssetKey("table")
        assert instance.get_materialized_partitions(table) == {"one", "two", "under-way"}
        latest = instance.get_latest_materialization_event(table)
        assert latest is not None and latest.run_id == young
        assert instance.get_run_by_id(second) is not None
        assert [e.dagster_event_type for e in instance.all_logs(second)] == [dg.DagsterEventType.ASSET_MATERIALIZATION]
        assert len(instance.all_logs(kept)) > 5
        assert len(instance.all_logs(young)) > 5
        (check,) = instance.event_log_storage.get_asset_check_execution_history(dg.AssetCheckKey(table, "holds"), 1)
        assert check.run_id == young
        assert old(under_way, databases.dagster).history.events == 0
