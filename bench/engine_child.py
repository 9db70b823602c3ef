"""One engine run in a process of its own, so that its memory and CPU time are its own; `bench.engine` starts it."""

from __future__ import annotations

import cProfile
import json
import sys
import time
from pathlib import Path
from typing import Any

from bench.usage import peak_megabytes
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.providers import build_providers
from enrichment_assets.services.batches.advancing import advance_batch
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq

PATIENCE = 60.0
"""Seconds without any progress after which the callbacks that are missing are given up."""


def run(home: str, sandbox_url: str, receiver_url: str, batch_key: str, profile: str | None) -> dict[str, Any]:
    """Advance the batch until it is finished: wall time, CPU time, peak memory, group sizes."""
    settings = Settings(home=Path(home), sandbox_url=sandbox_url, receiver_url=receiver_url)
    with open_hq(settings) as hq:
        return _advanced(hq, settings, batch_key, profile)


def _advanced(hq: Hq, settings: Settings, batch_key: str, profile: str | None) -> dict[str, Any]:
    assert hq.url  # the database is up before the clock starts
    providers = build_providers(settings.sandbox_url)
    profiler = cProfile.Profile() if profile else None
    started, cpu = time.perf_counter(), time.process_time()
    commits = records = runs = 0
    progressed = started
    if profiler:
        profiler.enable()
    while True:
        report = advance_batch(hq, settings, batch_key, providers)
        runs, commits, records = runs + 1, commits + report.commits, records + report.records
        if report.finished:
            break
        now = time.perf_counter()
        progressed = now if report.moved else progressed
        if now - progressed > PATIENCE:
            raise SystemExit(f"not finished, and nothing moves: {report}")
        time.sleep(0.02)
    seconds, used = time.perf_counter() - started, time.process_time() - cpu
    if profiler and profile:
        profiler.disable()
        profiler.dump_stats(profile)
    return {
        "seconds": seconds,
        "cpu_seconds": used,
        "peak_megabytes": peak_megabytes(),
        "runs": runs,
        "commits": commits,
        "records_per_commit": records / commits,
    }


if __name__ == "__main__":
    print(json.dumps(run(**json.loads(sys.argv[1]))))
