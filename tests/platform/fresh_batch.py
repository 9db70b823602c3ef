"""A home that has another batch, analysed, and a batch that was just filled, of which the planner knows nothing yet.

This is where plans go wrong: Postgres expects a row or two of the new batch, and repeats whatever it joins for each.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg

ITEMS, OTHER_ITEMS = 1_200, 3_000
SLUGS = ("first", "second", "third")
STATES = ITEMS * len(SLUGS)
Row = dict[str, Any]

_TABLES = (
    "batch_items, item_leases, workflow_states, provider_calls, bulk_calls, enrichment_results, "
    "enrichment_results_log, callback_inbox, company_play_step_completions, item_edits, item_families, budgets"
)

_FILL = """
with made as (
  insert into batch_items (client_id, batch_id, row_number, origin_key, company_key, first_name, email, original_data)
  select %(client)s, %(batch)s, g, 'row:' || g, 'domain:d' || g / 3, 'Ann', 'ann' || g || '@a.example', '{}'
  from generate_series(1, %(items)s) g
  returning id, row_number, company_key
), leased as (
  insert into item_leases (item_id, batch_id, fence, runner_id) select id, %(batch)s, 1, %(runner)s from made
), work as (
  select m.*, s.slug, s.position, (array['PENDING', 'IN_PROGRESS', 'COMPLETED', 'COMPLETED', 'SKIPPED', 'FAILED',
         'AMBIGUOUS'])[1 + (m.row_number + s.position) %% 7] as status
  from made m cross join unnest(array['first', 'second', 'third']) with ordinality as s(slug, position)
), called as (
  insert into provider_calls (call_key, client_id, batch_id, item_id, workflow_slug, subject_key, provider, operation,
                              state, fence, runner_id, estimated_cost, cost, http_status, response_body, external_id,
                              callback_token, deadline_at, sent_at, question_hash)
  select %(batch)s || slug || id, %(client)s, %(batch)s, id, slug, 'item:' || id, 'http', slug,
         case status when 'IN_PROGRESS' then 'sent' when 'COMPLETED' then 'applied' else lower(status) end,
         1, %(runner)s, 0.01, 0.01, 200, '{}', 'e' || id, %(batch)s || slug || 'token-' || id,
         now() - interval '1 minute', now(), 'q' || row_number / 2
  from work where status not in ('PENDING', 'SKIPPED')
  returning id, item_id, workflow_slug, state
), in_bulk as (
  insert into bulk_calls (id, client_id, batch_id, workflow_slug, runner_id, call_ids)
  select md5(id::text)::uuid, %(client)s, %(batch)s, workflow_slug, %(runner)s, array[id] from called
), answered as (
  insert into enrichment_results (client_id, batch_id, item_id, workflow_slug, provider, call_id, outcome, payload,
                                  fields)
  select %(client)s, %(batch)s, item_id, workflow_slug, 'http', id, 'found', '{}', '{"email": "a@a.example"}'
  from called where state = 'applied'
  returning id, item_id, workflow_slug
), logged as (
  insert into enrichment_results_log (client_id, batch_id, item_id, workflow_slug, provider, call_id, attempt, status,
                                      message, duration_ms)
  select %(client)s, %(batch)s, item_id, workflow_slug, 'http', id, 1, state, 'HTTP 404', 100 from called
), called_back as (
  insert into callback_inbox (client_id, batch_id, call_id, headers, body, body_sha256, status)
  select %(client)s, %(batch)s, id, '{}', '{}', sha256(id::text::bytea),
         case state when 'sent' then 'new' when 'applied' then 'applied' else 'dead' end
  from called where state <> 'ambiguous'
), done as (
  insert into company_play_step_completions (item_id, workflow_slug, client_id, batch_id, overall_step_number)
  select item_id, workflow_slug, %(client)s, %(batch)s, 1 from answered
), edited as (
  insert into item_edits (client_id, batch_id, item_id, field, edited_by)
  select %(client)s, %(batch)s, id, 'email', 'me' from made
)
insert into workflow_states (item_id, workflow_slug, batch_id, client_id, position, status, outcome, reason,
                             error_class, call_id, result_id, deadline_at)
select w.id, w.slug, %(batch)s, %(client)s, w.position, w.status, case w.status when 'COMPLETED' then 'found' end,
       case w.status when 'SKIPPED' then 'missing_input: email' end, case w.status when 'FAILED' then 'contract' end,
       c.id, r.id, case w.status when 'IN_PROGRESS' then now() - interval '1 minute' end
from work w left join called c on c.item_id = w.id and c.workflow_slug = w.slug
left join answered r on r.item_id = w.id and r.workflow_slug = w.slug
"""


@dataclass(frozen=True)
class FreshBatch:
    """What statements are asked about; `pending`: items whose first step is PENDING, `called`: item -> its call."""

    url: str
    client_id: int
    batch_id: int
    runner_id: int
    upload_id: int
    items: list[int]
    pending: list[int]
    calls: list[tuple[int, int, str]]


def fill(url: str) -> FreshBatch:
    """Two batches of one client: an old one that was analysed, then a fresh one. Autovacuum leaves them alone."""
    with psycopg.connect(url, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
        for table in _TABLES.split(", "):
            connection.execute(f"alter table {table} set (autovacuum_enabled = false)")
        client = _id(connection, "insert into clients (slug, name) values ('acme', 'Acme') returning id")
        upload = _id(
            connection,
            "insert into uploads (client_id, filename, sha256, size_bytes, encoding, delimiter, columns, row_count, "
            "rejected_count, source) values (%s, 'a.csv', 'ab', 1, 'utf-8', ',', '[]', 1, 0, 'cli') returning id",
            client,
        )
        _batch(connection, client, upload, "old", OTHER_ITEMS)
        connection.execute("analyze")
        batch, runner = _batch(connection, client, upload, "fresh", ITEMS)
        items = connection.execute("select id from batch_items where batch_id = %s order by id", (batch,)).fetchall()
        pending = connection.execute(
            "select item_id from workflow_states where batch_id = %s and status = 'PENDING' "
            "and workflow_slug = 'first' order by item_id",
            (batch,),
        ).fetchall()
        calls = connection.execute(
            "select id, item_id, workflow_slug from provider_calls where batch_id = %s order by id", (batch,)
        ).fetchall()
        return FreshBatch(
            url,
            client,
            batch,
            runner,
            upload,
            [row["id"] for row in items],
            [row["item_id"] for row in pending],
            [(row["id"], row["item_id"], row["workflow_slug"]) for row in calls],
        )


def _batch(connection: psycopg.Connection[Row], client: int, upload: int, key: str, items: int) -> tuple[int, int]:
    steps = [
        {
            "position": n,
            "registry_version": "1",
            "workflow": {
                "slug": slug,
                "title": slug,
                "step": n,
                "provider": "http",
                "operation": slug,
                "mode": "sync",
                "request": {"url": "/"},
            },
        }
        for n, slug in enumerate(SLUGS)
    ]
    batch = _id(
        connection,
        "insert into batches (batch_key, client_id, upload_id, pipeline_slug, blueprint, resume_at) "
        "values (%s, %s, %s, 'p', %s, now()) returning id",
        key,
        client,
        upload,
        json.dumps({"client": "acme", "pipeline": "p", "company_identity": ["domain"], "steps": steps}),
    )
    runner = _id(
        connection,
        "insert into runners (batch_id, label, expires_at) values (%s, 'test', now() + interval '1 day') returning id",
        batch,
    )
    connection.execute(_FILL, {"client": client, "batch": batch, "items": items, "runner": runner})
    return batch, runner


def _id(connection: psycopg.Connection[Row], query: str, *parameters: Any) -> int:
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    return int(row["id"])


EXPLAINING = """
load 'auto_explain';
set auto_explain.log_min_duration = 0; set auto_explain.log_analyze = on; set auto_explain.log_timing = off;
set auto_explain.log_format = json; set auto_explain.log_level = notice; set client_min_messages = notice
"""
"""Every statement that ends tells its plan, with what each node really did."""


def heard(plans: list[Row]) -> Callable[[psycopg.errors.Diagnostic], None]:
    """A notice handler that keeps the plans."""

    def hear(notice: psycopg.errors.Diagnostic) -> None:
        text = notice.message_primary or ""
        if "plan:\n" in text:
            plans.append(json.loads(text.partition("plan:\n")[2]))

    return hear


def heaviest(plan: Row) -> tuple[float, str]:
    """Rows that the busiest node of a plan touched, all its repetitions counted, and which node that is."""
    node = plan.get("Plan", plan)
    removed = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")
    rows = node.get("Actual Rows", 0) + sum(node.get(name, 0) for name in removed)
    what = " ".join(str(node[name]) for name in ("Node Type", "Relation Name", "CTE Name", "Alias") if name in node)
    return max([(rows * node.get("Actual Loops", 1), what), *map(heaviest, node.get("Plans", []))])
