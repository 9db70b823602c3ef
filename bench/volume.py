"""A large list through two local steps by `enrich run`: wall and CPU time, peak memory, bytes in Postgres.

    python -m bench.volume --rows 100000
    python -m bench.volume --rows 10000 --python /path/to/another/commit/.venv/bin/python --rounds 3

The list has the columns of an Apollo export. Nothing is called: what is measured is laying out, the ledger, the tables
and their publication. With `--python` (repeatable) the same is done by turns with other commits, each by its own
environment; the medians of each are printed. Memory is the highest resident memory of any process of the command;
Postgres counts by itself: its CPU seconds, and the bytes of both databases with the largest tables named.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from bench.usage import cpu_seconds
from enrichment_assets.installation.databases import HQ_NAME, WORKSPACE_NAME, embedded_server
from enrichment_assets.installation.embedded import LocalPostgres
from enrichment_assets.settings import Settings

CLIENT, BATCH, PIPELINE = "bench", "volume", "normalise-only"
PROGRAM = "import sys; from enrichment_assets.cli import main; sys.exit(main())"
LARGEST = 12

HEADER = [
    "First Name",
    "Last Name",
    "Title",
    "Company Name",
    "Company Name for Emails",
    "Email",
    "Email Status",
    "Seniority",
    "Departments",
    "Corporate Phone",
    "# Employees",
    "Industry",
    "Keywords",
    "Person Linkedin Url",
    "Website",
    "Company Linkedin Url",
    "City",
    "State",
    "Country",
    "Apollo Contact Id",
    "Apollo Account Id",
]


def write_list(path: Path, rows: int) -> None:
    """People of an Apollo export: each row another person, ten people a company."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for n in range(rows):
            company, letters = n // 10, _letters(n)
            host = f"{_letters(company)}-works.com"
            writer.writerow(
                [
                    f"Ann{letters}", f"Smith{letters}", f"Head of {n % 97}", f"{_letters(company)} Works, Inc.",
                    f"{_letters(company)} Works", f"{letters}@{host}", "Verified", "Head", "Engineering, Product",
                    f"+1 212-555-{n % 10_000:04d}", str(n % 3_000), "information technology & services",
                    "saas, b2b, automation, growth, analytics", f"http://www.linkedin.com/in/person-{n:07d}",
                    f"https://www.{host}/", f"http://www.linkedin.com/company/{_letters(company)}-works", "Boston",
                    "Massachusetts", "United States", f"{n:024x}", f"{company:024x}",
                ]
            )  # fmt: skip


def _letters(number: int) -> str:
    """A number as letters: names with digits are none."""
    return "".join("abcdefghij"[int(digit)] for digit in str(number))


def measure(python: str, rows: int) -> dict[str, Any]:
    """One list, launched and run in a fresh home by the commit that this Python imports."""
    with _home() as home:
        write_list(home.parent / "people.csv", rows)
        _enrich(python, home, "client", "add", CLIENT)
        server = embedded_server(Settings(home=home))
        _enrich(python, home, "upload", str(home.parent / "people.csv"), "--client", CLIENT)
        _enrich(python, home, "launch", "1", "--pipeline", PIPELINE, "--batch", BATCH)
        before = _postgres_cpu(server)
        figures = _enrich(python, home, "run", BATCH)
        figures["postgres_cpu_s"] = round(_postgres_cpu(server) - before, 1)
        return figures | _bytes(server, rows) | {"warehouse_mb": _megabytes(home / "warehouse")}


@contextmanager
def _home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="enrich-bench-", dir="/tmp"))  # socket paths have to be short
    folder.chmod(0o755)
    try:
        yield folder / "home"
    finally:
        embedded_server(Settings(home=folder / "home")).remove()
        shutil.rmtree(folder, ignore_errors=True)


def _enrich(python: str, home: Path, *arguments: str) -> dict[str, Any]:
    """Run a command; its wall and CPU seconds, and the highest memory of it or of a process that it waited for."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [python, "-c", PROGRAM, *arguments],
        env={**os.environ, "ENRICH_HOME": str(home), "DAGSTER_DISABLE_TELEMETRY": "1"},
        cwd=home.parent,
        stdout=sys.stderr,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"enrich {' '.join(arguments)} failed with exit code {process.returncode}")
    return {
        "wall_s": round(time.perf_counter() - started, 1),
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "memory_mb": used.ru_maxrss // 1024,
    }


def _postgres_cpu(server: LocalPostgres) -> float:
    return cpu_seconds(int((server.data_dir / "postmaster.pid").read_text().split()[0]))


def _bytes(server: LocalPostgres, rows: int) -> dict[str, Any]:
    """Bytes a row in HQ and workspace, of tables with their indexes; the largest by name."""
    sizes: dict[str, int] = {}
    for database in (HQ_NAME, WORKSPACE_NAME):
        with psycopg.connect(server.url(database)) as connection:
            sizes |= dict(
                connection.execute(
                    "select relname, pg_total_relation_size(oid) from pg_class "
                    "where relkind in ('r', 'm') and relnamespace = 'public'::regnamespace"
                ).fetchall()
            )
    largest = sorted(sizes.items(), key=lambda entry: -entry[1])[:LARGEST]
    return {
        "bytes_a_row": round(sum(sizes.values()) / rows),
        "tables": {name: round(size / rows) for name, size in largest},
    }


def _megabytes(folder: Path) -> float:
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6, 1)


def compared(pythons: list[str], rows: int, rounds: int) -> dict[str, Any]:
    """The commits by turns: all rounds, and the median of each number."""
    taken: dict[str, list[dict[str, Any]]] = {python: [] for python in pythons}
    for _ in range(rounds):
        for python in pythons:
            taken[python].append(measure(python, rows))
            print(python, json.dumps(taken[python][-1]), file=sys.stderr)
    sides = [
        {"python": python}
        | {
            name: statistics.median(one[name] for one in all_rounds) if isinstance(value, int | float) else value
            for name, value in all_rounds[-1].items()
        }
        for python, all_rounds in taken.items()
    ]
    return {"rows": rows, "rounds": rounds, "load": round(os.getloadavg()[0], 1), "sides": sides}


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=1, help="by turns (default: %(default)s)")
    parser.add_argument("--python", action="append", help="of a commit's environment; default: this one")
    given = parser.parse_args()
    given.python = [str(Path(python).absolute()) for python in given.python or ()]
    print(json.dumps(compared(given.python or [sys.executable], given.rows, given.rounds), indent=2))


if __name__ == "__main__":
    main()
