"""A job history of each shape, and its rows: organisation, its id, title, start, end, is_current.

Shapes of providers are the payload files `tests/payloads/shapes/history_*.yaml`; those take the whole pipeline too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.payloads.payload import load_payloads

COLUMNS = ("organisation_name", "provider_organisation_id", "title", "start_date", "end_date", "is_current")


def _of_files() -> Iterator[tuple[str, tuple[Any, list[tuple[Any, ...]]]]]:
    for payload in load_payloads():
        jobs = payload.expect.get("jobs", [])
        whole = all(job.keys() >= set(COLUMNS) for job in jobs)  # a file may name only what matters to it
        if payload.name.startswith("history_") and jobs and whole:
            body = json.loads(payload.answers[payload.slug].first.body)
            yield payload.name, (body, [tuple(job[column] for column in COLUMNS) for job in jobs])


SHAPES: dict[str, tuple[Any, list[tuple[Any, ...]]]] = dict(_of_files()) | {
    "a list with one profile": (
        [{"experience": [{"title": "CTO", "company": "Acme"}]}],
        [("Acme", None, "CTO", None, None, None)],
    ),
    "a list with the profiles of several people": (
        [{"experience": [{"title": "CTO", "company": "Acme"}]}, {"experience": [{"title": "CEO", "company": "Acme"}]}],
        [],
    ),
}
