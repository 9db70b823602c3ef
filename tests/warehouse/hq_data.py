"""Puts batches into HQ as the engine would leave them: items, states and results, by COPY."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

OFFICIALS = Path(__file__).resolve().parents[1] / "data" / "officials"
MATCH = "match-person-via-apollo"

_HEADERS = {
    "First Name": "first_name",
    "Last Name": "last_name",
    "Title": "title",
    "Company": "company_name",
    "Email": "email",
    "Website": "company_website",
    "City": "city",
    "State": "state",
    "Country": "country",
    "Industry": "industry",
    "Apollo Contact Id": "apollo_contact_id",
    "Apollo Account Id": "apollo_account_id",
}


@dataclass
class Answer:
    """What one workflow gave one item. `payload` None: a miss, when `outcome` says so."""

    workflow: str
    payload: Any = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    provider: str = "apollo"
    status: str = "COMPLETED"
    outcome: str | None = "found"
    cost: str = "0.02"
    reason: str | None = None
    error_class: str | None = None
    age_days: int = 0
    stage: str | None = None
    id_namespace: str | None = None
    citations: Mapping[str, Any] | None = None


@dataclass
class Lead:
    """One uploaded row and the answers it got."""

    fields: Mapping[str, str | None]
    answers: Sequence[Answer] = ()
    original: Mapping[str, str] | None = None
    company_key: str | None = None
    details: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Seeded:
    """Where a seeded batch is in HQ."""

    batch_key: str
    batch_id: int
    item_ids: list[int]


def seed_batch(
    hq: psycopg.Connection[Any], leads: Sequence[Lead], *, batch_key: str = "b1", client: str = "acme"
) -> Seeded:
    """Insert a client (once), an upload, a batch with a blueprint of the used workflows, and all of its leads."""
    client_id = _one(
        hq,
        "insert into clients (slug, name) values (%s, initcap(%s)) "
        "on conflict (slug) do update set name = excluded.name returning id",
        client,
        client,
    )
    upload_id = _one(
        hq,
        "insert into uploads (client_id, filename, sha256, size_bytes, encoding, delimiter, columns, row_count, "
        "rejected_count, source) values (%s, 'leads.csv', %s, 1, 'utf-8', ',', '[]', %s, 0, 'cli') returning id",
        client_id,
        batch_key,
        len(leads),
    )
    used = {a.workflow: a for lead in leads for a in lead.answers}
    steps = [_step(i, answer) for i, answer in enumerate(used.values())]
    batch_id = _one(
        hq,
        "insert into batches (batch_key, client_id, upload_id, pipeline_slug, blueprint, started_at) "
        "values (%s, %s, %s, 'test', %s, now() - interval '1 hour') returning id",
        batch_key,
        client_id,
        upload_id,
        json.dumps({"client": client, "pipeline": "test", "company_identity": [], "steps": steps}),
    )
    ids = [
        row["nextval"]
        for row in hq.execute(
            "select nextval(pg_get_serial_sequence('batch_items', 'id')) from generate_series(1, %s)", [len(leads)]
        )
    ]
    _copy_items(hq, client_id, batch_id, ids, leads)
    _copy_answers(hq, client_id, batch_id, ids, leads, {slug: i for i, slug in enumerate(used)})
    hq.commit()
    return Seeded(batch_key, batch_id, ids)


def official_leads() -> list[Lead]:
    """The 537 officials with the stored answer each of them got."""
    with (OFFICIALS / "people.csv").open(encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file))
    with gzip.open(OFFICIALS / "people_match_responses.jsonl.gz", "rt", encoding="utf-8") as file:
        answers = [json.loads(line)["response"] for line in file]
    return [
        Lead(
            fields={name: person[header] for header, name in _HEADERS.items()},
            original=person,
            answers=[
                Answer(
                    MATCH,
                    answer,
                    {"title": answer["person"]["title"], "apollo_person_id": answer["person"]["id"]},
                )
            ],
        )
        for person, answer in zip(people, answers, strict=True)
    ]


def expected_history() -> list[dict[str, str]]:
    """The rows that `person_work_history` must hold for the officials."""
    with gzip.open(OFFICIALS / "expected_work_history.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _one(hq: psycopg.Connection[Any], query: str, *values: Any) -> int:
    row = hq.execute(query, values).fetchone()  # type: ignore[arg-type]
    return int(next(iter(row.values())))


def _step(position: int, answer: Answer) -> dict[str, Any]:
    workflow = {
        "slug": answer.workflow,
        "title": answer.workflow,
        "provider": answer.provider,
        "operation": "test",
        "step": position,
        "request": {"url": "/"},
        "mode": "sync",
        "entity": "person",
        "stage": answer.stage,
        "id_namespace": answer.id_namespace,
        "provides": dict.fromkeys(answer.fields, "@"),
    }
    return {"position": position, "workflow": workflow, "fallback_of": [], "registry_version": "1"}


def _copy_items(
    hq: psycopg.Connection[Any], client_id: int, batch_id: int, ids: Sequence[int], leads: Sequence[Lead]
) -> None:
    names = sorted({name for lead in leads for name in lead.fields})
    columns = ", ".join(
        ["id", "client_id", "batch_id", "row_number", "origin_key", "company_key", "original_data", "details", *names]
    )
    with hq.cursor().copy(f"copy batch_items ({columns}) from stdin") as copy:
        for number, (item, lead) in enumerate(zip(ids, leads, strict=True), start=1):
            original = json.dumps(lead.original if lead.original is not None else dict(lead.fields))
            details = None if lead.details is None else json.dumps(lead.details)
            values = [lead.fields.get(name) for name in names]
            copy.write_row(
                [item, client_id, batch_id, number, f"row:{number}", lead.company_key, original, details, *values]
            )


def _copy_answers(
    hq: psycopg.Connection[Any],
    client_id: int,
    batch_id: int,
    ids: Sequence[int],
    leads: Sequence[Lead],
    positions: Mapping[str, int],
) -> None:
    rows = [(item, answer) for item, lead in zip(ids, leads, strict=True) for answer in lead.answers]
    kept = [(item, a) for item, a in rows if a.status == "COMPLETED"]
    results = [
        row["nextval"]
        for row in hq.execute(
            "select nextval(pg_get_serial_sequence('enrichment_results', 'id')) from generate_series(1, %s)",
            [len(kept)],
        )
    ]
    hq.execute("create temp table given (like enrichment_results, age_days int) on commit drop")
    columns = (
        "id, client_id, batch_id, item_id, workflow_slug, provider, outcome, payload, fields, citations, fetched_at, "
        "age_days"
    )
    with hq.cursor().copy(f"copy given ({columns}) from stdin") as copy:
        for result, (item, a) in zip(results, kept, strict=True):
            payload = None if a.payload is None else json.dumps(a.payload)
            copy.write_row(
                [
                    result,
                    client_id,
                    batch_id,
                    item,
                    a.workflow,
                    a.provider,
                    a.outcome,
                    payload,
                    json.dumps(a.fields),
                    None if a.citations is None else json.dumps(a.citations),
                    "2026-01-01",
                    a.age_days,
                ]
            )
    hq.execute(
        "insert into enrichment_results (id, client_id, batch_id, item_id, workflow_slug, provider, outcome, payload, "
        "fields, citations, fetched_at) overriding system value "
        "select id, client_id, batch_id, item_id, workflow_slug, provider, outcome, payload, fields, citations, "
        "now() - make_interval(days => age_days) from given"
    )
    hq.execute("drop table given")
    by_key = {(item, a.workflow): result for result, (item, a) in zip(results, kept, strict=True)}
    columns = (
        "item_id, workflow_slug, batch_id, client_id, position, status, outcome, reason, error_class, attempts, cost, "
        "result_id, advanced_at"
    )
    with hq.cursor().copy(f"copy workflow_states ({columns}) from stdin") as copy:
        for item, a in rows:
            copy.write_row(
                [
                    item,
                    a.workflow,
                    batch_id,
                    client_id,
                    positions[a.workflow],
                    a.status,
                    a.outcome,
                    a.reason,
                    a.error_class,
                    1,
                    a.cost,
                    by_key.get((item, a.workflow)),
                    "2026-01-02",
                ]
            )
