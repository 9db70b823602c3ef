"""Reads one batch out of HQ as Arrow, in bulk: the SQL behind the warehouse's sources.

What belongs here: which rows and columns of HQ the warehouse sees. How they become files is `warehouse.sources`, and
what the columns mean is said once, in `dbt_like_sql/models/sources.yml`.

Everything of a batch is read in one read-only snapshot, so that a state never names a result that is not there.
Exact decimals travel as text, because the driver has no Arrow type for them; the writer casts them back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa
from psycopg import sql

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.database import connect
from enrichment_assets.store.links import with_signs_of_life
from enrichment_assets.store.states.transitions import OF_STEPS


@dataclass(frozen=True, slots=True)
class BatchIdentity:
    """What names a batch inside HQ and outside it."""

    batch_id: int
    batch_key: str
    client_id: int
    client_slug: str
    upload_id: int


SOURCE_QUERIES: Mapping[str, str] = {
    "batches": """
        select {client}::text as client_slug, b.batch_key, c.name as client_name, b.pipeline_slug,
               b.blueprint ->> 'system' as system, u.filename as upload_filename, u.sha256 as upload_sha256,
               u.row_count as upload_rows,
               u.rejected_count as upload_rejected, u.created_at as uploaded_at, b.created_at as launched_at,
               b.items_created_at, b.started_at, b.finished_at,
               least(b.row_limit, u.row_count - u.rejected_count) as launched_rows, b.retired_at as archived_at,
               now() as read_at
        from batches b join clients c on c.id = b.client_id join uploads u on u.id = b.upload_id
        where b.id = {batch_id}""",
    "batch_steps": """
        select {client}::text as client_slug, {batch}::text as batch_key, (s ->> 'position')::int as position,
               s -> 'workflow' ->> 'slug' as workflow_slug, s -> 'workflow' ->> 'title' as title,
               s -> 'workflow' ->> 'provider' as provider,
               s -> 'workflow' ->> 'id_namespace' as id_namespace, s -> 'workflow' ->> 'operation' as operation,
               s -> 'workflow' ->> 'mode' as mode, s -> 'workflow' ->> 'entity' as entity,
               s -> 'workflow' ->> 'stage' as stage, s ->> 'phase' as phase,
               (s -> 'fallback_of')::text as fallback_of,
               (select jsonb_agg(p order by p) from jsonb_object_keys(s -> 'workflow' -> 'provides') p)::text
                   as provides,
               s ->> 'registry_version' as registry_version, (s ->> 'profile')::int as profile_version
        from batches b, jsonb_array_elements(b.blueprint -> 'steps') s
        where b.id = {batch_id}
        order by position""",
    "batch_items": """
        select {client}::text as client_slug, {batch}::text as batch_key, id as item_id, row_number, parent_item_id,
               origin_key, company_key, {identity_fields}, original_data::text as original_data,
               details::text as details, rejected::text as rejected, created_at
        from batch_items where batch_id = {batch_id} order by id""",
    "item_edits": """
        select {client}::text as client_slug, {batch}::text as batch_key, id as edit_id, item_id, field, value,
               edited_by, note, edited_at
        from item_edits where batch_id = {batch_id} order by id""",
    "organisation_decisions": """
        select {client}::text as client_slug, {batch}::text as batch_key, id as decision_id, kind, alias_key, other_key,
               undone_at, now() as read_at
        from organisation_decisions where client_id = {client_id} order by id""",
    "workflow_states": """
        select {client}::text as client_slug, {batch}::text as batch_key, s.item_id, s.workflow_slug,
               s.position::int as position, s.status, s.outcome, s.reason, s.error_class, s.attempts,
               s.cost::text as cost, s.call_id, s.result_id, s.deadline_at, s.next_attempt_at, s.advanced_at,
               s.stored_at, d.standing as draft_standing
        from workflow_states s left join draft_standings d
          on d.item_id = s.item_id and d.workflow_slug = s.workflow_slug and d.batch_id = {batch_id}
        where s.batch_id = {batch_id} and """
    + OF_STEPS,
    "enrichment_results": """
        select {client}::text as client_slug, {batch}::text as batch_key, id as result_id, item_id, workflow_slug,
               provider, call_id, outcome, payload::text as payload, fields::text as fields,
               rejected::text as rejected, citations::text as citations, fetched_at
        from enrichment_results where batch_id = {batch_id}
        union all
        select {client}::text, {batch}::text, r.id, r.item_id, r.workflow_slug, r.provider, r.call_id, r.outcome,
               r.payload::text, r.fields::text, r.rejected::text, r.citations::text,
               r.fetched_at
        from enrichment_results r
        where r.batch_id <> {batch_id} and r.client_id = {client_id} and r.id in (
            select s.result_id from workflow_states s where s.batch_id = {batch_id} and s.result_id is not null)""",
    "provider_calls": """
        select {client}::text as client_slug, {batch}::text as batch_key, c.id as call_id, c.item_id, c.workflow_slug,
               c.subject_key, c.provider, c.operation, c.state, c.attempt, c.estimated_cost::text as estimated_cost,
               c.cost::text as cost, c.http_status::int as http_status, c.error_class, c.created_at, c.sent_at,
               c.received_at, c.applied_at, c.reused_from,
               (select b.batch_key from provider_calls o join batches b on b.id = o.batch_id
                where o.id = c.reused_from) as reused_from_batch
        from provider_calls c where c.batch_id = {batch_id}""",
    "enrichment_results_log": """
        select {client}::text as client_slug, {batch}::text as batch_key, id as log_id, item_id, workflow_slug,
               provider, call_id, attempt, status, outcome, error_class, http_status::int as http_status,
               cost::text as cost, duration_ms, created_at
        from enrichment_results_log where batch_id = {batch_id}""",
    "upload_rejections": """
        select {client}::text as client_slug, {batch}::text as batch_key, row_number, line_number, reason
        from upload_rejections where upload_id = {upload_id} order by row_number""",
}
"""Source name -> the query that reads it for one batch. Bodies of calls and raw rejected lines stay in HQ.

`enrichment_results` also brings the results of other batches of the same client that a state of this batch points to;
a result of another client is never read, whatever a state says. (An answer that was reused, `reuse_for`, is a result of
this batch's own, and its call says where it comes from.)
"""


class BatchReader:
    """One batch as seen by one snapshot of HQ. Use one stream at a time, to its end."""

    def __init__(self, batch: BatchIdentity, connection: adbc.Connection) -> None:
        self.batch = batch
        self._connection = connection

    def stream(self, source: str) -> Iterator[pa.RecordBatch]:
        """Yield the rows of one of `SOURCE_QUERIES` as record batches of about 16 MB."""
        with self._connection.cursor() as cursor:
            cursor.execute(_query(source, self.batch))
            yield from cursor.fetch_record_batch()


def _query(source: str, batch: BatchIdentity) -> str:
    """The source's query with its values as literals: with bound parameters the driver cannot use COPY."""
    identity = sql.SQL(", ").join(sql.Identifier(name) for name in IDENTITY_FIELDS)
    return (
        sql.SQL(SOURCE_QUERIES[source])
        .format(
            client=sql.Literal(batch.client_slug),
            batch=sql.Literal(batch.batch_key),
            batch_id=sql.Literal(batch.batch_id),
            client_id=sql.Literal(batch.client_id),
            upload_id=sql.Literal(batch.upload_id),
            identity_fields=identity,
        )
        .as_string(None)
    )


@contextmanager
def open_batch(hq_url: str, batch: BatchIdentity) -> Iterator[BatchReader]:
    """Open a snapshot of one batch. Raises `InfrastructureError` when HQ cannot be reached."""
    try:
        connection = adbc.connect(with_signs_of_life(hq_url))
    except adbc.Error as error:
        raise InfrastructureError(
            f"HQ cannot be read for extraction: {error}", code="extraction.not_readable"
        ) from error
    with connection:
        with connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read read only")
        yield BatchReader(batch, connection)
        connection.rollback()


def find_batch(hq_url: str, batch_key: str) -> BatchIdentity:
    """The batch of this key. Raises `NotFoundError`, and `InfrastructureError` when HQ cannot be reached."""
    with connect(hq_url) as connection:
        row = connection.execute(
            """select b.id as batch_id, b.batch_key, b.client_id, c.slug as client_slug, b.upload_id
               from batches b join clients c on c.id = b.client_id where b.batch_key = %s""",
            (batch_key,),
        ).fetchone()
        if row is None:
            raise no_such_batch(connection, batch_key)
    return BatchIdentity(**row)
