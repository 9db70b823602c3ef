"""One Parquet file per batch, joined from its parts, against a folder of parts behind a manifest (ADR 0021).

    python -m bench.parts --rows 1000000 --batches 300

By turns, on one machine: (a) writing a batch of five parts, synced and put in place; (b) asking one question of all
batches, of which one in a hundred has five parts. A manifest is a JSON file that names the parts which count: it is
replaced in one step, where a folder of parts cannot be. Prints JSON: medians of wall and CPU seconds of each side.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb

from enrichment_assets.warehouse.files import put_in_place, quoted, sync
from enrichment_assets.warehouse.writing import write_parts, write_query

PARTS = 5
SMALL_BATCH_ROWS = 250
MANIFEST = "parts.json"

ROWS = """
    select i as item_id, 'Person ' || i % 99991 as person_name, i % 8 as ordinal,
           'Company ' || hash(i) % 50000 as organization_name, 'title of the job ' || hash(i, 1) % 3000 as title,
           date '2001-01-01' + (hash(i, 2) % 9000)::int as start_from, i % 3 = 0 as current
    from range({low}, {high}) as r(i)
"""
QUESTION = "select count(*), min(start_from) from read_parquet([{files}]) where organization_name = 'Company 4711'"


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description="Joined files against folders of parts.")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the large batch (default: %(default)s)")
    parser.add_argument("--batches", type=int, default=300, help="of the question (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="by turns (default: %(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="enrich-bench-parts-") as folder, duckdb.connect() as connection:
        writing = _by_turns(
            args.rounds,
            joined=lambda: _write_joined(connection, Path(folder) / "joined", "big", args.rows),
            parts=lambda: _write_parts(connection, Path(folder) / "parts", "big", args.rows),
        )
        for number in range(args.batches):
            rows, parts = (100 * SMALL_BATCH_ROWS, PARTS) if number % 100 == 0 else (SMALL_BATCH_ROWS, 1)
            _write_joined(connection, Path(folder) / "joined", f"b{number}", rows, parts)
            _write_parts(connection, Path(folder) / "parts", f"b{number}", rows, parts)
        asking = _by_turns(
            args.rounds,
            joined=lambda: _ask(connection, sorted((Path(folder) / "joined").glob("*.parquet"))),
            parts=lambda: _ask(connection, _listed(Path(folder) / "parts")),
        )
    print(json.dumps({"rows": args.rows, "batches": args.batches, "writing": writing, "asking": asking}, indent=2))


def _slices(rows: int, parts: int = PARTS) -> list[str]:
    step = rows // parts
    return [ROWS.format(low=low * step, high=(low + 1) * step) for low in range(parts)]


def _write_joined(
    connection: duckdb.DuckDBPyConnection, folder: Path, batch: str, rows: int, parts: int = PARTS
) -> None:
    """As the warehouse does: parts are appended to one file, which then takes the batch's place."""

    def shown(query: str) -> None:
        connection.execute(f"create or replace temp view part as {query}")

    with put_in_place(folder / f"{batch}.parquet") as unfinished:
        write_parts(connection, "select * from part", map(shown, _slices(rows, parts)), unfinished)


def _write_parts(
    connection: duckdb.DuckDBPyConnection, folder: Path, batch: str, rows: int, parts: int = PARTS
) -> None:
    """Parts under names of this writing, each synced; then the manifest; then the parts of the writing before go."""
    place = folder / batch
    place.mkdir(parents=True, exist_ok=True)
    before = set(place.glob("*.parquet"))
    names = [f"{uuid.uuid4().hex}-{number}.parquet" for number in range(parts)]
    for name, query in zip(names, _slices(rows, parts), strict=True):
        write_query(connection, query, place / name)
        sync(place / name)
    with put_in_place(place / MANIFEST) as unfinished:
        unfinished.write_text(json.dumps(names))
    for old in before:
        old.unlink()


def _listed(folder: Path) -> list[Path]:
    """The parts that count, of all batches."""
    manifests = sorted(folder.glob(f"*/{MANIFEST}"))
    return [manifest.parent / name for manifest in manifests for name in json.loads(manifest.read_text())]


def _ask(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> None:
    connection.execute(QUESTION.format(files=", ".join(map(quoted, files)))).fetchall()


def _by_turns(rounds: int, **sides: Callable[[], None]) -> dict[str, dict[str, float]]:
    """Medians of wall and CPU seconds of each side, taken by turns."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, work in sides.items():
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            taken[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return {
        name: {
            "wall": round(statistics.median(wall for wall, _ in pairs), 3),
            "cpu": round(statistics.median(cpu for _, cpu in pairs), 3),
        }
        for name, pairs in taken.items()
    }


if __name__ == "__main__":
    main()
