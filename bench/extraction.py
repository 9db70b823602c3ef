"""Extraction at scale: payloads in HQ to `person_work_history` as Parquet and as a published table.

    python -m bench.extraction --items 200000 --dlt
    python -m bench.extraction --items 2000000            # 10 million rows: is memory flat?

Compared, in the same run, with (a) one DuckDB query written by hand for exactly these payloads, with no care for any
other shape, from the same Parquet file to the same columns, and (b) dlt loading the same payloads into child tables
(installed for this only, into a temporary environment, when --dlt is given; on the first --dlt-items of them). Prints
JSON. The databases are made on the server of BENCH_POSTGRES_URL, else on an embedded one of this run's own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import md5
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from enrichment_assets import warehouse
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import open_databases

JOBS = 5
ORGANISATIONS = 5_000
BATCH = "bench"

HAND_WRITTEN = """
    copy (
        with jobs as (
            select item_id, result_id, fetched_at, unnest(history) as e, generate_subscripts(history, 1) as ordinal
            from (
                select item_id, result_id, fetched_at, from_json(payload, '{"person":{"employment_history":[
                    {"id":"VARCHAR","organization_name":"VARCHAR","organization_id":"VARCHAR","title":"VARCHAR",
                     "start_date":"VARCHAR","end_date":"VARCHAR","current":"BOOLEAN","kind":"VARCHAR",
                     "degree":"VARCHAR","description":"VARCHAR"}]}}').person.employment_history as history
                from read_parquet('{results}')
            )
        )
        select i.client_slug, i.batch_key, j.item_id, i.row_number, i.first_name || ' ' || i.last_name as person_name,
               j.ordinal, j.e.organization_name, j.e.organization_id, lower(j.e.organization_name) as name_key,
               'apollo:' || j.e.organization_id as organisation_key, j.e.title, j.e.start_date, j.e.end_date,
               try_cast(j.e.start_date as date) as start_from, try_cast(j.e.start_date as date) as start_to,
               try_cast(j.e.end_date as date) as end_from, try_cast(j.e.end_date as date) as end_to, j.e.current,
               j.e.description, j.e.id, 'match-person-via-apollo' as source_workflow, 'apollo' as source_provider,
               j.result_id, j.fetched_at
        from jobs as j
        join read_parquet('{items}') as i on i.item_id = j.item_id
        where j.e.kind is distinct from 'education' and j.e.degree is null
    ) to '{target}' (format parquet, compression zstd, compression_level 1)
"""


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description="Extraction benchmark.")
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--dlt", action="store_true", help="also load with dlt")
    parser.add_argument("--dlt-items", type=int, default=20_000)
    given = parser.parse_args()
    print(json.dumps(run(given.items, dlt_items=given.dlt_items if given.dlt else 0), indent=2))


def run(items: int = 200_000, *, dlt_items: int = 0) -> dict[str, Any]:
    """Seed `items` payloads of about 2 KB with five jobs each, extract and publish them, and compare."""
    figures: dict[str, Any] = {"items": items, "history_rows": items * JOBS}
    with _installation() as settings:
        databases = open_databases(settings)
        seed(databases.hq, items)
        figures["sources_s"], _ = _timed(lambda: warehouse.publish_batch_sources(settings, BATCH))
        history = ["stg_employment", "person_work_history"]
        best = [_timed(lambda: warehouse.build_models(settings, BATCH, history)) for _ in range(3)]
        figures["extraction_s"], figures["extraction_memory_mb"] = min(best)
        figures["all_models_s"], figures["all_models_memory_mb"] = _timed(
            lambda: warehouse.build_models(settings, BATCH)
        )
        started = time.perf_counter()
        published = warehouse.publish_marts(settings, BATCH)
        figures["publish_s"] = round(time.perf_counter() - started, 2)
        figures["publish_history_s"] = round(sum(r.seconds for r in published if r.name == "person_work_history"), 2)
        figures["reconciled"] = all(r.passed for r in warehouse.reconcile(settings, BATCH))
        warehouse.build_analytics(settings)
        figures["hand_written_s"] = min(_timed(lambda: _hand_written(settings))[0] for _ in range(3))
        figures["ratio_to_hand_written"] = round(figures["extraction_s"] / figures["hand_written_s"], 2)
        figures |= _questions(settings, databases.workspace)
        if dlt_items:
            seconds = _dlt(settings, min(dlt_items, items))
            per_item = seconds / min(dlt_items, items)
            figures["dlt_items"] = min(dlt_items, items)
            figures["dlt_s"] = round(seconds, 2)
            figures["times_faster_than_dlt"] = round(per_item / (figures["extraction_s"] / items), 1)
    return figures


def seed(hq_url: str, items: int) -> None:
    """Put a batch into HQ as the engine leaves it."""
    with psycopg.connect(hq_url) as connection:
        connection.execute("insert into clients (slug, name) values ('bench', 'Bench')")
        connection.execute(
            "insert into uploads (client_id, filename, sha256, size_bytes, encoding, delimiter, columns, row_count, "
            "rejected_count, source) select id, 'b.csv', 'x', 1, 'utf-8', ',', '[]', %s, 0, 'cli' from clients",
            [items],
        )
        connection.execute(
            "insert into batches (batch_key, client_id, upload_id, pipeline_slug, blueprint) "
            "select %s, client_id, id, 'bench', '{\"steps\": []}' from uploads",
            [BATCH],
        )
        with connection.cursor().copy(
            "copy batch_items (client_id, batch_id, row_number, origin_key, first_name, last_name, company_name, "
            "original_data) from stdin"
        ) as copy:
            for i in range(items):
                copy.write_row((1, 1, i + 1, f"row:{i + 1}", "Ann", f"Smith {i}", f"Org {i % ORGANISATIONS}", "{}"))
        with connection.cursor().copy(
            "copy enrichment_results (client_id, batch_id, item_id, workflow_slug, provider, outcome, payload, fields) "
            "from stdin"
        ) as copy:
            for i in range(items):
                fields = json.dumps({"email": f"a{i}@x.example", "title": "Engineer"})
                copy.write_row(
                    (1, 1, i + 1, "match-person-via-apollo", "apollo", "found", json.dumps(_payload(i)), fields)
                )
        connection.execute(
            "insert into workflow_states (item_id, workflow_slug, batch_id, client_id, position, status, outcome, "
            "result_id, advanced_at) select item_id, workflow_slug, 1, 1, 0, 'COMPLETED', 'found', id, now() "
            "from enrichment_results"
        )


def _payload(item: int) -> dict[str, Any]:
    jobs = []
    for n in range(JOBS):
        identity = md5(b"%d-%d" % (item, n), usedforsecurity=False).hexdigest()[:24]
        organisation = (item * 7 + n) % ORGANISATIONS
        jobs.append(
            {
                "_id": identity, "id": identity, "key": identity, "created_at": None, "current": n == 0, "degree": None,
                "description": None, "emails": None, "end_date": None if n == 0 else f"20{20 - n}-0{n + 1}-01",
                "grade_level": None, "kind": None, "major": None, "organization_id": f"{organisation:024x}",
                "organization_name": f"Organisation Number {organisation} Ltd", "raw_address": None,
                "start_date": f"20{19 - n}-01-01", "title": f"Senior Engineer {n}", "updated_at": None,
            }
        )  # fmt: skip
    return {"person": {"id": f"p{item}", "name": f"Ann Smith {item}", "employment_history": jobs}}


def _hand_written(settings: Settings) -> None:
    root = settings.warehouse_dir
    query = (
        HAND_WRITTEN.replace("{results}", str(root / "sources/enrichment_results/client_slug=bench/bench.parquet"))
        .replace("{items}", str(root / "sources/batch_items/client_slug=bench/bench.parquet"))
        .replace("{target}", str(root / "hand_written.parquet"))
    )
    with duckdb.connect() as connection:
        connection.execute("set preserve_insertion_order = false")
        connection.execute(query)


def _questions(settings: Settings, workspace_url: str) -> dict[str, Any]:
    """Everyone who worked at one organisation, from the published table and from Parquet."""
    key = f"organisation number {ORGANISATIONS // 2}"
    query = (
        "select person_name, title, start_from, end_to from person_work_history "
        "where client_slug = 'bench' and organisation_name_key = "
    )
    with psycopg.connect(workspace_url, autocommit=True) as connection:
        connection.execute("analyze person_work_history")
        published = min(_timed(lambda: connection.execute(query + "%s", [key]).fetchall())[0] for _ in range(5))
    reader = warehouse.open_warehouse(settings)
    parquet = min(_timed(lambda: reader.execute(query + "?", [key]).fetchall())[0] for _ in range(5))
    found = len(reader.execute(query + "?", [key]).fetchall())
    return {
        "worked_at_rows": found,
        "worked_at_published_ms": round(published * 1000, 1),
        "worked_at_parquet_ms": round(parquet * 1000, 1),
    }


def _dlt(settings: Settings, items: int) -> float:
    """Seconds that dlt takes to load the same payloads into DuckDB tables (its own fastest destination)."""
    folder = Path(tempfile.mkdtemp(prefix="bench-dlt-"))
    try:
        python = folder / "venv" / "bin" / "python"
        uv = [shutil.which("uv") or ""] if shutil.which("uv") else [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(folder / "venv")], check=True)
        subprocess.run(
            [*uv, "pip", "install", "--quiet", "--python", str(python), "dlt[duckdb]>=1.4", "duckdb==1.5.5"], check=True
        )
        source = settings.warehouse_dir / "sources/enrichment_results/client_slug=bench/bench.parquet"
        program = (
            "import duckdb, dlt, json, time\n"
            f"rows = duckdb.sql(\"select item_id, payload from '{source}' limit {items}\").fetchall()\n"
            "pipeline = dlt.pipeline('bench', destination=dlt.destinations.duckdb('bench.duckdb'), dataset_name='d')\n"
            "started = time.perf_counter()\n"
            "pipeline.run(({'item_id': i, **json.loads(p)} for i, p in rows), table_name='results')\n"
            "print(time.perf_counter() - started)\n"
        )
        done = subprocess.run(
            [str(python), "-c", program], cwd=folder, capture_output=True, text=True, check=True,
            env={**os.environ, "HOME": str(folder), "RUNTIME__DLTHUB_TELEMETRY": "false"},
        )  # fmt: skip
        return float(done.stdout.strip().splitlines()[-1])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _installation() -> Iterator[Settings]:
    """Fresh databases and a fresh home, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bench-extraction-", dir="/tmp"))  # socket paths have to be short
    folder.chmod(0o755)
    server = os.environ.get("BENCH_POSTGRES_URL")
    try:
        if server:
            yield from _on_server(server, folder)
        else:
            settings = Settings(home=folder)
            yield settings
            from enrichment_assets.store.database import embedded_server

            embedded_server(settings).stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _on_server(server: str, folder: Path) -> Iterator[Settings]:
    names = [f"bench_{os.getpid()}_hq", f"bench_{os.getpid()}_ws"]
    with psycopg.connect(server, autocommit=True) as connection:
        for name in names:
            connection.execute(f'create database "{name}"')  # type: ignore[call-overload]
        hq, workspace = (server.rpartition("/")[0] + "/" + name for name in names)
        yield Settings(home=folder, hq_database_url=hq, workspace_database_url=workspace, dagster_database_url=hq)
        for name in names:
            connection.execute(f'drop database "{name}" with (force)')  # type: ignore[call-overload]


def _timed(work: Callable[[], Any]) -> tuple[float, int]:
    """Seconds of wall time, and the highest resident memory of this process while it ran, in MB (sampled)."""
    peak = [0]
    done = threading.Event()

    def watch() -> None:
        page = resource.getpagesize()
        while not done.is_set():
            resident = int(Path("/proc/self/statm").read_text().split()[1]) * page
            peak[0] = max(peak[0], resident // 2**20)
            done.wait(0.02)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    started = time.perf_counter()
    work()
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    return round(seconds, 4), peak[0]


if __name__ == "__main__":
    main()
