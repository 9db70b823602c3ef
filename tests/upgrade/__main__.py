"""`make upgrade`, or `python -m tests.upgrade [--rows 400]`: an earlier version works on while this one migrates.

The earlier one has finished and published a batch, and is in the middle of the next, with its receiver up, when this
version opens the database. This one then launches, runs and publishes beside it. Exits 1 where anything was lost.
"""

from __future__ import annotations

import argparse
import csv
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import yaml
from psycopg import sql
from psycopg.rows import dict_row

from enrichment_assets.installation.embedded import LocalPostgres
from enrichment_assets.sandbox.process import SandboxProcess
from tests.harness.batches import async_step, company_step, step
from tests.platform.processes import free_port, wait_until
from tests.upgrade.versions import Version, bare_environment, earlier_version, this_version

CLIENT, PIPELINE = "acme", "before-and-after"
KEYED = {"idempotency_header": "idempotency-key"}
TABLE = {"table": "kept", "create": True, "columns": {"keyed": "fields.keyed"}}
SECONDS = 300.0


@dataclass
class Upgrade:
    """Both versions on one installation."""

    earlier: Version
    later: Version
    hq: str
    workspace: str
    folder: Path
    rows: int
    sandbox: SandboxProcess
    wrong: list[str] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        """Progress, for whoever waits."""
        print(f"{time.strftime('%H:%M:%S')}  {sentence}", flush=True)

    def query(self, url: str, text: str, *parameters: Any) -> list[dict[str, Any]]:
        """Rows now."""
        with psycopg.connect(url, row_factory=dict_row) as connection:
            return connection.execute(text, parameters).fetchall()  # type: ignore[arg-type]

    def register(self, version: Version) -> None:
        """A client, workflows and a pipeline, as people make them."""
        version.enrich("client", "add", CLIENT)
        steps = [
            step("plain"),
            step("keyed", uses=["plain"], destination=TABLE, limits={"per_second": 20}, **KEYED),
            company_step("firm", **KEYED),
            async_step("slow", uses=["keyed"], deadline=120.0, **KEYED),
        ]
        for workflow in steps:
            path = self.folder / f"{workflow.slug}.yaml"
            path.write_text(yaml.safe_dump(workflow.model_dump(mode="json", by_alias=True, exclude_defaults=True)))
            version.enrich("workflow", "add", str(path))
        slugs = ",".join(workflow.slug for workflow in steps)
        version.enrich("pipeline", "add", PIPELINE, "--steps", slugs, "--client", CLIENT)

    def upload(self, version: Version, batch: str) -> int:
        """Upload a list of its own; the number of the upload."""
        path = self.folder / f"{batch}.csv"
        with path.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["First Name", "Last Name", "Company Name", "n"])
            rows.writerows([f"Ann{n}", batch.title(), f"{batch.title()} Works {n % 7}", n] for n in range(self.rows))
        return int(version.enrich("upload", str(path), "--client", CLIENT)["upload_id"])

    def launch(self, version: Version, batch: str, upload: int | None = None) -> None:
        """Launch an upload, or a list of its own."""
        number = self.upload(version, batch) if upload is None else upload
        version.enrich("launch", str(number), "--pipeline", PIPELINE, "--client", CLIENT, "--batch", batch)

    def states(self, batch: str) -> dict[str, int]:
        """Status -> how many states of the batch."""
        found = self.query(
            self.hq,
            "select status, count(*) as n from workflow_states s join batches b on b.id = s.batch_id "
            "where b.batch_key = %s group by status",
            batch,
        )
        return {row["status"]: row["n"] for row in found}

    def revision(self) -> str:
        """The schema's."""
        (found,) = self.query(self.hq, "select to_regclass('schema_revision') is not null as there")
        table = "schema_revision" if found["there"] else "alembic_version"
        (row,) = self.query(self.hq, f"select version_num from {table}")
        return str(row["version_num"])

    def judge(self, batch: str) -> None:
        """Every row is an item, ended in each step, stored and published once."""
        if (states := self.states(batch)) != {"COMPLETED": 4 * self.rows}:
            self.wrong.append(f"{batch}: {states} for {self.rows} rows of four steps")
        for table in ("final_leads", "kept"):
            counted = sql.SQL("select count(*) as n from {} where batch_key = %s").format(sql.Identifier(table))
            (row,) = self.query(self.workspace, counted.as_string(None), batch)
            if row["n"] != self.rows:
                self.wrong.append(f"{batch}: {row['n']} of {self.rows} rows in {table}")
        shown = self.later.enrich("status", batch)
        if not shown["finished"]:
            self.wrong.append(f"{batch}: {shown}")

    def go(self) -> None:
        """The whole of it; what is found wrong is in `wrong`."""
        self.register(self.earlier)
        receiver = self.earlier.start(self.folder / "receiver.log", *self._receiver())
        self.launch(self.earlier, "first")
        self.earlier.enrich("run", "first", "--wait")
        self.say(f"the earlier version, at revision {self.revision()}, has finished and published a batch")
        uploaded = self.upload(self.earlier, "fourth")
        self.launch(self.earlier, "second")
        running = self.earlier.start(self.folder / "run.log", "enrichment_assets", "run", "second", "--wait")
        wait_until(lambda: self.states("second").get("COMPLETED", 0) > self.rows // 2, SECONDS)
        began = time.monotonic()
        self.later.enrich("status")
        self.say(f"migrated to {self.revision()} in {time.monotonic() - began:.1f} s, at {self.states('second')}")
        self.launch(self.later, "third")
        self.later.enrich("run", "third", "--wait")
        still = running.poll() is None
        self.say(f"this version has finished and published a batch; the earlier one still runs: {still}")
        if running.wait(SECONDS) != 0:
            self.wrong.append(f"the earlier version's run failed: {(self.folder / 'run.log').read_text()[-3000:]}")
        self.launch(self.earlier, "fourth", uploaded)
        another = self.earlier.start(self.folder / "another.log", "enrichment_assets", "run", "fourth", "--wait")
        another.wait(SECONDS)  # it cannot publish any more: the tables are this version's since it has published
        self.say(f"the earlier version has begun and finished another batch: {self.states('fourth')}")
        self.later.enrich("run", "fourth", "--wait")
        for batch in ("first", "second", "third", "fourth"):
            self.judge(batch)
        if receiver.poll() is not None:
            self.wrong.append(f"its receiver is gone: {(self.folder / 'receiver.log').read_text()[-3000:]}")
        receiver.send_signal(signal.SIGTERM)
        receiver.wait(60)
        self.wrong += [f"charged twice: {bill}" for bill in self.sandbox.billing()["double_charges"]]

    def _receiver(self) -> tuple[str, ...]:
        port = self.earlier.environment["ENRICH_RECEIVER_URL"].rpartition(":")[2]
        return ("enrichment_assets.receiver", "--port", port)


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade", description=__doc__)
    parser.add_argument("--rows", type=int, default=400, help="of each of three batches (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="enrich-upgrade-", dir="/tmp", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        postgres = LocalPostgres(folder / "pg", state_dir=folder / "state")
        postgres.start()
        try:
            with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
                for database in ("hq", "workspace", "dagster"):
                    connection.execute(sql.SQL("create database {}").format(sql.Identifier(database)))
            with SandboxProcess(seed=7, latency="20ms-60ms", callback_delay="100ms-500ms") as sandbox:
                environment = bare_environment() | {
                    "ENRICH_HOME": str(folder / "home"),
                    "HQ_DATABASE_URL": postgres.url("hq"),
                    "WORKSPACE_DATABASE_URL": postgres.url("workspace"),
                    "DAGSTER_DATABASE_URL": postgres.url("dagster"),
                    "ENRICH_SANDBOX_URL": sandbox.url,
                    "ENRICH_RECEIVER_URL": f"http://127.0.0.1:{free_port()}",
                    "ENRICH_WARM_MINUTES": "0",
                }
                with earlier_version(folder, environment) as earlier:
                    upgrade = Upgrade(
                        earlier,
                        this_version(environment),
                        postgres.url("hq"),
                        postgres.url("workspace"),
                        folder,
                        options.rows,
                        sandbox,
                    )
                    upgrade.go()
        finally:
            postgres.stop()
    for sentence in upgrade.wrong:
        print(sentence)
    print("the earlier version worked on" if not upgrade.wrong else f"{len(upgrade.wrong)} faults")
    return 1 if upgrade.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
