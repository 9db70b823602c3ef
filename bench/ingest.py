"""CSV ingest: upload (hash, keep, count every row), read into Parquet, lay out batch items; against DuckDB.

`python bench/ingest.py --rows 200000` prints JSON. The file has the 58 columns of an Apollo export. `ingest` is
`upload_file` plus `read_rows` into zstd Parquet; the yardstick is DuckDB's `read_csv` of the same file with all columns
as text, written to zstd Parquet by the same cores.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from psycopg.types.json import Jsonb

from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.installation.databases import embedded_server, open_hq
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.uploads.upload import get_upload, read_rows, upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq

COLUMNS = 58
ROW_GROUP = 50_000


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
    with hq.transaction() as connection:
        connection.execute("insert into clients (slug, name) values ('bench', 'Bench') on conflict do nothing")
    uploaded = _timed(lambda: upload_file(hq, settings, source, "bench", actor=Actor(ActorKind.CLI, "bench")))
    upload_id = uploaded[1].upload_id
    parquet = _timed(lambda: _to_parquet(hq, settings, upload_id, folder / "ours.parquet"))
    with hq.transaction() as connection:
        _make_batch(connection, upload_id)
    items = _timed(lambda: create_items(hq, settings, f"bench-{upload_id}"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yardstick = _timed(lambda: _duckdb(source, folder / "duckdb.parquet"))
    assert get_upload(hq, upload_id).items == parquet[1] == items[1].created == yardstick[1] == rows
    ingest = uploaded[0] + parquet[0]
    return {
        "rows": rows,
        "columns": COLUMNS,
        "megabytes": round(source.stat().st_size / 1e6, 1),
        "upload_seconds": round(uploaded[0], 3),
        "read_to_parquet_seconds": round(parquet[0], 3),
        "ingest_rows_per_second": round(rows / ingest),
        "duckdb_seconds": round(yardstick[0], 3),
        "duckdb_rows_per_second": round(rows / yardstick[0]),
        "ingest_to_duckdb_time_ratio": round(ingest / yardstick[0], 2),
        "create_items_seconds": round(items[0], 3),
        "create_items_rows_per_second": round(rows / items[0]),
        "peak_memory_megabytes": round(peak),
    }


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def _to_parquet(hq: Hq, settings: Settings, upload_id: int, path: Path) -> int:
    rows, waiting, writer = 0, [], None
    for batch in read_rows(hq, settings, upload_id):
        writer = writer or pq.ParquetWriter(path, batch.schema, compression="zstd")
        waiting.append(batch)
        rows += batch.num_rows
        if sum(one.num_rows for one in waiting) >= ROW_GROUP:
            writer.write_table(pa.Table.from_batches(waiting))
            waiting = []
    assert writer is not None
    if waiting:
        writer.write_table(pa.Table.from_batches(waiting))
    writer.close()
    return rows


def _duckdb(source: Path, path: Path) -> int:
    with duckdb.connect() as connection:
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
