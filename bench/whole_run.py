"""`enrich run` from items to published tables, against a bare loop that makes the same calls and fills two tables.

    python -m bench.whole_run --items 1000,5000 --rounds 3

An item has three synchronous calls of 50 ms. (a) The bare loop (`bench/bare_loop.py`) makes them and appends the
answers to a file; then they are read, and people and answers are copied into two typed tables with an index each. (b)
`enrich run`, as people type it: the engine, the models with their tests, lineage and publication, in one process. Both
have `concurrency` calls under way at most, and alternate. `ratio` is the wall time of (b) by that of (a); CPU seconds
are those of the command (or the loop) and of Postgres. `after`: batches that were run in the same home before.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from bench.bare_loop import Task
from bench.engine import ANSWER_BYTES, CALLS, workflows
from bench.installation import at, installation, launch
from bench.usage import cpu_seconds
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.installation.databases import embedded_server, open_databases
from enrichment_assets.sandbox.process import SandboxProcess
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect

GOALS = {1_000: 2.5, 5_000: 1.3}
"""Items -> the ratio that is aimed at."""


def synchronous(concurrency: int) -> list[WorkflowDefinition]:
    """The engine's benchmark's calls, the submission as a third synchronous one; no local step."""
    _, first, second, third = workflows(concurrency)
    called = {"mode": "sync", "request": second.request, "response": second.response, "uses": ["second_id"]}
    plain = third.model_dump(mode="json", exclude={"callback", "poll", "mode", "request", "response"})
    last = WorkflowDefinition.model_validate({**plain, **called})
    return [first.model_copy(update={"uses": []}), second, last]


def measure(sizes: Sequence[int], rounds: int, concurrency: int, latency: str) -> dict[str, Any]:
    """All sizes, in one home: what came before counts too."""
    found: dict[str, Any] = {"latency": latency, "concurrency": concurrency, "sizes": []}
    with installation() as home, SandboxProcess(latency=latency) as sandbox:
        settings = at(home, sandbox_url=sandbox.url, receiver_url="http://127.0.0.1:9")
        server = embedded_server(settings).server_pid() or 0
        batches = 0
        for items in sizes:
            taken = []
            for number in range(rounds):
                loop = _loop(settings, server, items, concurrency)
                run = _run(settings, server, f"whole-{items}-{number}", items, concurrency)
                taken.append({"loop": loop, "run": run})
                batches += 1
            found["sizes"].append({"items": items, "after": batches - rounds, **_medians(taken), "rounds": taken})
    return found


def _loop(settings: Settings, server: int, items: int, concurrency: int) -> dict[str, float]:
    path = settings.home / "loop.jsonl"
    url = f"{settings.sandbox_url}/http/enrich?bytes={ANSWER_BYTES}"
    task = Task("aiohttp", [url] * CALLS, "", items, concurrency, str(path))
    program = "import sys; from bench.whole_run import bare; bare(sys.argv[1], sys.argv[2])"
    told = json.dumps({name: getattr(task, name) for name in Task.__slots__})
    taken = _timed([sys.executable, "-c", program, told, open_databases(settings).workspace], settings, server)
    path.unlink()
    return taken


def bare(task: str, workspace: str) -> None:
    """The loop and its two tables, in a process of its own."""
    import uvloop

    from bench.bare_loop import run

    given = Task(**json.loads(task))
    uvloop.run(run(given))
    with connect(workspace) as connection:
        connection.execute("drop table if exists loop_people, loop_answers")
        connection.execute("create table loop_people (item bigint, first_name text, last_name text)")
        connection.execute("create table loop_answers (item bigint, found boolean, id text, payload jsonb)")
        with connection.cursor().copy("copy loop_people from stdin") as people:
            for number in range(1, given.items + 1):
                people.write_row((number, f"Ann{number}", f"Smith{number}"))
        with Path(given.path).open("rb") as file, connection.cursor().copy("copy loop_answers from stdin") as answers:
            for number, line in enumerate(file):
                answer = orjson.loads(line)
                answers.write_row((number // CALLS, answer.get("found"), answer.get("id"), line.decode()))
        connection.execute("create index on loop_people (item)")
        connection.execute("create index on loop_answers (item)")
        connection.commit()


def _run(settings: Settings, server: int, batch: str, items: int, concurrency: int) -> dict[str, float]:
    launch(settings, batch, items, synchronous(concurrency))
    taken = _timed([sys.executable, "-m", "enrichment_assets", "run", batch, "--json"], settings, server)
    with connect(open_databases(settings).workspace) as connection:
        row = connection.execute("select count(*) as n from final_leads where batch_key = %s", (batch,)).fetchone()
    with connect(open_databases(settings).hq) as connection:
        calls = connection.execute(
            "select count(*) as n from provider_calls c join batches b on b.id = c.batch_id "
            "where b.batch_key = %s and c.state = 'applied'",
            (batch,),
        ).fetchone()
    if row is None or calls is None or (row["n"], calls["n"]) != (items, items * CALLS):
        raise SystemExit(f"the run did not do the work: {row}, {calls}")
    return taken


def _timed(command: Sequence[str], settings: Settings, server: int) -> dict[str, float]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("ENRICH_", "DAGSTER_"))}
    told = {"ENRICH_HOME": str(settings.home), "ENRICH_SANDBOX_URL": settings.sandbox_url or ""}
    postgres, started = cpu_seconds(server), time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**own, **told})
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[-3:]} failed with exit code {process.returncode}")
    return {
        "wall_s": round(time.perf_counter() - started, 2),
        "cpu_s": round(used.ru_utime + used.ru_stime, 2),
        "postgres_cpu_s": round(cpu_seconds(server) - postgres, 2),
    }


def _medians(taken: Sequence[dict[str, dict[str, float]]]) -> dict[str, Any]:
    sides: dict[str, Any] = {
        side: {name: statistics.median(one[side][name] for one in taken) for name in taken[0][side]}
        for side in ("loop", "run")
    }
    ratio = statistics.median(one["run"]["wall_s"] / one["loop"]["wall_s"] for one in taken)
    return {**sides, "ratio": round(ratio, 2)}


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", default="1000,5000", help="sizes (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=1, help="of each size (default: %(default)s)")
    parser.add_argument("--concurrency", type=int, default=100, help="default: %(default)s")
    parser.add_argument("--latency", default="50ms", help="of the sandbox (default: %(default)s)")
    given = parser.parse_args()
    sizes = [int(n) for n in given.items.split(",")]
    print(json.dumps(measure(sizes, given.rounds, given.concurrency, given.latency), indent=2))


if __name__ == "__main__":
    main()
