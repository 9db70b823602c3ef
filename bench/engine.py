"""The engine against a bare asyncio loop: the same calls, in one run, on one machine, against the sandbox.

    python -m bench.engine --items 1000,10000 --rounds 3
    python -m bench.engine --items 10000 --latency 0ms --clients aiohttp,httpx-aiohttp,httpx
    python -m bench.engine --items 10000 --profile engine.prof

An item has four workflows: one local, two synchronous and one asynchronous one. (a) The bare loop makes the two calls
and the submission of each item and appends the answers to a file; it does not wait for callbacks. (b) The engine does
everything: local step, durable intents, raw answers, states, results and log, and it ends when the callbacks, which
come through a real receiver, are applied too. `ratio` is the wall time of (b) by that of (a). Both have `concurrency`
calls under way at most, and processes of their own; sandbox, receiver and Postgres share the machine with them. (a) and
(b) alternate, and the median of the rounds counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.bare_loop import CLIENTS
from bench.installation import at, installation, launch
from bench.usage import cpu_seconds
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.installation.databases import embedded_server, open_databases
from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.sandbox.process import SandboxProcess
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect

CALLS = 3
"""HTTP calls an item: two answers and one submission."""

ANSWER_BYTES = 2048
GOAL = 1.25


def workflows(concurrency: int) -> list[WorkflowDefinition]:
    """The four steps; the slots of the three that call are `concurrency` together."""
    request: dict[str, Any] = {
        "url": f"/enrich?bytes={ANSWER_BYTES}",
        "headers": {"x-api-key": "bench"},
        "body": {"item": {"id": "{{item.id}}"}, "first_name": "{{first_name}}", "last_name": "{{last_name}}"},
    }
    submission: dict[str, Any] = {**request, "body": {**request["body"], "callback_url": "{{callback_url}}"}}
    slots = [concurrency // CALLS + (n < concurrency % CALLS) for n in range(CALLS)]
    common = {"provider": "http", "price": {"estimate": "0.01", "not_found": "0"}}
    found = {"found_if": "found"}
    definitions = [
        {"slug": "clean-name", "provider": "local", "operation": "normalise_name", "mode": "local",
         "provides": {"clean_name": "full_name"}},
        {"slug": "first-call", "operation": "enrich", "mode": "sync", "request": request, "response": found,
         "provides": {"first_id": "id"}, "limits": {"concurrency": slots[0]}, "uses": ["clean_name"]},
        {"slug": "second-call", "operation": "enrich", "mode": "sync", "request": request, "response": found,
         "provides": {"second_id": "id"}, "limits": {"concurrency": slots[1]}, "uses": ["first_id"]},
        {"slug": "submission", "operation": "enrich", "mode": "async", "request": submission,
         "response": {"external_id": "id"}, "callback": found, "provides": {"third_id": "id"},
         "limits": {"concurrency": slots[2]}, "uses": ["second_id"], "deadline": "10m"},
    ]  # fmt: skip
    return [
        WorkflowDefinition.model_validate(
            {**({} if d["mode"] == "local" else common), **d, "title": d["slug"], "step": number}
        )
        for number, d in enumerate(definitions)
    ]


def measure(
    sizes: Sequence[int],
    *,
    rounds: int = 3,
    concurrency: int = 100,
    latency: str = "50ms",
    clients: Sequence[str] = ("aiohttp",),
    profile: str | None = None,
) -> dict[str, Any]:
    """Run everything; the report that is printed, one entry for each size."""
    report: dict[str, Any] = {
        "latency": latency, "concurrency": concurrency, "answer_bytes": ANSWER_BYTES, "calls_per_item": CALLS,
        "goal": GOAL, "sizes": [],
    }  # fmt: skip
    with installation() as home, SandboxProcess(latency=latency) as sandbox, ReceiverProcess(home) as receiver:
        settings = at(home, sandbox_url=sandbox.url, receiver_url=receiver.url)
        peers = {
            "sandbox": sandbox.pid,
            "receiver": receiver.process.pid,
            "postgres": embedded_server(settings).server_pid() or 0,
        }
        _round(settings, peers, "warm-up", 300, concurrency, clients[:1], None)
        for items in sizes:
            results = [
                _round(settings, peers, f"{items}-{n}", items, concurrency, clients, profile)
                for n in range(1 if items >= 100_000 else rounds)
            ]
            report["sizes"].append({"items": items, "rounds": len(results), **_medians(results, items, clients)})
    return report


def _round(
    settings: Settings, peers: dict[str, int], name: str, items: int, concurrency: int, clients: Sequence[str],
    profile: str | None,
) -> dict[str, dict[str, float]]:  # fmt: skip
    """Each bare loop once, then the engine once, over the same number of items."""
    base = f"{settings.sandbox_url}/http/enrich?bytes={ANSWER_BYTES}"
    results = {}
    for client in clients:
        task: dict[str, Any] = {
            "client": client, "urls": [base] * CALLS, "callback_url": "", "items": items, "concurrency": concurrency,
            "path": str(settings.home / f"{name}-{client}.jsonl"),
        }  # fmt: skip
        results[client] = child("bench.bare_loop", task, peers)
        Path(task["path"]).unlink()
    launch(settings, name, items, workflows(concurrency))
    results["engine"] = child("bench.engine_child", engine_task(settings, name, profile), peers)
    _check(settings, name, items)
    return results


def engine_task(settings: Settings, batch_key: str, profile: str | None) -> dict[str, Any]:
    """What the engine's process is told."""
    return {
        "home": str(settings.home), "sandbox_url": settings.sandbox_url, "receiver_url": settings.receiver_url,
        "batch_key": batch_key, "profile": profile,
    }  # fmt: skip


def child(module: str, task: dict[str, Any], peers: dict[str, int]) -> dict[str, float]:
    """Run one side in a process of its own; what it says, and the CPU seconds of everybody else meanwhile."""
    before = {name: cpu_seconds(pid) for name, pid in peers.items()}
    done = subprocess.run(
        [sys.executable, "-m", module, json.dumps(task)], stdout=subprocess.PIPE, text=True, check=True
    )
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return {**result, **{f"{name}_cpu_seconds": cpu_seconds(pid) - before[name] for name, pid in peers.items()}}


def _check(settings: Settings, batch_key: str, items: int) -> None:
    """Every state has to be COMPLETED and found, every call applied: a fast engine that loses work has no time."""
    with connect(open_databases(settings).hq) as connection:
        row = connection.execute(
            """
            select (select count(*) from workflow_states s where s.batch_id = b.id and s.outcome = 'found') as found,
                   (select count(*) from provider_calls c where c.batch_id = b.id and c.state = 'applied') as calls
            from batches b where b.batch_key = %s
            """,
            (batch_key,),
        ).fetchone()
    if row is None or (row["found"], row["calls"]) != (items * (CALLS + 1), items * CALLS):
        raise SystemExit(f"the engine did not do the work: {row}")


def _medians(results: list[dict[str, dict[str, float]]], items: int, clients: Sequence[str]) -> dict[str, Any]:
    """Per side the median of each figure, derived rates, and the ratio to each bare loop."""
    sides: dict[str, Any] = {}
    for name in results[0]:
        figures = {key: statistics.median(r[name][key] for r in results) for key in results[0][name]}
        seconds = figures.pop("seconds")
        cpu = {key: round(value * 1000 / items, 3) for key, value in figures.items() if key.endswith("cpu_seconds")}
        sides[name] = {
            "seconds": round(seconds, 2),
            "seconds_of_rounds": [round(r[name]["seconds"], 2) for r in results],
            "items_per_second": round(items / seconds),
            "calls_per_second": round(items * CALLS / seconds),
            "cpu_seconds_per_1000_items": cpu,
            "peak_megabytes": round(figures["peak_megabytes"]),
        }
    ratios = {c: statistics.median(r["engine"]["seconds"] / r[c]["seconds"] for r in results) for c in clients}
    return {**sides, "ratio": {client: round(ratio, 3) for client, ratio in ratios.items()}}


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", default="1000,10000", help="sizes (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s; 100,000 items run once")
    parser.add_argument("--concurrency", type=int, default=100, help="default: %(default)s")
    parser.add_argument("--latency", default="50ms", help="of the sandbox (default: %(default)s)")
    parser.add_argument("--clients", default="aiohttp", help=f"bare loops, of {', '.join(CLIENTS)}")
    parser.add_argument("--profile", help="write the engine's cProfile there (and do not trust the times)")
    given = parser.parse_args()
    report = measure(
        [int(n) for n in given.items.split(",")], rounds=given.rounds, concurrency=given.concurrency,
        latency=given.latency, clients=given.clients.split(","), profile=given.profile,
    )  # fmt: skip
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
