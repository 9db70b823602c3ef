"""A question to the warehouse's own files, to a machine's copy of an object store, and to the store itself (ADR 0028).

    python -m bench.objects --rows 1000000 --batches 100

The store is moto's server in a process of its own. By turns, on one machine: one question to all batches (a) of a local
folder, (b) of a copy that is up to date, the look whether it is included, (c) through obstore's file system for DuckDB.
Before that, once: publishing all batches, and fetching them into a new copy. Prints JSON: medians of wall and CPU
seconds of this process.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from enrichment_assets.settings import Settings
from enrichment_assets.warehouse.copies import brought, published_as_one
from enrichment_assets.warehouse.files import Layout, put_in_place, quoted
from enrichment_assets.warehouse.generations import Scope
from enrichment_assets.warehouse.writing import write_query

MODEL, CLIENT, BUCKET = "person_work_history", "bench", "enrich-bench"
ROWS = (
    "select i as item_id, 'Person ' || i % 99991 as person_name, 'Company ' || hash(i) % 50000 as organization_name "
    "from range({low}, {high}) as r(i)"
)
QUESTION = "select count(*), min(item_id) from read_parquet([{files}]) where organization_name = 'Company 4711'"
SERVER = """
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
input()
"""


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description="A local folder against a copy of an object store and the store itself."
    )
    parser.add_argument("--rows", type=int, default=1_000_000, help="of all batches (default: %(default)s)")
    parser.add_argument("--batches", type=int, default=100, help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="by turns (default: %(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="enrich-bench-objects-") as folder, store_server():
        local = Settings(home=Path(folder) / "local")
        first = Settings(home=Path(folder) / "first", warehouse=f"s3://{BUCKET}/warehouse")
        second = Settings(home=Path(folder) / "second", warehouse=f"s3://{BUCKET}/warehouse")
        writing = {
            name: _timed(lambda settings=settings: _write(settings, args.rows, args.batches))
            for name, settings in (("folder", local), ("published", first))
        }
        fetching = _timed(lambda: brought(second))
        asking = _by_turns(
            args.rounds,
            {"folder": lambda: _ask(local), "copy": lambda: _ask(second), "store": lambda: _ask_store(second)},
        )
    print(json.dumps({**vars(args), "writing": writing, "fetching": fetching, "asking": asking}, indent=1))


@contextmanager
def store_server() -> Iterator[None]:
    """moto's server with an empty bucket, and the variables that lead there."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin and process.stdout
        url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        os.environ.update(
            AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench", AWS_REGION="us-east-1", AWS_ENDPOINT_URL=url
        )
        urllib.request.urlopen(urllib.request.Request(f"{url}/{BUCKET}", method="PUT")).close()
        try:
            yield
        finally:
            process.stdin.close()
            process.terminate()


def _write(settings: Settings, rows: int, batches: int) -> None:
    """All batches, each published as one."""
    layout, each = Layout.of(settings), rows // batches
    with duckdb.connect() as connection:
        for number in range(batches):
            path = layout.model(MODEL, CLIENT, f"b{number}")

            def work(path: Path = path, number: int = number) -> None:
                with put_in_place(path) as unfinished:
                    write_query(connection, ROWS.format(low=number * each, high=(number + 1) * each), unfinished)

            published_as_one(layout, Scope(f"b{number}", CLIENT), work)


def _ask(settings: Settings) -> None:
    files = brought(settings).all_of("models", MODEL)
    with duckdb.connect() as connection:
        connection.execute(QUESTION.format(files=", ".join(map(quoted, files)))).fetchall()


def _ask_store(settings: Settings) -> None:
    from obstore.fsspec import FsspecStore

    layout = Layout.of(settings)
    assert layout.bucket
    keys = [one.key for one in layout.bucket.list("files")]
    with duckdb.connect() as connection:
        connection.register_filesystem(FsspecStore("s3", client_options={"allow_http": True}))
        files = ", ".join(quoted(f"{layout.bucket.url}/{key}") for key in keys)
        connection.execute(QUESTION.format(files=files)).fetchall()


def _timed(work: Callable[[], object]) -> dict[str, float]:
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return {"wall": round(time.perf_counter() - wall, 3), "cpu": round(time.process_time() - processor, 3)}


def _by_turns(rounds: int, sides: dict[str, Callable[[], None]]) -> dict[str, dict[str, float]]:
    taken = {name: [_timed(work)] for name, work in sides.items()}
    for _ in range(rounds - 1):
        for name, work in sides.items():
            taken[name].append(_timed(work))
    return {
        name: {clock: statistics.median(one[clock] for one in seconds) for clock in ("wall", "cpu")}
        for name, seconds in taken.items()
    }


if __name__ == "__main__":
    main()
