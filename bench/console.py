"""The grid of leads over a batch of a million, as the console serves it: any row, a filter, the weight of a page.

    python -m bench.console --leads 1000000 --rounds 20

A home with one small batch is run for real; its `final_leads` is then written again with so many leads of the same
columns. Prints JSON: the median and the 95th of 100 answers in milliseconds, at the server; those of the processor,
which a busy machine does not change much; the first answer, which keeps what others find; and the bytes of a page.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from pathlib import Path
from typing import Any

import duckdb
import httpx

from bench.installation import installation, launch
from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.services.batches.extracting import bring_up_to_date
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse.files import quoted
from enrichment_assets.warehouse.writing import SHOWN_ROWS, write_query
from enrichment_assets.web.site import build_site

ORIGIN = "http://127.0.0.1:8730"
BATCH = "bench-grid"
BENCH = Actor(ActorKind.CLI, "bench")


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description="The grid of leads over a large batch.")
    parser.add_argument("--leads", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=20, help="answers of each kind (default: %(default)s)")
    args = parser.parse_args()
    with installation() as settings:
        workflows = builtin_workflows()
        launch(settings, BATCH, 4, [workflows["normalise-name"]])
        with open_hq(settings) as hq:
            bring_up_to_date(hq, settings, BATCH)
            grow(settings, args.leads)
            print(json.dumps(asyncio.run(measured(hq, settings, args.leads, args.rounds)), indent=2))


def grow(settings: Settings, leads: int) -> None:
    """Write the batch's `final_leads` again, with so many leads."""
    (path,) = Path(settings.home).glob(f"warehouse/models/final_leads/**/{BATCH}.parquet")
    grown = path.with_suffix(".grown")
    with duckdb.connect() as connection:
        columns = [row[0] for row in connection.execute(f"describe select * from {quoted(path)}").fetchall()]
        said = {
            "item_id": "n",
            "row_number": "n",
            "full_name": "'Person ' || n",
            "title": "'title ' || hash(n, 1) % 3000",
            "company_name": "'Company ' || hash(n) % 50000",
            "email": "'p' || n || '@c' || hash(n) % 50000 || '.example'",
        }
        shown = ", ".join(f'{said.get(name, f"l.{name}")} as "{name}"' for name in columns)
        write_query(
            connection,
            f"select {shown} from (select * from {quoted(path)} limit 1) as l, range(1, {leads + 1}) as r(n)",
            grown,
            together=SHOWN_ROWS,
        )
    grown.replace(path)


async def measured(hq: Any, settings: Settings, leads: int, rounds: int) -> dict[str, Any]:
    """Milliseconds of each kind of page, by turns."""
    app = build_site(hq, settings, [ORIGIN], is_open=True)
    path = f"/batches/{BATCH}/leads"
    # Each round asks for other rows and another company: what one answer keeps for the next is not what is measured.
    pages = {
        "first page": lambda _: path,
        f"row {leads * 9 // 10:,}": lambda n: f"{path}?row={leads * 9 // 10 - 1_000 * n}",
        "one company": lambda n: f"{path}?where.company_name=is:Company {4711 + n}",
        "a part of a company's name": lambda n: f"{path}?where.company_name=contains:ny {47 + n}",
        "sorted by title": lambda n: f"{path}?sort=title&row={1 + 100 * n}",
        "sorted by title, in the middle": lambda n: f"{path}?sort=title&row={leads // 2 + 100 * n}",
    }
    took: dict[str, list[float]] = {name: [] for name in pages}
    worked: dict[str, list[float]] = {name: [] for name in pages}
    sizes: dict[str, int] = {}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN, timeout=120) as http:
        for number in range(rounds + 1):
            for name, address in pages.items():
                started, begun = time.perf_counter(), time.process_time()
                answer = await http.get(address(number))
                took[name].append(1_000 * (time.perf_counter() - started))
                worked[name].append(1_000 * (time.process_time() - begun))
                answer.raise_for_status()
                sizes[name] = len(answer.content)
    return {
        name: {
            "median_ms": round(statistics.median(times[1:]), 1),
            "p95_ms": round(statistics.quantiles(times[1:], n=20)[-1], 1),
            "cpu_ms": round(statistics.median(worked[name][1:]), 1),
            "first_ms": round(times[0], 1),
            "bytes": sizes[name],
        }
        for name, times in took.items()
    }


if __name__ == "__main__":
    main()
