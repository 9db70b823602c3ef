"""Extraction at scale: payloads in HQ to `person_work_history` as Parquet and as a published table.

    python -m bench.extraction --jobs 1000000 --dlt
    python -m bench.extraction --jobs 10000000 --from sources    # is memory flat? (12 GB of disk while it runs)

Compared, in the same run and by turns, with (a) one DuckDB query written by hand for exactly these payloads, with no
care for any other shape, from the same Parquet file to the same columns, and (b) dlt loading the same payloads into
child tables (installed for this only, into a temporary environment, when --dlt is given; on the first --dlt-items of
them). `--from sources` leaves HQ out: the source files are made in bulk. Prints JSON: wall time, CPU seconds and the
highest memory of each stage, which has a process of its own (what one stage has freed can stay with its process, and
would be counted for the next). The databases are made on the server of BENCH_POSTGRES_URL, else on an embedded one of
this run's own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as adbc
import duckdb
import psycopg

from bench.payloads import BATCH, JOBS, ORGANISATIONS, seed, seed_sources
from bench.usage import cpu_seconds, peak_megabytes
from enrichment_assets import warehouse
from enrichment_assets.installation.databases import embedded_server, open_hq
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.warehouse.project import load_project

HISTORY = ("stg_employment", "person_work_history")

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
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--items", type=int, default=200_000, help="answers, of five jobs each (default: %(default)s)")
    size.add_argument("--jobs", type=int, help="the same, said in rows of person_work_history")
    parser.add_argument("--from", dest="source", choices=("hq", "sources"), default="hq", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="of extraction and hand-written query by turns")
    parser.add_argument("--no-publish", action="store_true", help="Parquet only, no Postgres")
    parser.add_argument("--dlt", action="store_true", help="also load with dlt")
    parser.add_argument("--dlt-items", type=int, default=20_000)
    given = parser.parse_args()
    items = given.jobs // JOBS if given.jobs else given.items
    figures = run(
        items,
        from_hq=given.source == "hq",
        rounds=given.rounds,
        publish=not given.no_publish,
        dlt_items=given.dlt_items if given.dlt else 0,
    )
    print(json.dumps(figures, indent=2))


def run(
    items: int = 200_000, *, from_hq: bool = True, rounds: int = 3, publish: bool = True, dlt_items: int = 0
) -> dict[str, Any]:
    """Seed `items` payloads of about 2 KB with five jobs each, extract and publish them, and compare."""
    figures: dict[str, Any] = {
        "items": items,
        "history_rows": items * JOBS,
        "load_before": round(os.getloadavg()[0], 1),
    }
    with _installation(postgres=from_hq or publish) as settings:
        if from_hq:
            with open_hq(settings) as hq:
                seed(hq.url, items)
                figures |= _measured("sources", partial(_with_hq, warehouse.publish_batch_sources, settings))
        else:
            seed_sources(settings, items)
        figures |= _compared(settings, rounds)
        figures |= _measured("all_models", partial(warehouse.build_models, settings, BATCH))
        if publish:
            figures |= _published(settings)
        if dlt_items:
            seconds = _dlt(settings, min(dlt_items, items))
            per_item = seconds / min(dlt_items, items)
            figures["dlt_items"] = min(dlt_items, items)
            figures["dlt_s"] = round(seconds, 2)
            figures["times_faster_than_dlt"] = round(per_item / (figures["extraction_s"] / items), 1)
    return figures


def _compared(settings: Settings, rounds: int) -> dict[str, Any]:
    """Extraction and the hand-written query by turns: medians, so that a neighbour's burst counts for neither."""
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(_measured("extraction", partial(warehouse.build_models, settings, BATCH, HISTORY)))
        theirs.append(_measured("hand_written", partial(_hand_written, settings)))
    middle = {name: statistics.median(one[name] for one in rows) for rows in (ours, theirs) for name in rows[0]}
    return middle | {
        "ratio_to_hand_written": round(middle["extraction_s"] / middle["hand_written_s"], 2),
        "ratio_of_cpu": round(middle["extraction_cpu_s"] / middle["hand_written_cpu_s"], 2),
    }


def _with_hq(work: Callable[[Hq, Settings, str], object], settings: Settings) -> None:
    """Do it with a handle of the process that it is measured in."""
    with open_hq(settings) as hq:
        work(hq, settings, BATCH)


def _published(settings: Settings) -> dict[str, Any]:
    with open_hq(settings) as hq:
        assert hq.workspace.url  # the database is up before the clock starts
        figures = _measured("bare_copy", partial(_with_hq, _copied, settings))
        figures |= _measured("publish", partial(_with_hq, warehouse.publish_marts, settings))
        figures |= _measured("publish_again", partial(_with_hq, warehouse.publish_marts, settings))
        figures["publish_to_copy"] = round(figures["publish_s"] / figures["bare_copy_s"], 2)
        figures["again_to_first"] = round(figures["publish_again_s"] / figures["publish_s"], 2)
        figures["reconciled"] = all(r.passed for r in warehouse.reconcile(hq, settings, BATCH))
        return figures | _questions(settings, hq.workspace.url)


def _copied(hq: Hq, settings: Settings, batch_key: str) -> None:
    """The rows of all marts, each by one COPY of the same driver into a table without an index or a name in it."""
    with warehouse.open_warehouse(settings) as duck, adbc.connect(hq.workspace.url) as connection:
        duck.execute("set enable_progress_bar = false")  # a spawned process is taken for somebody at a terminal
        for model in load_project().models.values():
            if model.published and model.partitioned:
                rows = duck.execute(f'select * from "{model.name}" where batch_key = ?', [batch_key])
                with connection.cursor() as cursor:
                    cursor.adbc_ingest(f"bare_{model.name}", rows.to_arrow_reader(20_000), mode="create")
        connection.commit()


def _hand_written(settings: Settings) -> None:
    root = settings.warehouse_dir
    query = (
        HAND_WRITTEN.replace("{results}", str(root / "sources/enrichment_results/client_slug=bench/bench.parquet"))
        .replace("{items}", str(root / "sources/batch_items/client_slug=bench/bench.parquet"))
        .replace("{target}", str(root / "hand_written.parquet"))
    )
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute("set preserve_insertion_order = false")
        connection.execute(query)


def _questions(settings: Settings, workspace_url: str) -> dict[str, Any]:
    """Everyone who worked at one organisation, from the published table (with Postgres's plan) and from Parquet."""
    key = f"organisation number {ORGANISATIONS // 2}"
    query = (
        "select person_name, title, start_from, end_to from person_work_history "
        "where client_slug = 'bench' and organisation_name_key = "
    )
    with psycopg.connect(workspace_url, autocommit=True) as connection:
        connection.execute("analyze person_work_history")
        published = [_milliseconds(lambda: connection.execute(query + "%s", [key]).fetchall()) for _ in range(5)]
        plan = connection.execute("explain (analyze, buffers) " + query + "%s", [key]).fetchall()
    with warehouse.open_warehouse(settings) as reader:
        reader.execute("set enable_progress_bar = false")  # a spawned process is taken for somebody at a terminal
        parquet = [_milliseconds(lambda: reader.execute(query + "?", [key]).fetchall()) for _ in range(5)]
        found = len(reader.execute(query + "?", [key]).fetchall())
    return {
        "worked_at_rows": found,
        "worked_at_published_first_ms": published[0],
        "worked_at_published_ms": statistics.median(published),
        "worked_at_plan": [row[0] for row in plan],
        "worked_at_parquet_first_ms": parquet[0],
        "worked_at_parquet_ms": statistics.median(parquet),
    }


def _milliseconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return round((time.perf_counter() - started) * 1000, 1)


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
            "place = dlt.destinations.duckdb('bench.duckdb')\n"  # its state too is of this run alone
            "pipeline = dlt.pipeline('bench', pipelines_dir='state', destination=place, dataset_name='d')\n"
            "started = time.perf_counter()\n"
            "pipeline.run(({'item_id': i, **json.loads(p)} for i, p in rows), table_name='results')\n"
            "print(time.perf_counter() - started)\n"
        )
        done = subprocess.run(
            [str(python), "-c", program], cwd=folder, stdout=subprocess.PIPE, text=True, check=True,
            env={**os.environ, "HOME": str(folder), "RUNTIME__DLTHUB_TELEMETRY": "false"},
        )  # fmt: skip
        return float(done.stdout.strip().splitlines()[-1])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _installation(*, postgres: bool) -> Iterator[Settings]:
    """Fresh databases (where they are wanted) and a fresh home, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="bench-extraction-", dir="/tmp"))  # socket paths have to be short
    folder.chmod(0o755)
    server = os.environ.get("BENCH_POSTGRES_URL")
    try:
        if server:
            yield from _on_server(server, folder)
        else:
            settings = Settings(home=folder)
            yield settings
            if postgres:
                embedded_server(settings).remove()
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


def _measured(name: str, work: Callable[[], object]) -> dict[str, Any]:
    """Wall time and CPU seconds of the work, and the highest resident memory in MB of a new process that does it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        seconds, spent, peak = alone.submit(_timed, work).result()
    return {f"{name}_s": round(seconds, 2), f"{name}_cpu_s": round(spent, 2), f"{name}_memory_mb": peak}


def _timed(work: Callable[[], object]) -> tuple[float, float, int]:
    load_project()
    duckdb.execute("select ?", [1])  # what a process does once, imports above all, is not the stage's
    spent, started = cpu_seconds(os.getpid()), time.perf_counter()
    work()
    return time.perf_counter() - started, cpu_seconds(os.getpid()) - spent, peak_megabytes()


if __name__ == "__main__":
    main()
