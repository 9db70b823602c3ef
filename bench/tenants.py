"""What row level security costs the platform's own role: a role that is never asked (BYPASSRLS) against a plain one.

    python -m bench.tenants --items 100000

By turns, on one server and in one database: (a) loading items, which a plain role copies beside the table first;
(b) a statement over two protected tables, planned each time; (c) the same, prepared. Prints JSON: medians in seconds,
and whether both plans are the same.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from enrichment_assets.installation.databases import open_databases
from enrichment_assets.installation.embedded import LocalPostgres
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.items import ITEM_COLUMNS, copy_items
from enrichment_assets.store.database import Connection, connect

PLAIN, BYPASSING = "bench_plain", "bench_bypassing"
STATEMENT = (
    "select s.item_id, i.email from workflow_states s join batch_items i on i.id = s.item_id "
    "where s.batch_id = 1 and s.status = 'PENDING' and i.original_data ->> 'none' is null order by s.item_id limit 1"
)
ASKED = 2_000


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description="Row level security for the platform's own role.")
    parser.add_argument("--items", type=int, default=100_000, help="that are loaded (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="by turns (default: %(default)s)")
    args = parser.parse_args()
    with _server() as urls:
        plans, loading, planned, prepared = {}, {}, {}, {}
        with connect(urls[PLAIN]) as connection:
            _load(connection, batch=1, count=1_000)
            connection.commit()
        for _ in range(args.rounds):
            for name, url in urls.items():
                loading.setdefault(name, []).append(_seconds(url, lambda c: _load(c, batch=2, count=args.items)))
                planned.setdefault(name, []).append(_seconds(url, lambda c: _ask(c, prepare=False)) / ASKED)
                prepared.setdefault(name, []).append(_seconds(url, lambda c: _ask(c, prepare=True)) / ASKED)
                plans[name] = _plan(url)
    figures = {
        label: {name: statistics.median(seconds) for name, seconds in taken.items()}
        for label, taken in (("loading", loading), ("planned", planned), ("prepared", prepared))
    }
    print(json.dumps({**figures, "same_plan": plans[PLAIN] == plans[BYPASSING]}, indent=2))


@contextmanager
def _server() -> Iterator[dict[str, str]]:
    """A migrated HQ that a plain role owns; URLs of that role and of one that is never asked."""
    with tempfile.TemporaryDirectory(prefix="enrich-bench-") as folder:
        Path(folder).chmod(0o755)
        server = LocalPostgres(Path(folder) / "pg")
        server.start()
        try:
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                connection.execute(f"create role {PLAIN} login nosuperuser nobypassrls")
                connection.execute(f"create role {BYPASSING} login bypassrls")
                connection.execute(f"create database hq owner {PLAIN}")
            urls = {name: _as(server.url("hq"), name) for name in (PLAIN, BYPASSING)}
            open_databases(Settings(home=Path(folder) / "home", hq_database_url=urls[PLAIN]))
            with psycopg.connect(urls[PLAIN], autocommit=True) as connection:
                connection.execute(f"grant select, insert, delete on batch_items, workflow_states to {BYPASSING}")
            yield urls
        finally:
            server.remove()


def _as(url: str, role: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{role}@{parts.netloc.rpartition('@')[2]}"))


def _load(connection: Connection, *, batch: int, count: int) -> None:
    """Lay items of a batch out as a launch does; whoever calls it decides whether they stay."""
    empty = [None] * (len(ITEM_COLUMNS) - 8)
    cells = json.dumps({f"Column {n}": f"a value of some length {n}" for n in range(20)})
    copy_items(connection, ((1, batch, n, f"row:{n}", None, *empty, cells, None, None) for n in range(1, count + 1)))


def _ask(connection: Connection, *, prepare: bool) -> None:
    for _ in range(ASKED):
        connection.execute(STATEMENT, prepare=prepare).fetchall()


def _seconds(url: str, work: Callable[[Connection], None]) -> float:
    with connect(url) as connection:
        connection.prepare_threshold = 5
        started = time.perf_counter()
        work(connection)
        taken = time.perf_counter() - started
        connection.rollback()
    return taken


def _plan(url: str) -> list[str]:
    with connect(url) as connection:
        return [str(next(iter(row.values()))) for row in connection.execute("explain (costs off) " + STATEMENT)]


if __name__ == "__main__":
    main()
