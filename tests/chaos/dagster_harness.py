"""The crash suite's Dagster: batches that are runs of the real job, and files that the daemon's sensors take in."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.catalog.clients import add_client
from enrichment_assets.services.catalog.configuration import add_pipeline, add_workflow, pipeline_from_steps
from enrichment_assets.services.uploads.inbox_listing import TAKEN
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.store.database import connect
from enrichment_assets.warehouse import open_warehouse, reconcile
from tests.actors import TESTER
from tests.chaos.crash_harness import CrashHarness, workflows
from tests.chaos.invariants import double_charges
from tests.chaos.points import Point
from tests.harness.fork_server import KILLED, ForkServer, fork_server
from tests.harness.handles import hq_of

CLIENT, PIPELINE = "crashes", "three"
STEPS = ("plain", "keyed", "firm")
INBOX, SEQUENCER = "upload_sensor", "sequencer_sensor"
LOOKS = 20
"""A look executes the runs that it asks for, and may have to end what a killed one began. Looks are a second apart:
tables are asked for five seconds after the last step has settled."""
INSTANCE = """
telemetry: {enabled: false}
storage: {custom: {module: enrichment_assets.resources.dagster_storage, class: EnrichPostgresStorage}}
run_coordinator: {module: dagster._core.run_coordinator, class: DefaultRunCoordinator}
run_launcher: {module: dagster._core.launcher.sync_in_memory_run_launcher, class: SyncInMemoryRunLauncher}
"""


@dataclass
class DagsterHarness:
    """Runs and ticks to kill, and what is left of them."""

    crashes: CrashHarness
    processes: ForkServer
    launched: list[str] = field(default_factory=list)

    def launch(self, rows: int) -> str:
        """Upload a list and launch it, as a person does; the batch's key."""
        path = self.crashes.folder / f"list-{len(self.launched)}.csv"
        path.write_text(self._list(rows))
        upload = upload_file(hq_of(self.crashes.settings), self.crashes.settings, path, CLIENT, actor=TESTER)
        settings = self.crashes.settings
        return launch(
            hq_of(settings),
            settings,
            upload.upload_id,
            PIPELINE,
            client=CLIENT,
            add_partition=lambda _key: None,
            actor=TESTER,
        ).batch_key

    def drop(self, rows: int) -> Path:
        """Put a list into the inbox; it has arrived whole."""
        path = self.crashes.settings.inbox_dir / CLIENT / PIPELINE / f"list-{len(self.launched)}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._list(rows))
        os.utime(path, (time.time() - 60, time.time() - 60))
        return path

    def kill_run_at(self, batch: str, point: Point) -> bool:
        """Kill a run of the batch job there; False: it did not come there. Its lease is over afterwards."""
        code = self.processes.run({"batch": batch, "fault": self.crashes.fault(point, hit=point.hit)})
        self.crashes.let_leases_pass()
        return code == KILLED

    def run(self, batch: str) -> bool:
        """Run the batch job; True: it succeeded."""
        return self.processes.run({"batch": batch}) == 0

    def kill_tick_at(self, *, point: Point | None = None, crash: str | None = None) -> bool:
        """Kill the daemon while it looks at the inbox, at a point of ours or of Dagster's; True: it came there."""
        fault = self.crashes.fault(point, hit=point.hit) if point else None
        order = {"tick": [INBOX], "fault": fault, "crash": {INBOX: crash} if crash else {}}
        return self.processes.run(order) == KILLED

    def look_until_extracted(self, path: Path) -> list[str]:
        """Let the daemon look until a batch of a dropped list is extracted; the keys of that list's batches."""
        query = """
            select b.batch_key, b.finished_at <= b.extracted_at as extracted
            from batches b join uploads u on u.id = b.upload_id where u.filename = %s order by b.id
        """
        for _ in range(LOOKS):
            self.processes.run({"tick": [INBOX, SEQUENCER]})
            found = self.crashes.rows(query, path.name)
            if any(row["extracted"] for row in found):
                return [row["batch_key"] for row in found]
            time.sleep(1)
        raise AssertionError(f"{path.name} was never extracted: {found}")

    def litter(self) -> list[str]:
        """What is in the inbox's folders that should not be: untaken lists, and notes about lists that are gone."""
        return sorted(path.name for path in self.crashes.settings.inbox_dir.glob("*/*/*") if path.name != TAKEN)

    def broken(self, batch: str, rows: int) -> list[str]:
        """What is wrong with a batch whose job has run through; nothing: all laws were kept."""
        settings = self.crashes.settings
        (found,) = self.crashes.rows(
            """select b.id, b.finished_at <= b.extracted_at as extracted,
                      (select count(*) from batch_items i where i.batch_id = b.id) as items,
                      (select count(*) from workflow_states s where s.batch_id = b.id
                       and s.status not in ('COMPLETED', 'AMBIGUOUS')) as undone,
                      (select count(*) from enrichment_results r where r.batch_id = b.id) as results,
                      (select count(*) from company_play_step_completions c where c.batch_id = b.id) as completed,
                      (select count(*) from workflow_states s where s.batch_id = b.id
                       and s.status = 'COMPLETED') as done
               from batches b where b.batch_key = %s""",
            batch,
        )
        with connect(settings.workspace_database_url or "") as workspace:
            count = "select count(*) as n from {} where batch_key = %s"
            published = workspace.execute(count.format("final_leads"), (batch,)).fetchone()
            stored = workspace.execute(count.format("chaos"), (batch,)).fetchone()
        with open_warehouse(settings) as warehouse:
            built = warehouse.execute("select count(*) from final_leads where batch_key = ?", [batch]).fetchone()
        counts: dict[str, Any] = {
            "items": found["items"],
            "leads published": published and published["n"],
            "rows stored": stored and stored["n"],
            "leads in the warehouse": built and built[0],
        }
        wrong = [f"{n} {what} for {rows} rows" for what, n in counts.items() if n != rows]
        if found["undone"] or found["done"] != found["completed"] or not found["extracted"]:
            wrong.append(f"the batch is not done: {found}")
        wrong += [
            f"{c.name}: {c.expected} and {c.actual}"
            for c in reconcile(hq_of(settings), settings, batch)
            if not c.passed
        ]
        wrong += [f"charged twice: {bill}" for bill in double_charges(self.crashes)]
        return wrong

    def _list(self, rows: int) -> str:
        """A list that nobody has seen before: its companies are on the bill under names of their own."""
        number = len(self.launched)
        self.launched.append(str(number))
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["First Name", "Last Name", "Company Name", "n"])
        writer.writerows([f"Ann{n}", f"List{number}", f"Works {number}-{n % 2}", n] for n in range(rows))
        return text.getvalue()


@contextlib.contextmanager
def dagster_harness(crashes: CrashHarness, steps: Sequence[str] = STEPS) -> Iterator[DagsterHarness]:
    """The registry's rows, an instance, and the process that forks runs."""
    add_client(hq_of(crashes.settings), CLIENT, actor=TESTER)
    for workflow in workflows():
        if workflow.slug in steps:
            add_workflow(hq_of(crashes.settings), crashes.settings, workflow, actor=TESTER)
    add_pipeline(hq_of(crashes.settings), pipeline_from_steps(PIPELINE, ",".join(steps)), client=CLIENT, actor=TESTER)
    folder = crashes.folder / "dagster"
    folder.mkdir()
    (folder / "dagster.yaml").write_text(INSTANCE)
    environment = {
        "DAGSTER_HOME": str(folder),
        "ENRICH_HOME": str(crashes.settings.home),
        "HQ_DATABASE_URL": crashes.settings.hq_database_url or "",
        "WORKSPACE_DATABASE_URL": crashes.settings.workspace_database_url or "",
        "DAGSTER_DATABASE_URL": crashes.settings.dagster_database_url or "",
        "ENRICH_SANDBOX_URL": crashes.sandbox.url,
        "ENRICH_RECEIVER_URL": crashes.settings.receiver_url,
    }
    with fork_server(crashes.folder / "dagster.log", "tests.chaos.dagster_child", environment) as processes:
        yield DagsterHarness(crashes, processes)
