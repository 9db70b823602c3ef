"""Receiver bench: durable callbacks a second and their latency, against the same server answering without a commit.

    python bench/receiver.py [--requests 4000] [--rounds 3] [--connections 16,64,500] [--output FILE]

Server, load client and Postgres are three processes on this machine. Rounds with and without commit alternate, and
the median of each counts, so that a noisy neighbour hits both. Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from enrichment_assets.installation.databases import embedded_server, open_databases
from enrichment_assets.receiver.app import ReceiverApp
from enrichment_assets.receiver.limits import ReceiverLimits
from enrichment_assets.receiver.opting_out import KeptOptOuts
from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.receiver.server import serve
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.store.inbox.callbacks import IncomingCallback, Receipt

GOAL = 0.75
BODY = json.dumps({"person": {"email": "a@example.com", "notes": "x" * 1950}}).encode()
ROUND_SECONDS = 60
UNBOUND = {"ENRICH_RECEIVER_ADDRESS_BURST": "100000000"}
"""The load comes from one address, faster than one is let to come for long."""


class UncommittedSink:
    """Says STORED at once and stores nothing: what the HTTP side alone can do."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def probe(self) -> bool:
        return True

    def knows(self, token: str) -> asyncio.Future[bool]:
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        future.set_result(True)
        return future

    def submit(self, callback: IncomingCallback) -> asyncio.Future[Receipt]:
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        future.set_result(Receipt.STORED)
        return future


async def load(url: str, tokens: list[str], connections: int) -> dict[str, Any]:
    """POST one callback for each token over `connections` keep-alive connections."""
    import aiohttp

    waiting = iter(tokens)
    latencies: list[float] = []
    statuses: dict[int, int] = {}

    async def work(session: aiohttp.ClientSession) -> None:
        for token in waiting:
            started = time.perf_counter()
            async with session.post(f"{url}/callbacks/{token}", data=BODY) as answer:
                await answer.read()
                statuses[answer.status] = statuses.get(answer.status, 0) + 1
            latencies.append(time.perf_counter() - started)

    connector = aiohttp.TCPConnector(limit=connections)
    headers = {"content-type": "application/json"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def connect_once() -> None:
            async with session.get(f"{url}/callbacks/warm-up") as answer:
                await answer.read()

        await asyncio.gather(*(connect_once() for _ in range(connections)))
        started = time.perf_counter()
        async with asyncio.timeout(ROUND_SECONDS):
            await asyncio.gather(*(work(session) for _ in range(connections)))
        seconds = time.perf_counter() - started
    ranked = sorted(latencies)
    return {
        "seconds": seconds,
        "per_second": len(ranked) / seconds,
        "p50_ms": 1000 * ranked[len(ranked) // 2],
        "p99_ms": 1000 * ranked[len(ranked) * 99 // 100],
        "statuses": statuses,
    }


def seed(url: str, count: int) -> None:
    """A client, a batch and `count` sent calls; tokens are `bench-token-<n>`, padded."""
    with connect(url) as connection:
        connection.execute("insert into clients (slug, name) values ('bench', 'Bench')")
        connection.execute(
            """
            insert into provider_calls (call_key, client_id, batch_id, item_id, workflow_slug, subject_key, provider,
                                        operation, state, fence, callback_token, token_expires_at)
            select 'bench:' || n, 1, 1, n, 'enrich-person-clay', 'item:' || n, 'clay', 'enrich', 'sent', 1,
                   'bench-token-' || lpad(n::text, 12, '0'), now() + interval '1 day'
            from generate_series(0, %s - 1) n
            """,
            [count],
        )
        connection.commit()
        connection.execute("analyze provider_calls")


def run_load(url: str, first: int, count: int, connections: int) -> dict[str, Any]:
    """The load client in a process of its own."""
    command = [sys.executable, __file__, "load", url, str(first), str(count), str(connections)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=ROUND_SECONDS * 2)
    return json.loads(done.stdout)


def measure(requests: int, rounds: int, levels: list[int]) -> dict[str, Any]:
    """Run everything; returns the report that is printed."""
    per_level = requests * rounds
    report: dict[str, Any] = {"requests": requests, "rounds": rounds, "body_bytes": len(BODY), "goal": GOAL}
    with tempfile.TemporaryDirectory(prefix="enrich-bench-") as home:
        settings = Settings(home=Path(home))
        url = open_databases(settings).hq
        try:
            seed(url, per_level * len(levels) + 1000)
            bare_command = (__file__, "serve")
            with (
                ReceiverProcess(settings, environment=UNBOUND) as durable,
                ReceiverProcess(settings, environment=UNBOUND, command=bare_command) as bare,
            ):
                run_load(durable.url, per_level * len(levels), 1000, 16)  # warm both up
                run_load(bare.url, 0, 1000, 16)
                report["levels"] = [
                    _level(durable.url, bare.url, number * per_level, requests, rounds, connections)
                    for number, connections in enumerate(levels)
                ]
            with connect(url) as connection:
                row = connection.execute("select count(*) as n from callback_inbox").fetchone()
            report["acknowledged"] = per_level * len(levels) + 1000
            report["stored"] = row["n"] if row else 0
        finally:
            embedded_server(settings).remove()
    report["worst_ratio"] = min(level["ratio"] for level in report["levels"])
    report["goal_met"] = report["worst_ratio"] >= GOAL and report["stored"] == report["acknowledged"]
    return report


def _level(durable: str, bare: str, first: int, requests: int, rounds: int, connections: int) -> dict[str, Any]:
    with_commit, without = [], []
    for number in range(rounds):
        with_commit.append(run_load(durable, first + number * requests, requests, connections))
        without.append(run_load(bare, first + number * requests, requests, connections))
    for result in (*with_commit, *without):
        if result["statuses"] != {"202": requests}:
            raise SystemExit(f"unexpected answers: {result['statuses']}")
    report: dict[str, Any] = {"connections": connections}
    for name, results in (("durable", with_commit), ("without_commit", without)):
        report[name] = {
            key: round(statistics.median(result[key] for result in results), 2)
            for key in ("per_second", "p50_ms", "p99_ms")
        }
    report["ratio"] = round(report["durable"]["per_second"] / report["without_commit"]["per_second"], 3)
    return report


def main() -> None:
    """Dispatch: the bench itself, or one of its two child processes (`serve`, `load`)."""
    if sys.argv[1:2] == ["load"]:
        url, first, count, connections = sys.argv[2], *map(int, sys.argv[3:6])
        tokens = [f"bench-token-{n:012}" for n in range(first, first + count)]
        print(json.dumps(asyncio.run(load(url, tokens, connections))))
        return
    if sys.argv[1:2] == ["serve"]:
        limits = ReceiverLimits.from_environment()
        app = ReceiverApp(UncommittedSink(), KeptOptOuts(Settings.from_environment()), limits)
        serve(app, "127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1]), limits)
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=4000, help="callbacks a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--connections", default="16,64,500", help="default: %(default)s")
    parser.add_argument("--output", type=Path, help="also write the JSON there")
    options = parser.parse_args()
    report = measure(options.requests, options.rounds, [int(n) for n in options.connections.split(",")])
    text = json.dumps(report, indent=2)
    if options.output:
        options.output.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
