"""Answers to extract, 2 KB with five jobs each: put into HQ or, for large sizes, straight into source files."""

from __future__ import annotations

import json
from hashlib import md5
from typing import Any

import duckdb
import psycopg

from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import load_project
from enrichment_assets.warehouse.files import Layout, put_in_place

JOBS = 5
ORGANISATIONS = 5_000
BATCH = "bench"


def seed(hq_url: str, items: int) -> None:
    """Put a batch into HQ as the engine leaves it."""
    with psycopg.connect(hq_url) as connection:
        connection.execute("insert into clients (slug, name) values ('bench', 'Bench')")
        connection.execute(
            "insert into uploads (client_id, filename, sha256, size_bytes, encoding, delimiter, columns, row_count, "
            "rejected_count, source) select id, 'b.csv', 'x', 1, 'utf-8', ',', '[]', %s, 0, 'cli' from clients",
            [items],
        )
        connection.execute(
            "insert into batches (batch_key, client_id, upload_id, pipeline_slug, blueprint) "
            "select %s, client_id, id, 'bench', '{\"steps\": []}' from uploads",
            [BATCH],
        )
        with connection.cursor().copy(
            "copy batch_items (client_id, batch_id, row_number, origin_key, first_name, last_name, company_name, "
            "original_data) from stdin"
        ) as copy:
            for i in range(items):
                copy.write_row((1, 1, i + 1, f"row:{i + 1}", "Ann", f"Smith {i}", f"Org {i % ORGANISATIONS}", "{}"))
        with connection.cursor().copy(
            "copy enrichment_results (client_id, batch_id, item_id, workflow_slug, provider, outcome, payload, fields) "
            "from stdin"
        ) as copy:
            for i in range(items):
                fields = json.dumps({"email": f"a{i}@x.example", "title": "Engineer"})
                copy.write_row(
                    (1, 1, i + 1, "match-person-via-apollo", "apollo", "found", json.dumps(_payload(i)), fields)
                )
        connection.execute(
            "insert into workflow_states (item_id, workflow_slug, batch_id, client_id, position, status, outcome, "
            "result_id, advanced_at) select item_id, workflow_slug, 1, 1, 0, 'COMPLETED', 'found', id, now() "
            "from enrichment_results"
        )


def _payload(item: int) -> dict[str, Any]:
    jobs = []
    for n in range(JOBS):
        identity = md5(b"%d-%d" % (item, n), usedforsecurity=False).hexdigest()[:24]
        organisation = (item * 7 + n) % ORGANISATIONS
        jobs.append(
            {
                "_id": identity, "id": identity, "key": identity, "created_at": None, "current": n == 0, "degree": None,
                "description": None, "emails": None, "end_date": None if n == 0 else f"20{20 - n}-0{n + 1}-01",
                "grade_level": None, "kind": None, "major": None, "organization_id": f"{organisation:024x}",
                "organization_name": f"Organisation Number {organisation} Ltd", "raw_address": None,
                "start_date": f"20{19 - n}-01-01", "title": f"Senior Engineer {n}", "updated_at": None,
            }
        )  # fmt: skip
    return {"person": {"id": f"p{item}", "name": f"Ann Smith {item}", "employment_history": jobs}}


def seed_sources(settings: Settings, items: int) -> None:
    """Write the same batch as source files, without HQ: DuckDB makes a million answers in about a minute."""
    keys = {"client_slug": "'bench'", "batch_key": f"'{BATCH}'"}
    item = keys | {"item_id": "n + 1", "workflow_slug": "'match-person-via-apollo'"}
    answer = {"provider": "'apollo'", "outcome": "'found'", "result_id": "n + 1"}
    jobs = ", ".join(_job_sql(job) for job in range(JOBS))
    person = f"json_object('id', 'p' || n, 'name', 'Ann Smith ' || n, 'employment_history', json_array({jobs}))"
    each = f"from (select range as n from range({items}))"
    _write(
        settings,
        "batches",
        keys
        | {"client_name": "'Bench'", "pipeline_slug": "'bench'"}
        | {"upload_rows": str(items), "upload_rejected": "0"},
        "",
    )
    _write(
        settings,
        "batch_items",
        item
        | {
            "row_number": "n + 1",
            "origin_key": "'row:' || (n + 1)",
            "first_name": "'Ann'",
            "last_name": "'Smith ' || n",
        }
        | {"company_name": f"'Org ' || (n % {ORGANISATIONS})", "original_data": "'{}'", "created_at": "now()"},
        each,
    )
    _write(
        settings,
        "workflow_states",
        item
        | answer
        | {"position": "0", "status": "'COMPLETED'", "attempts": "1", "cost": "0", "advanced_at": "now()"},
        each,
    )
    fields = """'{"email":"a' || n || '@x.example","title":"Engineer"}'"""
    told = {"payload": f"json_object('person', {person})", "fields": fields, "fetched_at": "now()"}
    _write(settings, "enrichment_results", item | answer | told, each)


def _write(settings: Settings, source: str, values: dict[str, str], rows: str) -> None:
    columns = load_project().sources[source].columns
    listed = ", ".join(f'cast({values.get(c.name, "null")} as {c.type}) as "{c.name}"' for c in columns)
    with (
        put_in_place(Layout.of(settings).source(source, "bench", BATCH)) as path,
        duckdb.connect(config={"memory_limit": "1GB"}) as connection,
    ):
        connection.execute(
            f"copy (select {listed} {rows}) to '{path}' "
            "(format parquet, compression zstd, compression_level 1, row_group_size 10240)"
        )


def _job_sql(job: int) -> str:
    """The same entry as in `_payload`, made by DuckDB of a column `n`."""
    identity = f"left(md5(n || '-{job}'), 24)"
    organisation = f"((n * 7 + {job}) % {ORGANISATIONS})"
    members = {
        "_id": identity, "id": identity, "key": identity, "created_at": "null", "current": str(job == 0).lower(),
        "degree": "null", "description": "null", "emails": "null",
        "end_date": "null" if job == 0 else f"'20{20 - job}-0{job + 1}-01'", "grade_level": "null", "kind": "null",
        "major": "null", "organization_id": f"lpad(printf('%x', {organisation}), 24, '0')",
        "organization_name": f"'Organisation Number ' || {organisation} || ' Ltd'", "raw_address": "null",
        "start_date": f"'20{19 - job}-01-01'", "title": f"'Senior Engineer {job}'", "updated_at": "null",
    }  # fmt: skip
    listed = ", ".join(f"'{name}', {value}" for name, value in members.items())
    return f"json_object({listed})"
