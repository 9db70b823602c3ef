"""Pilots, batches that are given up or replaced, things put away: nothing is paid twice, nothing leaves late."""

from __future__ import annotations

import csv
import re
import threading
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from enrichment_assets.assets.instance import InstancePartitions, open_instance
from enrichment_assets.assets.partitions import PARTITIONS_NAME
from enrichment_assets.cli import launch as launch_command
from enrichment_assets.cli import tidying
from enrichment_assets.cli.hints import told
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.batches.launching import Launched as Answer
from enrichment_assets.services.batches.launching import launch, plan_launch
from enrichment_assets.services.batches.replacing import give_up_batch, launch_instead
from enrichment_assets.services.batches.status import overview, status
from enrichment_assets.services.catalog import archiving
from enrichment_assets.services.catalog.configuration import (
    add_client,
    add_pipeline,
    add_workflow,
    list_pipelines,
    list_workflows,
    pipeline_from_steps,
)
from enrichment_assets.services.insight.leads import export_leads
from enrichment_assets.services.uploads.upload import list_uploads, upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import reconcile
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, Launched, async_step, company_step, step
from tests.harness.handles import hq_of


def the_same(slug: str, **fields: object) -> WorkflowDefinition:
    """A step that asks the same of the same row in every batch: no id of ours is in its request."""
    body = {"first_name": "{{first_name}}", "n": "{{original.n}}", "step": slug}
    headers = {"x-api-key": f"{{{{ '{slug}' }}}}"}
    return step(slug, request={"url": "/enrich", "headers": headers, "body": body}, **fields)


@dataclass
class Desk:
    """A client with a list of six rows, one of them rejected, and a pipeline of a person's and a company's step."""

    harness: BatchHarness
    settings: Settings
    upload: int

    def launch(self, **options: object) -> Answer:
        options.setdefault("pipeline", "mine")
        return launch(
            hq_of(self.settings), self.settings, self.upload, add_partition=lambda _: None, **options, actor=TESTER
        )  # type: ignore[arg-type]

    def batch(self, key: str) -> Launched:
        row = self.harness.hq.execute("select id from batches where batch_key = %s", (key,)).fetchone()
        self.harness.hq.rollback()
        assert row is not None
        return Launched(self.settings, self.harness.hq, self.harness.sandbox, key, row["id"], "acme")

    def run(self, key: str) -> Launched:
        create_items(hq_of(self.settings), self.settings, key)
        batch = self.batch(key)
        batch.run()
        return batch


def say_where(environment: pytest.MonkeyPatch, settings: Settings) -> None:
    """Dagster's storage finds its database by the environment; else it would start a server in the test's home."""
    environment.setenv("ENRICH_HOME", str(settings.home))
    environment.setenv("HQ_DATABASE_URL", settings.hq_database_url or "")
    environment.setenv("DAGSTER_DATABASE_URL", settings.dagster_database_url or "")


@pytest.fixture
def desk(harness: BatchHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    say_where(monkeypatch, harness.settings)
    add_client(hq_of(harness.settings), "acme", actor=TESTER)
    path = tmp_path / "people.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["First Name", "Company", "n", "scenario", "faults"])
        rows.writerow(["Ann", "One Ltd", "1"])
        rows.writerow(["too", "many", "cells", "are", "all", "these"])
        rows.writerows([["Ben", "Two Ltd", "2"], ["Cid", "One Ltd", "3"], ["Dan", "Two Ltd", "4"], ["Eve", "New", "5"]])
    for workflow in (the_same("match"), company_step("firm"), async_step("later")):
        add_workflow(hq_of(harness.settings), harness.settings, workflow, actor=TESTER)
    add_pipeline(hq_of(harness.settings), pipeline_from_steps("mine", "match,firm"), "acme", actor=TESTER)
    add_pipeline(hq_of(harness.settings), pipeline_from_steps("slow", "match,later"), "acme", actor=TESTER)
    add_pipeline(hq_of(harness.settings), pipeline_from_steps("single", "match"), "acme", actor=TESTER)
    return Desk(
        harness,
        harness.settings,
        upload_file(hq_of(harness.settings), harness.settings, path, "acme", actor=TESTER).upload_id,
    )


def test_a_pilot_goes_on_with_the_rest_and_asks_nobody_twice(desk: Desk) -> None:
    plan = plan_launch(hq_of(desk.settings), desk.settings, desk.upload, "mine", limit=2)
    assert (plan.items, [s.calls_at_most for s in plan.steps]) == (2, [2, 2])
    pilot = desk.launch(limit=2)
    assert (pilot.created, pilot.items, pilot.limit) == (True, 2, 2)
    batch = desk.run(pilot.batch_key)
    pilots = status(hq_of(desk.settings), desk.settings, pilot.batch_key)
    assert (pilots.finished, pilots.limit, pilots.items) == (True, 2, 2), "it stops for a look, and says what it is"
    assert [row["row_number"] for row in batch.states("match")] == [1, 3]
    paid = batch.billed()

    assert desk.launch(limit=2).added == 0, "the same launch again changes nothing"
    rest = plan_launch(hq_of(desk.settings), desk.settings, desk.upload, "mine")
    assert (rest.batch_key, rest.items, rest.rows_before) == (pilot.batch_key, 3, 2)
    grown = desk.launch(limit=3)
    assert (grown.batch_key, grown.added, grown.created) == (pilot.batch_key, 1, False)
    whole = desk.launch()
    assert (whole.batch_key, whole.added, whole.items) == (pilot.batch_key, 2, 5)
    whole_batch = status(hq_of(desk.settings), desk.settings, pilot.batch_key)
    assert (whole_batch.finished, whole_batch.limit) == (False, None)
    desk.run(pilot.batch_key)
    assert [row["row_number"] for row in batch.states("match")] == [1, 3, 4, 5, 6]
    assert batch.statuses() == {"COMPLETED": 10}
    assert (batch.asked("match"), batch.asked("firm")) == (5, 3), "each row and each company once"
    assert batch.billed() > paid
    export_leads(
        hq_of(desk.settings), desk.settings, pilot.batch_key, desk.settings.home / "whole.csv", with_upload=True
    )
    assert {c.name: c.passed for c in reconcile(hq_of(desk.settings), desk.settings, pilot.batch_key)}[
        "rows + children = items"
    ]
    again = desk.launch()
    assert again.created and again.batch_key != pilot.batch_key, "a batch that has all rows is no pilot any more"


def test_a_pilot_whose_workflow_was_changed_is_not_mixed_with_the_new_one(desk: Desk) -> None:
    pilot = desk.launch(limit=2)
    add_workflow(hq_of(desk.settings), desk.settings, the_same("match", provides={"match_id": "id"}), actor=TESTER)
    with pytest.raises(ConfigurationError) as changed:
        desk.launch()
    assert re.search(f"--batch {pilot.batch_key}.*--replace {pilot.batch_key}", told(changed.value))
    assert desk.launch(batch_key=pilot.batch_key).items == 5, "as it was launched, when that is said"


def test_a_replaced_batch_sends_nothing_more_and_what_it_paid_for_is_taken(desk: Desk) -> None:
    first = desk.launch(pipeline="slow", limit=3)
    old = desk.run(first.batch_key)
    assert old.statuses("later") == {"IN_PROGRESS": 3}
    late = old.calls("later")[0]
    add_workflow(hq_of(desk.settings), desk.settings, the_same("match", provides={"their_id": "id"}), actor=TESTER)
    asked = old.asked("match")
    done = launch_instead(
        hq_of(desk.settings),
        desk.settings,
        first.batch_key,
        desk.upload,
        "mine",
        partitions=InstancePartitions(desk.settings),
        actor=TESTER,
    )
    assert (done.given_up.under_way, done.questions) == (3, 6)
    new = desk.run(done.launched.batch_key)
    assert new.statuses() == {"COMPLETED": 10}
    assert new.asked("match") == asked + 2, "three of five answers were paid for already"
    reasons = [row["reason"] for row in new.states("match")]
    assert [bool(r and r.startswith(f"reused: batch {first.batch_key}")) for r in reasons] == [True] * 3 + [False] * 2
    assert all(row["their_id"] for row in (r["fields"] for r in new.results() if r["workflow_slug"] == "match"))
    assert [b.batch for b in overview(hq_of(desk.settings), desk.settings)] == [done.launched.batch_key], (
        "the old one is out of the list"
    )

    old.call_back(late, {"found": True, "id": "x"})
    old.run()
    assert old.statuses("later") == {"COMPLETED": 1, "IN_PROGRESS": 2}, "what was under way is settled all the same"
    repeated = launch_instead(
        hq_of(desk.settings),
        desk.settings,
        first.batch_key,
        desk.upload,
        "mine",
        partitions=InstancePartitions(desk.settings),
        actor=TESTER,
    )
    assert repeated.launched.batch_key == done.launched.batch_key, "an interrupted launch is repeated, not doubled"


def test_after_the_commit_of_giving_up_no_call_leaves_and_calls_under_way_are_kept(desk: Desk) -> None:
    add_workflow(
        hq_of(desk.settings), desk.settings, the_same("match", limits={"per_second": 1, "concurrency": 1}), actor=TESTER
    )
    key = desk.launch(pipeline="single").batch_key
    create_items(hq_of(desk.settings), desk.settings, key)
    batch = desk.batch(key)
    desk.harness.sandbox.configure(latency="300ms")
    running = threading.Thread(target=batch.run)
    running.start()
    while not batch.calls():
        assert running.is_alive()
    give_up_batch(hq_of(desk.settings), key, actor=TESTER)
    intents = len(batch.calls())
    running.join()
    assert len(batch.calls()) == intents < 5, "an intent is committed before, or never"
    assert batch.statuses() == {"COMPLETED": intents, "SKIPPED": 5 - intents}, "what was under way has its answer"
    batch.run()
    assert (len(batch.calls()), give_up_batch(hq_of(desk.settings), key, actor=TESTER).skipped) == (intents, 0)
    skipped = [row["reason"] for row in batch.states() if row["status"] == "SKIPPED"]
    assert {reason.partition(":")[0] for reason in skipped} == {"given_up"}

    batch.change(
        "update workflow_states set status = 'PENDING' where batch_id = %s and status = 'SKIPPED'", batch.batch_id
    )
    batch.run()
    assert (len(batch.calls()), batch.statuses()["SKIPPED"]) == (intents, 5 - intents), "nor later, by whatever way"


def test_what_is_archived_leaves_the_lists_and_what_is_needed_says_so(desk: Desk) -> None:
    settings = replace(desk.settings)
    partitions = InstancePartitions(settings)
    key = desk.launch().batch_key
    partitions.add(key)
    for kind, name, what in (
        ("batch", key, "open steps"),
        ("upload", str(desk.upload), f"open batches: {key}"),
        ("client", "acme", f"open batches: {key}"),
        ("workflow", "match", "pipelines: mine, single, slow"),
    ):
        with pytest.raises(ConfigurationError, match=what):
            archiving.archive(hq_of(settings), settings, kind, name, partitions=partitions, actor=TESTER)  # type: ignore[arg-type]
    desk.run(key)
    archiving.archive(hq_of(settings), settings, "batch", key, partitions=partitions, actor=TESTER)
    archiving.archive(hq_of(settings), settings, "batch", key, partitions=partitions, actor=TESTER)
    with open_instance(settings) as instance:
        assert instance.get_dynamic_partitions(PARTITIONS_NAME) == []
    assert overview(hq_of(settings), settings) == []
    with pytest.raises(ConfigurationError, match="archived"):
        desk.launch(batch_key=key)
    for slug in ("mine", "single", "slow"):
        archiving.archive(hq_of(settings), settings, "pipeline", slug, "acme", partitions=partitions, actor=TESTER)
    archiving.archive(hq_of(settings), settings, "workflow", "match", partitions=partitions, actor=TESTER)
    archiving.archive(hq_of(settings), settings, "upload", str(desk.upload), partitions=partitions, actor=TESTER)
    assert "match" not in [w.definition.slug for w in list_workflows(hq_of(settings))]
    assert [p for p in list_pipelines(hq_of(settings), "acme") if p.client] == []
    assert list_uploads(hq_of(settings), settings) == []
    for misspelt in (
        lambda: give_up_batch(hq_of(desk.settings), f"{key}x", actor=TESTER),
        lambda: archiving.archive(hq_of(settings), settings, "batch", f"{key}x", partitions=partitions, actor=TESTER),
    ):
        with pytest.raises(NotFoundError, match=f"did you mean '{key}'"):
            misspelt()
    with pytest.raises(ConfigurationError, match="a comma or"):
        pipeline_from_steps("p", "normalise-name,,normalise-domain")
    with pytest.raises(NotFoundError, match="no upload"):
        desk.launch()
    names = {(row["kind"], row["name"]) for row in archiving.list_archived(hq_of(settings))}
    pipelines = {("pipeline", slug) for slug in ("mine", "single", "slow")}
    assert names == {("batch", key), ("workflow", "match"), ("upload", str(desk.upload))} | pipelines
    archiving.restore(hq_of(settings), settings, "batch", key, partitions=partitions, actor=TESTER)
    with open_instance(settings) as instance:
        assert instance.get_dynamic_partitions(PARTITIONS_NAME) == [key]
    assert "match" in [w.definition.slug for w in list_workflows(hq_of(settings), needed=True)], (
        "its batch can be run again"
    )

    for kind, name, what in (
        ("batch", key, "calls in the ledger, which is kept: firm, match"),
        ("upload", str(desk.upload), f"batches: {key}"),
        ("workflow", "match", f"pipelines: mine, single, slow; batches: {key}"),
        ("client", "acme", "batches"),
        ("workflow", "normalise-name", "comes with the platform"),
    ):
        with pytest.raises(ConfigurationError, match=what):
            archiving.remove(hq_of(settings), settings, kind, name, partitions=partitions, actor=TESTER)  # type: ignore[arg-type]


def test_what_nothing_depends_on_is_removed_with_its_files(desk: Desk, tmp_path: Path) -> None:
    key = desk.launch().batch_key
    create_items(hq_of(desk.settings), desk.settings, key)
    export_leads(hq_of(desk.settings), desk.settings, key, tmp_path / "leads.csv")
    partitions = InstancePartitions(desk.settings)
    partitions.add(key)
    archiving.remove(hq_of(desk.settings), desk.settings, "batch", key, partitions=partitions, actor=TESTER)
    for table in ("batches", "batch_items", "workflow_states", "item_leases"):
        rows = desk.harness.hq.execute(f"select count(*) as n from {table}").fetchone()
        assert rows == {"n": 0}, table
    assert list(desk.settings.warehouse_dir.glob("*/*/*/*.parquet")) == []
    archiving.remove(
        hq_of(desk.settings), desk.settings, "upload", str(desk.upload), partitions=partitions, actor=TESTER
    )
    assert [path for path in desk.settings.uploads_dir.rglob("*") if path.is_file()] == []
    for slug in ("mine", "single", "slow"):
        archiving.remove(
            hq_of(desk.settings), desk.settings, "pipeline", slug, "acme", partitions=partitions, actor=TESTER
        )
    for slug in ("match", "firm", "later"):
        archiving.remove(hq_of(desk.settings), desk.settings, "workflow", slug, partitions=partitions, actor=TESTER)
    archiving.remove(hq_of(desk.settings), desk.settings, "client", "acme", partitions=partitions, actor=TESTER)
    with pytest.raises(NotFoundError, match="no client 'acme'"):
        archiving.remove(hq_of(desk.settings), desk.settings, "client", "acme", partitions=partitions, actor=TESTER)


def test_the_commands_say_what_is_next_and_delete_nothing_unasked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENRICH_SANDBOX_URL", desk.settings.sandbox_url or "")
    app = typer.Typer()
    for module in (tidying, launch_command):
        module.register(app)

    def said(*arguments: str) -> str:
        done = CliRunner().invoke(app, arguments)
        return str(done.exception) if done.exception else done.output

    upload = str(desk.upload)
    assert "for the rest launch it again without --limit" in said(
        "launch", upload, "--pipeline", "mine", "--limit", "2"
    )
    plan = said("launch", upload, "--pipeline", "mine", "--dry-run")
    assert "3 more; 2 rows of the pilot are not asked about again" in plan
    assert "goes on with 3 more rows" in said("launch", upload, "--pipeline", "mine")
    again = said("launch", upload, "--pipeline", "mine")
    assert f"note: acme-{upload}-mine-1 has the same upload and pipeline; this batch asks and pays again" in again
    key = f"acme-{upload}-mine-1"
    assert "add --yes" in said("give-up", key) and "add --yes" in said("remove", "batch", key)
    replaced = said("launch", upload, "--pipeline", "single", "--replace", key)
    assert (
        f"batch {key} is given up and archived" in replaced and f"acme-{upload}-single-1 launched: 5 items" in replaced
    )
    assert key in said("archived") and said("restore", "batch", key).strip() == f"batch {key} is restored"
    assert said("remove", "batch", key, "--yes").strip() == f"batch {key} is removed"
