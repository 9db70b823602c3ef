"""Twenty golf courses in flight: how long a course with its contacts takes, beside the slowest chain of its own calls.

    python -m bench.families
    python -m bench.families --courses 40 --latency 500ms

Every provider of the simulator answers after the same time, and none is limited: the map server is taken for one's own.
The chain of a course is what its steps would take one after another where each depends on another, and side by side
where not: those of the course, then for each contact theirs; the longest of them counts. A ratio of 1 is no overhead at
all; contacts one after another would be several.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from bench.installation import CLIENT, at, installation
from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.pipeline import Blueprint, ClientWorkflowConfig
from enrichment_assets.domain.planning import build_blueprint
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.providers import build_providers
from enrichment_assets.registry.loader import builtin_pipelines, builtin_workflows
from enrichment_assets.sandbox.process import SandboxProcess
from enrichment_assets.sandbox.web.courses import courses_in
from enrichment_assets.services.batches.advancing import advance_batch
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.uploads.options import UploadOptions
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.launching import insert_batch, uploads_by_id
from enrichment_assets.store.hq import Hq

SEED, STATE, BATCH = 7, "TX", "courses"
MAP = "count-water-hazards-via-overpass"


def measure(courses: int, latency: str) -> dict[str, Any]:
    """Run the courses once; what is printed."""
    with installation() as home, SandboxProcess(seed=SEED, latency=latency) as sandbox:
        settings = at(home, sandbox_url=sandbox.url, receiver_url="http://127.0.0.1:9")
        with open_hq(settings) as hq:
            blueprint = _launch(hq, settings, courses)
            began = time.monotonic()
            report = advance_batch(hq, settings, BATCH, build_providers(settings.sandbox_url))
            seconds = time.monotonic() - began
            if not report.finished:
                raise SystemExit(f"not finished: {report}")
            taken = _taken(hq, blueprint)
    ratios = [one["seconds"] / one["chain"] for one in taken]
    return {
        "courses": courses,
        "contacts": sum(one["contacts"] for one in taken),
        "latency": latency,
        "seconds": round(seconds, 2),
        "course_seconds": _spread([one["seconds"] for one in taken]),
        "chain_seconds": _spread([one["chain"] for one in taken]),
        "one_after_another_seconds": _spread([one["sum"] for one in taken]),
        "ratio_to_chain": _spread(ratios),
    }


def _launch(hq: Hq, settings: Settings, courses: int) -> Blueprint:
    path = Path(settings.home) / "courses.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["course_name", "state"])
        writer.writerows([one.name, STATE] for one in courses_in(SEED, STATE)[:courses])
    actor, said = Actor(ActorKind.CLI, "bench"), UploadOptions(mapping={"course_name": "company_name"})
    upload_id = upload_file(hq, settings, path, CLIENT, actor=actor, options=said).upload_id
    unlimited = {
        "limits.per_second": None,
        "limits.per_minute": None,
        "limits.per_day": None,
        "limits.concurrency": 200,
    }
    workflows = builtin_workflows()
    pipeline = builtin_pipelines()["golf"]
    configs = {slug: ClientWorkflowConfig(settings=dict(unlimited)) for slug in pipeline.slugs()}
    blueprint = build_blueprint(CLIENT, pipeline, workflows, configs)
    with hq.transaction() as connection:
        insert_batch(connection, BATCH, uploads_by_id(connection, upload_id, CLIENT)[0], blueprint)
    create_items(hq, settings, BATCH)
    return blueprint


def _taken(hq: Hq, blueprint: Blueprint) -> list[dict[str, float]]:
    """For each course: from the first call to the end of its last step, its slowest chain, and the sum of its calls."""
    with hq.transaction() as connection:
        items = connection.execute("select id, parent_item_id as parent from batch_items order by id").fetchall()
        ended = {
            row["item_id"]: row["at"]
            for row in connection.execute("select item_id, max(advanced_at) as at from workflow_states group by 1")
        }
        began = connection.execute("select item_id, min(created_at) as at from provider_calls group by 1").fetchall()
        spent: dict[int, dict[str, float]] = defaultdict(dict)
        for row in connection.execute(
            "select item_id, workflow_slug, sum(duration_ms)::float8 / 1000 as seconds from enrichment_results_log "
            "where call_id is not null and duration_ms is not null group by 1, 2"
        ):
            spent[row["item_id"]][row["workflow_slug"]] = row["seconds"]
    first = {row["item_id"]: row["at"] for row in began}
    found = []
    for root in (row["id"] for row in items if row["parent"] is None):
        contacts = [row["id"] for row in items if row["parent"] == root]
        through = _finish(blueprint, spent[root], 0.0)
        chains = [max(through.values(), default=0.0)]
        chains += [max(_finish(blueprint, spent[one], through["choose-staff"]).values()) for one in contacts]
        last = max(ended[one] for one in (root, *contacts))
        found.append(
            {
                "seconds": (last - first[root]).total_seconds(),
                "chain": max(chains),
                "sum": sum(sum(spent[one].values()) for one in (root, *contacts)),
                "contacts": float(len(contacts)),
            }
        )
    return [one for one in found if one["chain"] > 0]


def _finish(blueprint: Blueprint, spent: dict[str, float], begins: float) -> dict[str, float]:
    """When each step of an item would end that begins at a time, if nothing but its own calls took any."""
    ends: dict[str, float] = {}
    for step in blueprint.steps:
        ends[step.slug] = max([begins, *(ends[name] for name in step.needs if name in ends)]) + spent.get(
            step.slug, 0.0
        )
    return ends


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(values), 3), "most": round(max(values), 3)}


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--courses", type=int, default=20, help="in flight at once (default: %(default)s)")
    parser.add_argument("--latency", default="1s", help="of every provider (default: %(default)s)")
    given = parser.parse_args()
    print(json.dumps(measure(given.courses, given.latency), indent=2))


if __name__ == "__main__":
    main()
