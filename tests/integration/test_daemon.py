"""The platform as it runs on Monday: `enrich up`, launches by hand, faults on the way, no further command."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from enrichment_assets.installation.databases import Databases
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.warehouse import open_warehouse
from tests.integration.clickup_story import SECRET, two_way_story

ROWS = 20
pytestmark = [pytest.mark.crashes, pytest.mark.timeout(900)]

PATIENCE = 420.0
"""Seconds for a whole step of these tests; the machine may be busy."""

BATCHES = {"north-1": "north", "north-2": "north", "north-3": "north", "south-1": "south", "south-2": "south"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: str, holds: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Poll until `holds()` is true-ish and return it; fails the test by name otherwise."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = holds()
        if value:
            return value
        time.sleep(1.0)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


@dataclass(frozen=True)
class Stack:
    settings: Settings
    databases: Databases
    environment: dict[str, str]
    webserver: str
    sandbox: str

    def enrich(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "enrichment_assets", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def graphql(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = Request(f"{self.webserver}/graphql", body, {"content-type": "application/json"})
        with urlopen(request, timeout=60) as answer:
            content: dict[str, Any] = json.load(answer)
        assert "errors" not in content, content
        return content["data"]

    def configure_sandbox(self, **fields: Any) -> None:
        body = json.dumps(fields).encode()
        headers = {"content-type": "application/json"}
        request = Request(f"{self.sandbox}/_sandbox/settings", body, headers, method="PATCH")
        with urlopen(request, timeout=30) as answer:
            answer.read()


@pytest.fixture(scope="module")
def stack(module_databases: Databases, module_settings: Settings) -> Iterator[Stack]:
    """`enrich up --sandbox` on free ports, with an external Postgres."""
    ports = {name: free_port() for name in ("port", "receiver-port", "sandbox-port", "console-port")}
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ENRICH_", "DAGSTER_"))} | {
        "ENRICH_HOME": str(module_settings.home),
        "HQ_DATABASE_URL": module_databases.hq,
        "WORKSPACE_DATABASE_URL": module_databases.workspace,
        "DAGSTER_DATABASE_URL": module_databases.dagster,
        **SECRET,
    }
    arguments = [part for name, port in ports.items() for part in (f"--{name}", str(port))]
    output = module_settings.home / "up.txt"
    with output.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "enrichment_assets", "up", "--sandbox", "--no-login", *arguments],
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        until("everything is up", lambda: "Everything is up" in output.read_text() or process.poll() is not None)
        assert process.poll() is None, output.read_text()
        used = environment | {
            "ENRICH_RECEIVER_URL": f"http://127.0.0.1:{ports['receiver-port']}",
            "ENRICH_SANDBOX_URL": f"http://127.0.0.1:{ports['sandbox-port']}",
        }
        web, sandbox = f"http://127.0.0.1:{ports['port']}", used["ENRICH_SANDBOX_URL"]
        yield Stack(module_settings, module_databases, used, web, sandbox)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def write_people(path: Path, client: str, first: int) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["First Name", "Last Name", "Company Name", "Website"])
        for number in range(first, first + ROWS):
            company = f"{client.title()} Works {number % 5}"
            rows.writerow(
                [f"{client.title()}{number}", "Tester", company, f"https://{client}-works-{number % 5}.example"]
            )


@pytest.fixture(scope="module")
def finished(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """Five batches of two clients launched at once, with lossy, doubled and shuffled callbacks; none run by hand."""
    stack.configure_sandbox(
        callback_delay=0.5, callback_drop=0.1, callback_duplicate=0.1, shuffle_callbacks=True, seed=5
    )
    folder = tmp_path_factory.mktemp("lists")
    pipeline = "normalise-name,normalise-domain,match-person-via-apollo,enrich-person-clay,reveal-phone-via-apollo"
    for client in ("north", "south"):
        stack.enrich("client", "add", client)
        stack.enrich("pipeline", "add", "mixed", "--steps", pipeline, "--client", client)
        for slug in ("enrich-person-clay", "reveal-phone-via-apollo"):
            stack.enrich(
                "client", "config", client, slug, "--set", "deadline=8s", "--set", "callback.on_deadline=retry"
            )
    for number, (batch, client) in enumerate(BATCHES.items()):
        path = folder / f"{batch}.csv"
        write_people(path, client, first=number * ROWS)
        upload = json.loads(stack.enrich("upload", str(path), "--client", client, "--json"))["upload_id"]
        stack.enrich("launch", str(upload), "--pipeline", "mixed", "--client", client, "--batch", batch)
    until("all five batches are extracted", lambda: all_extracted(stack))
    return stack


def all_extracted(stack: Stack) -> bool:
    with connect(stack.databases.hq) as hq:
        rows = hq.execute("select finished_at, extracted_at from batches").fetchall()
    return all(r["finished_at"] and r["extracted_at"] and r["extracted_at"] >= r["finished_at"] for r in rows)


def test_batches_finish_by_themselves_although_callbacks_are_lost_doubled_and_out_of_order(finished: Stack) -> None:
    with connect(finished.databases.hq) as hq:
        states = hq.execute("select status, count(*) as states from workflow_states group by status").fetchall()
        inbox = hq.execute("select status, count(*) as rows from callback_inbox group by status").fetchall()
    counts = {row["status"]: row["states"] for row in states}
    assert sum(counts.values()) == len(BATCHES) * ROWS * 5
    assert set(counts) <= {"COMPLETED", "SKIPPED"}, counts
    assert {row["status"] for row in inbox} <= {"applied", "superseded"}, inbox


def test_no_result_of_one_client_is_under_another(finished: Stack) -> None:
    with connect(finished.databases.workspace) as workspace:
        leads = workspace.execute("select client_slug, batch_key, first_name from final_leads").fetchall()
        history = workspace.execute("select client_slug, batch_key, person_name from person_work_history").fetchall()
    assert len(leads) == len(BATCHES) * ROWS
    assert all(row["client_slug"] == BATCHES[row["batch_key"]] for row in [*leads, *history])
    assert all(row["first_name"].lower().startswith(row["client_slug"]) for row in leads)


def test_every_batch_is_in_the_warehouse_with_one_lead_a_row(finished: Stack) -> None:
    with open_warehouse(finished.settings) as warehouse:
        rows = warehouse.execute("select batch_key, count(*) from final_leads group by 1 order by 1").fetchall()
    assert rows == [(batch, ROWS) for batch in sorted(BATCHES)]


BACKFILL = """
    mutation Backfill($params: LaunchBackfillParams!) {
      launchPartitionBackfill(backfillParams: $params) {
        __typename
        ... on LaunchBackfillSuccess { backfillId }
        ... on PythonError { message }
      }
    }
"""
BACKFILL_STATUS = """
    query Status($id: String!) {
      partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } }
    }
"""


def backfill_ends(stack: Stack, params: dict[str, Any]) -> None:
    """Launch a backfill and see it end well."""
    launched = stack.graphql(BACKFILL, {"params": params})["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched

    def status() -> str:
        found = stack.graphql(BACKFILL_STATUS, {"id": launched["backfillId"]})
        return str(found["partitionBackfillOrError"]["status"])

    until("the backfill ends", lambda: status().startswith(("COMPLETED", "FAILED", "CANCELED")))
    assert status() == "COMPLETED_SUCCESS"


def test_a_backfill_of_one_step_over_the_five_batches_finishes_and_pays_nothing_again(finished: Stack) -> None:
    with connect(finished.databases.hq) as hq:
        before = hq.execute("select sum(attempt) as calls from provider_calls").fetchone()
    selection = [{"path": ["match_person_via_apollo"]}]
    params = {"assetSelection": selection, "partitionNames": list(BATCHES)}
    backfill_ends(finished, params)
    with connect(finished.databases.hq) as hq:
        assert hq.execute("select sum(attempt) as calls from provider_calls").fetchone() == before


MATERIALISED = """
    query Materialised($keys: [AssetKeyInput!]!, $batch: String!) {
      assetNodes(assetKeys: $keys) { assetMaterializations(partitions: [$batch]) { runId } }
    }
"""


def test_a_backfill_of_the_whole_job_makes_the_tables_and_nothing_for_steps_that_a_batch_does_not_have(
    finished: Stack,
) -> None:
    def runs(asset: str) -> int:
        found = finished.graphql(MATERIALISED, {"keys": [{"path": [asset]}], "batch": "north-1"})["assetNodes"][0]
        return len(found["assetMaterializations"])

    assets = ("enrich_person_clay", "final_leads", "workspace_tables", "find_email_via_hunter")
    before = {asset: runs(asset) for asset in assets}
    repository = {"repositoryName": "__repository__", "repositoryLocationName": "enrichment_assets"}
    selector = {"partitionSetName": "enrich_batch_partition_set", "repositorySelector": repository}
    backfill_ends(finished, {"selector": selector, "partitionNames": ["north-1"]})
    made = {asset: runs(asset) - before[asset] for asset in assets}
    assert made == {"enrich_person_clay": 1, "final_leads": 1, "workspace_tables": 1, "find_email_via_hunter": 0}


RUNS = """
    query Runs($tags: [ExecutionTag!]!) {
      runsOrError(filter: {tags: $tags}) { ... on Runs { results { runId status } } }
    }
"""
TERMINATE = "mutation Stop($id: String!) { terminateRun(runId: $id) { __typename } }"


def test_terminate_lets_the_calls_under_way_finish(finished: Stack, tmp_path: Path) -> None:
    """The mutation is the one that the button sends; the run is the sequencer's, started by the default launcher."""
    path = tmp_path / "slow.csv"
    write_people(path, "north", first=1000)
    upload = json.loads(finished.enrich("upload", str(path), "--client", "north", "--json"))["upload_id"]
    finished.configure_sandbox(latency=4.0)
    try:
        finished.enrich("launch", str(upload), "--pipeline", "apollo-basic", "--client", "north", "--batch", "slow")
        with connect(finished.databases.hq, autocommit=True) as hq:
            states = (
                "select c.id, c.state from provider_calls c join batches b on b.id = c.batch_id "
                "where b.batch_key = 'slow' and c.state = any(%s)"
            )
            until("calls are under way", lambda: hq.execute(states, (["intent"],)).fetchall())
            tags = {"tags": [{"key": "enrich/batch", "value": "slow"}]}
            (run,) = finished.graphql(RUNS, tags)["runsOrError"]["results"]
            stopped = finished.graphql(TERMINATE, {"id": run["runId"]})["terminateRun"]["__typename"]
            assert stopped == "TerminateRunSuccess"

            def ending() -> str:
                runs = finished.graphql(RUNS, tags)["runsOrError"]["results"]
                return str(next(one["status"] for one in runs if one["runId"] == run["runId"]))

            until("the run has ended", lambda: ending() in ("CANCELED", "FAILURE", "SUCCESS"))
            assert ending() == "CANCELED"
            until("no call is under way", lambda: not hq.execute(states, (["intent"],)).fetchall())
            made = hq.execute(states, (["ready", "applied", "ambiguous"],)).fetchall()
            shown = json.loads(finished.enrich("status", "slow", "--json"))
            ambiguous = hq.execute("select count(*) as n from workflow_states where status = 'AMBIGUOUS'").fetchone()
    finally:
        finished.configure_sandbox(latency=0.0)
    assert made
    assert {call["state"] for call in made} <= {"ready", "applied"}
    assert ambiguous == {"n": 0}
    (hold,) = shown["holds"]
    assert (hold["workflow"], hold["kind"], hold["actor"]) == (None, "paused", "dagster:terminate")
    assert hold["reason"] == f"run {run['runId'][:8]} was terminated", "else the sequencer would start the next one"
    assert "batch slow goes on" in finished.enrich("resume", "slow")


def test_a_run_whose_process_is_killed_has_failed_at_once_and_its_batch_comes_to_its_tables(
    finished: Stack, tmp_path: Path
) -> None:
    path = tmp_path / "killed.csv"
    write_people(path, "south", first=2000)
    upload = json.loads(finished.enrich("upload", str(path), "--client", "south", "--json"))["upload_id"]
    finished.configure_sandbox(latency=3.0)
    try:
        finished.enrich("launch", str(upload), "--pipeline", "apollo-basic", "--client", "south", "--batch", "killed")
        query = (
            "select t.run_id, substring(e.event from 'Started process for run .pid: ([0-9]+)')::int as pid "
            "from event_logs e join run_tags t on t.run_id = e.run_id "
            "and t.key = 'enrich/batch' and t.value = 'killed' "
            "where e.event like '%%Started process for run%%'"
        )
        with connect(finished.databases.dagster, autocommit=True) as dagster:
            (run,) = until("its process has started", lambda: dagster.execute(query).fetchall())
            os.kill(run["pid"], signal.SIGKILL)
            status = "select status from runs where run_id = %s"

            def failed() -> bool:
                row = dagster.execute(status, (run["run_id"],)).fetchone()
                return row is not None and row["status"] == "FAILURE"

            until("the run has failed", failed, 60.0)
            told = "select count(*) as n from event_logs where run_id = %s and event like '%%was ended by signal 9%%'"
            assert dagster.execute(told, (run["run_id"],)).fetchone() == {"n": 1}
    finally:
        finished.configure_sandbox(latency=0.0)
    until("its tables are made", lambda: all_extracted(finished))


def test_golf_leads_become_tasks_and_a_reps_corrections_come_back(stack: Stack, tmp_path: Path) -> None:
    two_way_story(stack, tmp_path, until)


WORKFLOW = """
slug: look-up-industry
title: Look up the industry
step: 350
provider: http
operation: look-up
mode: sync
requires: [company_name]
provides: {industry_code: code}
request: {method: GET, url: 'http://127.0.0.1:9/codes', query: {name: '{{ company_name }}'}}
"""
ASSET = 'query Asset { assetNodes(assetKeys: [{path: ["look_up_industry"]}]) { description } }'


def test_a_workflow_that_is_added_shows_as_an_asset_by_itself(finished: Stack, tmp_path: Path) -> None:
    file = tmp_path / "look-up.yaml"
    file.write_text(WORKFLOW, encoding="utf-8")
    assert finished.graphql(ASSET, {})["assetNodes"] == []
    finished.enrich("workflow", "add", str(file))
    (shown,) = until("the asset shows", lambda: finished.graphql(ASSET, {})["assetNodes"])
    assert shown["description"] == "Look up the industry, answered in the response."
    finished.enrich("workflow", "disable", "look-up-industry")
    until("the asset is gone", lambda: finished.graphql(ASSET, {})["assetNodes"] == [])
