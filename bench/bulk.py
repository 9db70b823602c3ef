"""Ten people in one request against one in each: the same people, one provider, by turns.

    python -m bench.bulk
    python -m bench.bulk --people 100 --cpu-people 1000 --rounds 1

(a) How much sooner a list is done where the provider limits calls. 10,000 people at 60 calls a minute take 167 minutes
one by one: the run is scaled down, to fewer people at more calls a minute, and says so; what does not scale (a run's
start, the last items' wait for company) counts against bulk calls all the more. (b) What an item costs this machine
where nothing limits calls: CPU seconds of the engine's process, and of it and Postgres together, in medians of the
rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
from typing import Any

from bench.engine import child, engine_task
from bench.installation import at, installation, launch
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.installation.databases import embedded_server, open_databases
from enrichment_assets.sandbox.process import SandboxProcess
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect

MEMBERS = 10
CONCURRENCY = 50
STANDS_FOR = "10,000 people at 60 calls a minute"
SINGLY, BULK = "singly", "bulk"


def workflow(way: str, per_second: float | None) -> WorkflowDefinition:
    """One question about a person, asked alone or together with others."""
    row = {"id": "{{item.id}}", "first_name": "{{first_name}}", "last_name": "{{last_name}}"}
    headers = {"x-api-key": "bench"}
    limits = {"concurrency": CONCURRENCY, **({} if per_second is None else {"per_second": per_second})}
    values: dict[str, Any] = {
        "slug": way, "title": way, "step": 1, "provider": "http", "operation": way, "mode": "sync",
        "price": {"estimate": "0.01", "not_found": "0"}, "limits": limits, "response": {"found_if": "found"},
    }  # fmt: skip
    if way == SINGLY:
        values |= {"request": {"url": "/enrich", "headers": headers, "body": row}, "provides": {"found_id": "id"}}
    else:
        values |= {
            "request": {"url": "/enrich-many", "headers": headers, "body": {"rows": "{{members}}"}},
            "provides": {"found_id": "number"},
            "bulk": {
                "at_most": MEMBERS,
                "member": row,
                "answers": "results",
                "match": {"sent": "id", "answered": "id"},
            },
        }
    return WorkflowDefinition.model_validate(values)


def measure(people: int, per_second: float, cpu_people: int, rounds: int) -> dict[str, Any]:
    """Both comparisons; what is printed."""
    with installation() as home, SandboxProcess(latency="5ms") as sandbox:
        settings = at(home, sandbox_url=sandbox.url, receiver_url="http://127.0.0.1:9")
        peers = {"postgres": embedded_server(settings).server_pid() or 0}
        for way in (SINGLY, BULK):
            _run(settings, peers, f"warm-up-{way}", way, 200, None)
        limited = {way: _run(settings, peers, f"limited-{way}", way, people, per_second) for way in (SINGLY, BULK)}
        free = [
            {way: _run(settings, peers, f"free-{way}-{n}", way, cpu_people, None) for way in (SINGLY, BULK)}
            for n in range(rounds)
        ]
    seconds = {way: taken["seconds"] for way, taken in limited.items()}
    cpu = {way: statistics.median(r[way]["cpu_seconds"] for r in free) for way in (SINGLY, BULK)}
    all_cpu = {
        way: statistics.median(r[way]["cpu_seconds"] + r[way]["postgres_cpu_seconds"] for r in free)
        for way in (SINGLY, BULK)
    }
    return {
        "limited": {
            "stands_for": STANDS_FOR,
            "scaled_down_to": f"{people} people at {per_second * 60:g} calls a minute",
            "seconds": {way: round(taken, 2) for way, taken in seconds.items()},
            "times_faster": round(seconds[SINGLY] / seconds[BULK], 2),
            "goal": 9,
        },
        "cpu": {
            "people": cpu_people,
            "rounds": rounds,
            "engine_milliseconds_per_item": {way: round(used * 1000 / cpu_people, 3) for way, used in cpu.items()},
            "with_postgres": {way: round(used * 1000 / cpu_people, 3) for way, used in all_cpu.items()},
            "ratio": round(cpu[BULK] / cpu[SINGLY], 3),
            "ratio_with_postgres": round(all_cpu[BULK] / all_cpu[SINGLY], 3),
            "goal": 0.5,
        },
    }


def _run(
    settings: Settings, peers: dict[str, int], name: str, way: str, people: int, per_second: float | None
) -> dict[str, float]:
    """One batch from claim to end in a process of its own; every person has to be found."""
    launch(settings, name, people, [workflow(way, per_second)])
    taken = child("bench.engine_child", engine_task(settings, name, None), peers)
    with connect(open_databases(settings).hq) as connection:
        row = connection.execute(
            "select count(*) as n from workflow_states s join batches b on b.id = s.batch_id "
            "where b.batch_key = %s and s.outcome = 'found'",
            (name,),
        ).fetchone()
    if row is None or row["n"] != people:
        raise SystemExit(f"{way}: {row} of {people} were found")
    return taken


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=600, help="under a limit (default: %(default)s)")
    parser.add_argument("--per-second", type=float, default=20.0, help="calls, of the limit (default: %(default)s)")
    parser.add_argument("--cpu-people", type=int, default=5_000, help="without a limit (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="without a limit (default: %(default)s)")
    given = parser.parse_args()
    print(json.dumps(measure(given.people, given.per_second, given.cpu_people, given.rounds), indent=2))


if __name__ == "__main__":
    main()
