"""CSV ingest: upload (hash, keep, count every row), read into Parquet, lay out batch items; against DuckDB.

`python bench/ingest.py --rows 200000` prints JSON. The file has the 58 columns of an Apollo export. `ingest` is
`upload_file` plus `read_rows` into Parquet, as a batch's raw upload is written; the yardstick is DuckDB's `read_csv` of
the same file with all columns as text, written to zstd Parquet by the same cores. Both take turns, each time ours for
another client, and medians of wall and CPU seconds count: a yardstick that ran once would be whatever the machine did
in that second.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import duckdb
from psycopg.types.json import Jsonb

from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.installation.databases import embedded_server, open_hq
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.uploads.raw_uploads import write_rows
from enrichment_assets.services.uploads.upload import get_upload, read_rows, upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq

COLUMNS = 58
ROUNDS = 3


def write_file(path: Path, rows: int) -> None:
    """An Apollo-like export: 58 columns, some quoted, some with embedded line breaks, about 450 bytes a row."""
    named = ["First Name", "Last Name", "Title", "Company", "Email", "Website", "Apollo Contact Id", "Keywords"]
    header = named + [f"Field {n}" for n in range(COLUMNS - len(named))]
    rest = ",".join("" if n % 3 else f"value {n}" for n in range(COLUMNS - len(named)))
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(header) + "\r\n")
        for n in range(rows):
            note = '"a, ""b""\nc"' if n % 50 == 0 else '"saas, b2b, émail"'
            person = f"First{n},Last{n},Head of {n % 97},Company {n % 5000},p{n}@c{n % 5000}.com"
            file.write(f"{person},https://www.c{n % 5000}.com,{n:024x},{note},{rest}\r\n")


def measure(rows: int, settings: Settings, folder: Path) -> dict[str, Any]:
    """Ingest one file of that many rows and lay out a batch of it; seconds, rows a second, the ratio to DuckDB."""
    source = folder / f"{rows}.csv"
    write_file(source, rows)
    with open_hq(settings) as hq:
        return _ingested(hq, settings, source, folder, rows)


def _ingested(hq: Hq, settings: Settings, source: Path, folder: Path, rows: int) -> dict[str, Any]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:  # its memory is not ours
        turns = [_turn(hq, settings, source, folder, f"bench-{number}", apart) for number in range(ROUNDS)]
    upload_id, read = turns[-1]["upload_id"], turns[-1]["rows"]
    middle = {name: statistics.median(turn[name] for turn in turns) for name in turns[0] if name.endswith("_s")}
    with hq.transaction() as connection:
        _make_batch(connection, upload_id)
    items = _timed(lambda: create_items(hq, settings, f"bench-{upload_id}"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert get_upload(hq, upload_id).items == read == items[2].created == rows
    ingest = middle["upload_s"] + middle["parquet_s"]
    return {
        "rows": rows,
        "columns": COLUMNS,
        "megabytes": round(source.stat().st_size / 1e6, 1),
        "upload_seconds": round(middle["upload_s"], 3),
        "read_to_parquet_seconds": round(middle["parquet_s"], 3),
        "ingest_rows_per_second": round(rows / ingest),
        "duckdb_seconds": round(middle["duckdb_s"], 3),
        "duckdb_rows_per_second": round(rows / middle["duckdb_s"]),
        "ingest_to_duckdb_time_ratio": round(ingest / middle["duckdb_s"], 2),
        "ingest_to_duckdb_cpu_ratio": round(
            (middle["upload_cpu_s"] + middle["parquet_cpu_s"]) / middle["duckdb_cpu_s"], 2
        ),
        "create_items_seconds": round(items[0], 3),
        "create_items_rows_per_second": round(rows / items[0]),
        "peak_memory_megabytes": round(peak),
    }


def _turn(hq: Hq, settings: Settings, source: Path, folder: Path, client: str, apart: Executor) -> dict[str, Any]:
    """The same file once for a client who has not got it, and once by DuckDB."""
    with hq.transaction() as connection:
        connection.execute("insert into clients (slug, name) values (%s, 'Bench')", (client,))
    uploaded = _timed(lambda: upload_file(hq, settings, source, client, actor=Actor(ActorKind.CLI, "bench")))
    upload_id = uploaded[2].upload_id
    parquet = _timed(lambda: _to_parquet(hq, settings, upload_id, folder / "ours.parquet"))
    yardstick = apart.submit(_duckdb_timed, source, folder / "duckdb.parquet").result()
    assert parquet[2] == yardstick[2]
    return {
        "upload_id": upload_id,
        "rows": parquet[2],
        "upload_s": uploaded[0],
        "upload_cpu_s": uploaded[1],
        "parquet_s": parquet[0],
        "parquet_cpu_s": parquet[1],
        "duckdb_s": yardstick[0],
        "duckdb_cpu_s": yardstick[1],
    }


def _timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Wall and CPU seconds of the work (of this process, all its threads), and what it gave."""
    started, spent = time.perf_counter(), time.process_time()
    result = work()
    return time.perf_counter() - started, time.process_time() - spent, result


def _to_parquet(hq: Hq, settings: Settings, upload_id: int, path: Path) -> int:
    return write_rows(read_rows(hq, settings, upload_id), path)[0]


def _duckdb_timed(source: Path, path: Path) -> tuple[float, float, int]:
    return _timed(lambda: _duckdb(source, path))


def _duckdb(source: Path, path: Path) -> int:
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")  # a spawned process is taken for somebody at a terminal
        connection.execute(
            "copy (from read_csv(?, all_varchar = true, header = true)) to '" + str(path) + "' (compression zstd)",
            [str(source)],
        )
        found = connection.execute("select count(*) from read_parquet(?)", [str(path)]).fetchone()
    return found[0] if found else 0


def _make_batch(connection: Any, upload_id: int) -> None:
    step = {"title": "t", "step": 1, "provider": "local", "operation": "normalise_name", "mode": "local"}
    steps = [{"position": n, "workflow": {**step, "slug": f"step-{n}"}, "registry_version": "1"} for n in range(4)]
    rules = ["apollo_account_id", "company_linkedin_url", "name_and_host", "company_name", "company_host"]
    blueprint = {"client": "bench", "pipeline": "p", "company_identity": rules, "steps": steps}
    connection.execute(
        "insert into batches (batch_key, client_id, upload_id, pipeline_slug, blueprint) "
        "select %s, client_id, id, 'p', %s from uploads where id = %s",
        (f"bench-{upload_id}", Jsonb(blueprint), upload_id),
    )


def main() -> None:
    """Measure with a home of its own, on its own embedded server, and print JSON."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=100_000)
    rows = arguments.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="enrich-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        settings = replace(Settings.from_environment(), home=folder / "home")
        try:
            json.dump(measure(rows, settings, folder), sys.stdout, indent=2)
            print()
        finally:
            if settings.hq_database_url is None:
                embedded_server(settings).remove()


if __name__ == "__main__":
    main()
