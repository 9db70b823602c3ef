"""A past made up: copies of one finished batch, as if an agency had worked for a year.

A batch that really ran is copied in HQ, in Dagster's storage and in the warehouse: new ids, keys and clients, times
spread over the year before. What is copied is every row that the run left, so the copies have the sizes and the shape
that a run of the platform leaves at this commit.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from psycopg import sql

from enrichment_assets.installation.databases import open_databases
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import Connection, connect

FIRST_CLIENT_ID = 1_000_000
STRIDE = 1_000_000
"""By how much the numbers of two copies of a row differ; the template's own numbers are smaller."""

DAY = 86_400
YEAR = 365 * DAY
REWRITTEN = ("sources/batches", "sources/batch_items", "models/final_leads", "models/person_work_history")
"""What questions join by batch: these files are written anew. Copies of the others are links to the template's file,
which cost a reader the same and say another batch's key."""

_OF_BATCH = (
    "batch_items",
    "item_leases",
    "runners",
    "workflow_states",
    "provider_calls",
    "enrichment_results",
    "callback_inbox",
    "enrichment_results_log",
    "company_play_step_completions",
    "operator_actions",
)
_MOVED = (
    *("id", "batch_id", "item_id", "call_id", "result_id", "runner_id", "parent_item_id", "upload_id", "reused_from"),
    *("event_id", "evaluation_event_storage_id", "materialization_event_storage_id"),
)
"""Columns that name a row by number: a copy's is that of the template, moved by so many strides."""

_UNIQUE_TEXT = ("sha256", "call_key", "callback_token")


@dataclass(frozen=True, slots=True)
class Past:
    """Which copies to make."""

    template: str  # key of the batch that ran
    copies: int
    clients: int

    def key(self, number: int) -> str:
        """Batch key of a copy."""
        return f"past-{number}"

    def client(self, number: int) -> str:
        """Slug of the client whose batch a copy is."""
        return f"past-client-{number % self.clients}"


def make(settings: Settings, past: Past) -> None:
    """Make the copies in all three places, and refresh the statistics."""
    databases = open_databases(settings)
    with connect(databases.hq) as hq:
        client = _in_hq(hq, past)
    with connect(databases.dagster) as dagster:
        _in_dagster(dagster, past)
    _in_warehouse(settings.warehouse_dir, past, client)


def _in_hq(hq: Connection, past: Past) -> str:
    """Copy the batch, its upload and all that is of it; the slug of its client."""
    batch = hq.execute(
        "select b.id, b.upload_id, c.slug from batches b join clients c on c.id = b.client_id where batch_key = %s",
        (past.template,),
    ).fetchone()
    if batch is None:
        raise SystemExit(f"no batch {past.template}")
    hq.execute(
        """
        insert into clients (id, slug, name) overriding system value
        select %(first)s + n, 'past-client-' || n, 'Client ' || n from generate_series(0, %(clients)s - 1) n
        on conflict do nothing
        """,
        {"first": FIRST_CLIENT_ID, "clients": past.clients},
    )
    of_rows = {"uploads": ("id", batch["upload_id"]), "batches": ("id", batch["id"])}
    of_rows |= dict.fromkeys(_OF_BATCH, ("batch_id", batch["id"]))
    for table, (column, value) in of_rows.items():
        changed = {"client_id": f"{FIRST_CLIENT_ID} + n % {past.clients}", "batch_key": "'past-' || n"}
        _copy(hq, table, past, f"{column} = {int(value)}", changed)
    hq.execute("analyze")
    return str(batch["slug"])


def _in_dagster(dagster: Connection, past: Past) -> None:
    """Copy the runs of the batch with their tags, events and checks, and add the partitions."""
    runs = "run_id in (select run_id from runs where partition = 'TEMPLATE' or run_body like '%TEMPLATE%')"
    runs = runs.replace("TEMPLATE", past.template).replace("%", "%%")
    events = ("runs", "run_tags", "event_logs", "asset_check_executions", "asset_event_tags")
    new_run = "md5(run_id || ':' || n)::uuid::text"
    key = "'past-' || n"
    rewritten = f"replace(replace(%s, run_id, {new_run}), '{past.template}', {key})"
    changed = {
        "run_id": new_run,
        "partition": f"case when partition is not null then {key} end",
        "run_body": rewritten % "run_body",
        "event": rewritten % "event",
        "evaluation_event": rewritten % "evaluation_event",
        "value": f"replace(value, '{past.template}', {key})",
    }
    for table in events[:-1]:
        _copy(dagster, table, past, f"{runs} and id < {STRIDE}", changed)
    of_events = f"event_id in (select id from event_logs where {runs} and id < {STRIDE})"
    _copy(dagster, "asset_event_tags", past, f"{of_events} and id < {STRIDE}", changed)
    dagster.execute(
        """
        insert into dynamic_partitions (partitions_def_name, partition)
        select d.partitions_def_name, 'past-' || n
        from dynamic_partitions d, generate_series(1, %(copies)s::int) n where d.partition = %(template)s
        """,
        {"copies": past.copies, "template": past.template},
    )
    dagster.execute("analyze")


def _copy(connection: Connection, table: str, past: Past, condition: str, changed: Mapping[str, str]) -> None:
    """Copy the rows of a table that meet the condition, once per number: ids moved, times earlier, texts as changed."""
    columns = connection.execute(
        """
        select column_name as name, data_type as kind from information_schema.columns
        where table_schema = any (current_schemas(false)) and table_name = %s and is_generated = 'NEVER'
        """,
        (table,),
    ).fetchall()

    def value(name: str, kind: str) -> str:
        if name in changed:
            return changed[name]
        if name in _MOVED:
            return f"{name} + n * {STRIDE}::bigint"
        if name in _UNIQUE_TEXT:
            return f"{name} || '-' || n"
        earlier = f"n * {YEAR / past.copies}"
        if kind.startswith("timestamp"):
            return f"{name} - {earlier} * interval '1 second'"
        return f"{name} - {earlier}" if name in ("start_time", "end_time") else f'"{name}"'

    names = sql.SQL(", ").join(sql.Identifier(row["name"]) for row in columns)
    values = ", ".join(value(row["name"], row["kind"]) for row in columns)
    statement = sql.SQL("insert into {table} ({names}) overriding system value select {values} from {table}").format(
        table=sql.Identifier(table), names=names, values=sql.SQL(values)
    )
    numbers = f" cross join generate_series(1, {past.copies}) n where {condition}"
    connection.execute(statement + sql.SQL(numbers))
    if any(row["name"] == "id" for row in columns):
        connection.execute(
            sql.SQL("select setval(pg_get_serial_sequence({literal}, 'id'), (select max(id) from {table}))").format(
                literal=sql.Literal(table), table=sql.Identifier(table)
            )
        )


def _in_warehouse(root: Path, past: Past, client: str) -> None:
    for folder in sorted([*root.glob("sources/*"), *root.glob("models/*")]):
        file = folder / f"client_slug={client}" / f"{past.template}.parquet"
        if not file.exists():
            continue
        os.utime(file, (time.time() - DAY, time.time() - DAY))
        anew = str(folder.relative_to(root)) in REWRITTEN
        table = pq.read_table(file) if anew else None
        for number in range(1, past.copies + 1):
            target = folder / f"client_slug={past.client(number)}" / f"{past.key(number)}.parquet"
            target.parent.mkdir(exist_ok=True)
            if table is None:
                os.link(file, target)
            else:
                pq.write_table(_rewritten(table, past, number), target)
                os.utime(target, (time.time() - DAY, time.time() - DAY))


def _rewritten(table: pa.Table, past: Past, number: int) -> pa.Table:
    """The rows as those of a copy."""
    for name, text in {"batch_key": past.key(number), "client_slug": past.client(number)}.items():
        place = table.schema.get_field_index(name)
        if place >= 0:
            field = table.schema.field(place)
            table = table.set_column(place, field, pa.array([text] * len(table), field.type))
    return table
