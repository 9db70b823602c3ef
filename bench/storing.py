"""Storing by configuration: rows a second of `store_results` from HQ into a typed table of the workspace.

    python -m bench.storing --rows 100000

The batch is put into HQ as the engine leaves it (one found result of about 2 KB an item); its workflow's destination
maps six typed columns. The second figure stores the same results again over the rows that are there. The yardstick is
one COPY of the same six columns into an empty table without an index, from a list in memory.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import orjson
from psycopg.types.json import Jsonb

from bench.installation import installation, launch
from bench.usage import peak_megabytes
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.installation.databases import open_databases, open_hq
from enrichment_assets.services.batches.storing import store_results
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect

BATCH = "storing"
SLUG = "match-person"


def workflow() -> WorkflowDefinition:
    """One workflow that stores text, a number, a date, a truth and JSON."""
    return WorkflowDefinition.model_validate(
        {
            "slug": SLUG, "title": SLUG, "step": 1, "provider": "http", "operation": "match", "mode": "sync",
            "request": {"url": "/enrich"}, "provides": {"email": "email"},
            "destination": {
                "table": "bench_people", "create": True,
                "columns": {
                    "email": "fields.email",
                    "title": "payload.title",
                    "score": {"from": "payload.score", "type": "numeric"},
                    "since": {"from": "payload.since", "type": "date"},
                    "verified": {"from": "payload.verified", "type": "boolean"},
                    "jobs": {"from": "payload.jobs", "type": "jsonb"},
                },
            },
        }
    )  # fmt: skip


def measure(rows: int) -> dict[str, Any]:
    """Store that many results twice; rows a second of both, and of a bare COPY."""
    with installation() as settings:
        launch(settings, BATCH, rows, [workflow()])
        values = seed(settings)
        first = _timed(lambda: _store(settings, rows))
        with connect(open_databases(settings).hq) as connection:
            connection.execute("update workflow_states set stored_at = null")
        again = _timed(lambda: _store(settings, rows))
        copy = _timed(lambda: _copy(settings, values))
    return {
        "rows": rows,
        "rows_per_second": round(rows / first),
        "rows_per_second_again": round(rows / again),
        "bare_copy_rows_per_second": round(rows / copy),
        "peak_megabytes": peak_megabytes(),
    }


def seed(settings: Settings) -> list[tuple[Any, ...]]:
    """A found result for every item of the batch; what a bare COPY would write of them."""
    jobs = [{"title": f"Engineer {n}", "organization_name": "Acme, Inc.", "notes": "x" * 300} for n in range(5)]
    values = []
    with connect(open_databases(settings).hq) as connection:
        items = [row["id"] for row in connection.execute("select id from batch_items order by id").fetchall()]
        columns = "client_id, batch_id, item_id, workflow_slug, provider, outcome, payload, fields"
        with connection.cursor().copy(f"copy enrichment_results ({columns}) from stdin") as copy:
            for item in items:
                email = f"p{item}@example.com"
                payload = {
                    "title": f"Head {item}", "score": "0.97", "since": "2024-02-29", "verified": True, "jobs": jobs,
                }  # fmt: skip
                text = orjson.dumps(payload).decode()
                copy.write_row((1, 1, item, SLUG, "http", "found", text, orjson.dumps({"email": email}).decode()))
                values.append((email, payload["title"], "0.97", "2024-02-29", True, Jsonb(jobs)))
        connection.execute(
            "update workflow_states s set status = 'COMPLETED', outcome = 'found', result_id = r.id "
            "from enrichment_results r where r.item_id = s.item_id"
        )
        connection.commit()
        connection.execute("analyze workflow_states, enrichment_results")
    return values


def _store(settings: Settings, rows: int) -> None:
    with open_hq(settings) as hq:
        report = store_results(hq, BATCH)[SLUG]
    if report.rows != rows or any(report.unfit.values()):
        raise SystemExit(f"not everything was stored: {report}")


def _copy(settings: Settings, values: list[tuple[Any, ...]]) -> None:
    with connect(open_databases(settings).workspace) as connection:
        connection.execute(
            "create table bench_copy (email text, title text, score numeric, since date, verified boolean, jobs jsonb)"
        )
        with connection.cursor().copy("copy bench_copy from stdin") as copy:
            for row in values:
                copy.write_row(row)


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="default: %(default)s")
    print(json.dumps(measure(parser.parse_args().rows), indent=2))


if __name__ == "__main__":
    main()
