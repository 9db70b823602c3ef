"""What ten batches cost, and what ten thousand of 300 clients do, with the Dagster events of a year.

    python -m bench.many_batches --batches 10000 --clients 300 --rows 12

Two installations: in each, one list runs through the demo's pipeline, and its batch is copied (`bench.past_batches`),
here to ten, there to the full number. Then the same things are timed in both by turns: a tick of every sensor, `enrich
launch`, `status` and `query`, and the questions that Dagster's asset and partition pages ask of its web server. Prints
JSON: seconds of wall time (medians), and the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from bench.installation import installation
from bench.past_batches import Past, make
from enrichment_assets.installation.stack import render_dagster_home
from enrichment_assets.settings import Settings

SAMPLE = Path(__file__).parents[1] / "examples" / "apollo_people.csv"
FEW = 10
GOAL = 1.5
NOBODY = "http://127.0.0.1:9"
"""Where the sandbox would be: a launch checks that there is an address, and calls nobody."""

ASSETS_PAGE = """
query Assets { assetNodes(loadMaterializations: true) {
    id assetKey { path } opNames isPartitioned
    assetMaterializations(limit: 1) { timestamp runId }
    partitionStats { numMaterialized numMaterializing numPartitions numFailed }
    assetChecksOrError { ... on AssetChecks { checks { name executionForLatestMaterialization { status runId } } } }
} }
"""
PARTITIONS_PAGE = """
query Partitions($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
    id partitionKeysByDimension { name partitionKeys }
    assetPartitionStatuses { ... on DefaultPartitionStatuses {
        materializedPartitions failedPartitions unmaterializedPartitions materializingPartitions } }
} } }
"""
ONE_PARTITION = """
query Partition($key: AssetKeyInput!, $partition: String!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
    id latest: assetMaterializations(partitions: [$partition], limit: 1) { timestamp runId metadataEntries { label } }
    latestRunForPartition(partition: $partition) { id status }
} } }
"""
RUNS_PAGE = "query { runsOrError(limit: 25) { ... on Runs { results { id status tags { key value } startTime } } } }"
PAGES = {
    "assets page": ASSETS_PAGE,
    "partitions page": PARTITIONS_PAGE,
    "one partition": ONE_PARTITION,
    "runs page": RUNS_PAGE,
}

COMMANDS = {
    "enrich launch": ("launch", "1", "--pipeline", "full-demo", "--batch", "timed"),
    "enrich status BATCH": ("status", "BATCH"),
    "enrich status": ("status",),
    "enrich query": ("query", "select count(*) from final_leads where company_name = 'Acme'"),
    "enrich query --client": (
        *("query", "select full_name, email from final_leads order by full_name limit 20"),
        *("--client", "past-client-1"),
    ),
}


def main() -> None:
    """Make two installations, time both by turns, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description="Ten batches against ten thousand.")
    parser.add_argument("--batches", type=int, default=10_000, help="default: %(default)s")
    parser.add_argument("--clients", type=int, default=300, help="default: %(default)s")
    parser.add_argument("--rows", type=int, default=12, help="of each batch (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    given = parser.parse_args()
    with installation() as few, installation() as many:
        began = time.monotonic()
        for settings, batches in ((few, FEW), (many, given.batches)):
            template = _demo(settings, given.rows)
            make(settings, Past(template, batches - 1, min(given.clients, batches)))
        made = time.monotonic() - began
        found = [by_turns(few, many, template) for _ in range(given.rounds)]
    seconds = {
        name: {
            "few": statistics.median(few_seconds for few_seconds, _ in pairs),
            "many": statistics.median(many_seconds for _, many_seconds in pairs),
            "ratio": round(statistics.median(many_s / few_s for few_s, many_s in pairs), 2),
        }
        for name in found[0]
        for pairs in [[one[name] for one in found]]
    }
    print(json.dumps({**vars(given), "made_in_seconds": round(made), "goal": GOAL, "seconds": seconds}))


def _demo(settings: Settings, rows: int) -> str:
    """Run the first rows of the sample through `enrich demo`; the key of its batch."""
    with tempfile.TemporaryDirectory() as folder, SAMPLE.open(encoding="utf-8") as sample:
        file = Path(folder) / "people.csv"
        file.write_text("".join(itertools.islice(sample, rows + 1)), encoding="utf-8")
        _enrich(settings, "demo", "--file", str(file))
    return str(json.loads(_enrich(settings, "status", "--json"))[0]["batch"])


def by_turns(few: Settings, many: Settings, template: str) -> dict[str, tuple[float, float]]:
    """Seconds of everything that is timed, by its name: in the one installation and in the other."""
    found = {}
    for name, arguments in COMMANDS.items():
        words = [template if word == "BATCH" else word for word in arguments]
        found[name] = (seconds(_enrich, few, *words), seconds(_enrich, many, *words))
        if words[0] == "launch":
            for settings in (few, many):
                _enrich(settings, "remove", "batch", "timed", "--yes")
    ticks = [_sensors(settings) for settings in (few, many)]
    found |= {name: (ticks[0][name], ticks[1][name]) for name in ticks[0]}
    with _web_server(few) as ask_few, _web_server(many) as ask_many:
        key = {"key": {"path": ["final_leads"]}, "partition": template}
        for name, page in PAGES.items():
            for ask in (ask_few, ask_many):  # Dagster keeps what it worked out for a page the first time
                ask(page, key)
            found[name] = (seconds(ask_few, page, key), seconds(ask_many, page, key))
    return found


def seconds(work: Callable[..., object], *arguments: object) -> float:
    """Seconds of wall time that it takes."""
    began = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - began


def _sensors(settings: Settings) -> dict[str, float]:
    """Seconds of a tick of each sensor, in a process that has the installation's definitions."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.sensor_ticks"],
        env=_environment(settings),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def _web_server(settings: Settings) -> Iterator[Callable[[str, dict[str, Any]], None]]:
    """Dagster's web server over the installation; yields a function that asks it one question."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    home = str(render_dagster_home(settings).parent)
    program = shutil.which("dagster-webserver", path=str(Path(sys.executable).parent)) or "dagster-webserver"
    command = [program, "--port", str(port), "--host", "127.0.0.1", "-m", "enrichment_assets.definitions"]
    environment = {**_environment(settings), "DAGSTER_HOME": home}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"

    def ask(query: str, variables: dict[str, Any]) -> None:
        answer = httpx.post(f"{address}/graphql", json={"query": query, "variables": variables}, timeout=600).json()
        if "errors" in answer:
            raise SystemExit(f"Dagster refused a question: {answer['errors']}")

    try:
        _wait_for(address)
        yield ask
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def _wait_for(address: str) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            if httpx.get(f"{address}/server_info").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise SystemExit("Dagster's web server did not start")


def _environment(settings: Settings) -> dict[str, str]:
    return {**os.environ, "ENRICH_HOME": str(settings.home), "ENRICH_SANDBOX_URL": NOBODY}


def _enrich(settings: Settings, *arguments: str) -> str:
    """Standard output of a command."""
    command = [sys.executable, "-m", "enrichment_assets", *arguments]
    done = subprocess.run(command, env=_environment(settings), stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


if __name__ == "__main__":
    main()
