"""What pages that follow a batch cost the server, against the run that they follow; and none, for comparison.

    python -m bench.following --pages 100 --items 5000

A batch of names is run by `enrich run` while so many streams of its page are open at a server of its own process; then
another one with none open. Prints JSON: CPU seconds of the run and of the server, and events that arrived.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import suppress

import httpx

from bench.installation import installation, launch
from bench.usage import cpu_seconds
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.settings import Settings

PORT = 18731
ADDRESS = f"http://127.0.0.1:{PORT}"


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description="Pages that follow a batch, against its run.")
    parser.add_argument("--pages", type=int, default=100, help="open at a time (default: %(default)s)")
    parser.add_argument("--items", type=int, default=5_000, help="of the batch (default: %(default)s)")
    args = parser.parse_args()
    with installation() as settings:
        found = {}
        for name, pages in (("none open", 0), ("open", args.pages)):
            batch = f"bench-{name.replace(' ', '-')}"
            launch(settings, batch, args.items, [builtin_workflows()["normalise-name"]])
            found[name] = {"pages": pages, **asyncio.run(_followed(settings, batch, pages))}
    print(json.dumps({"items": args.items, **found}, indent=2))


async def _followed(settings: Settings, batch: str, pages: int) -> dict[str, float]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("ENRICH_", "DAGSTER_"))}
    environment = {**own, "ENRICH_HOME": str(settings.home), "ENRICH_WARM_MINUTES": "0"}
    command = [sys.executable, "-m", "enrichment_assets.web.api", "--port", str(PORT), "--no-login"]
    server = await asyncio.create_subprocess_exec(*command, env=environment, stdout=subprocess.DEVNULL)
    limits = httpx.Limits(max_connections=pages + 10)
    try:
        async with httpx.AsyncClient(base_url=ADDRESS, timeout=None, limits=limits) as http:
            await _up(http)
            (await http.get(f"/batches/{batch}")).raise_for_status()  # what a first page loads is not counted
            before, parts, started = cpu_seconds(server.pid), [0], time.perf_counter()
            following = [asyncio.create_task(_follow(http, batch, parts)) for _ in range(pages)]
            await asyncio.sleep(2)
            run = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "enrichment_assets", "run", batch, "--json"),
                env=environment,
                stdout=subprocess.DEVNULL,
            )
            of_run = 0.0
            while run.returncode is None:
                of_run = max(of_run, cpu_seconds(run.pid))
                await asyncio.sleep(0.05)
            await asyncio.sleep(4)  # the last change is told, too
            of_server = cpu_seconds(server.pid) - before
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)
        return {
            "run_cpu_s": round(of_run, 2),
            "server_cpu_s": round(of_server, 2),
            "seconds": round(time.perf_counter() - started, 1),
            "parts": parts[0],
        }
    finally:
        server.terminate()
        await server.wait()


async def _up(http: httpx.AsyncClient) -> None:
    for _ in range(600):
        with suppress(httpx.TransportError):
            if (await http.get("/health")).status_code == 200:
                return
        await asyncio.sleep(0.2)
    raise SystemExit("the server does not answer")


async def _follow(http: httpx.AsyncClient, batch: str, parts: list[int]) -> None:
    async with http.stream("GET", f"/batches/{batch}/live") as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            parts[0] += line == "event: part"


if __name__ == "__main__":
    main()
