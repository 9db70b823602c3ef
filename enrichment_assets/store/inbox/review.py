"""What an operator asks of the callback inbox: list it, look into one callback, put dead ones back.

What belongs here: the reading and reopening statements behind `enrich callbacks`. The way of a callback through the
platform is in `store.inbox.callbacks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from enrichment_assets.domain.statuses import InboxStatus
from enrichment_assets.store.calls.places import CALLBACK_BODY
from enrichment_assets.store.database import Connection
from enrichment_assets.store.inbox.callbacks import TOO_MANY


@dataclass(frozen=True, slots=True)
class CallbackSummary:
    """One line of the inbox. `size` is in bytes; `error` says why a dead callback is dead."""

    id: int
    status: InboxStatus
    received_at: datetime
    processed_at: datetime | None
    client: str
    batch_key: str
    workflow: str
    item_id: int
    call_id: int
    content_type: str | None
    size: int
    body_removed_at: datetime | None
    error: str | None


_SUMMARY = f"""
select i.id, i.status, i.received_at, i.processed_at, c.slug as client, b.batch_key, p.workflow_slug as workflow,
       p.item_id, i.call_id, i.content_type, coalesce(octet_length({CALLBACK_BODY}), i.body_bytes, 0) as size,
       i.body_removed_at, i.error
from callback_inbox i
join provider_calls p on p.id = i.call_id
join batches b on b.id = i.batch_id
join clients c on c.id = i.client_id
"""

_LIST = (
    _SUMMARY
    + """
where (%(status)s::text is null or i.status = %(status)s)
  and (%(batch_key)s::text is null or b.batch_key = %(batch_key)s)
  and (%(client)s::text is null or c.slug = %(client)s)
order by i.id desc
limit %(limit)s
"""
)

_REOPEN = """
update callback_inbox i
set status = 'new', error = null, processed_at = null, readings = 0
from batches b
where b.id = i.batch_id and i.status = 'dead'
  and i.error is distinct from %(refusal)s
  and (%(inbox_id)s::bigint is null or i.id = %(inbox_id)s)
  and (%(batch_key)s::text is null or b.batch_key = %(batch_key)s)
returning i.id, b.batch_key
"""


def list_inbox(
    connection: Connection,
    *,
    status: InboxStatus | None = None,
    batch_key: str | None = None,
    client: str | None = None,
    limit: int = 100,
) -> list[CallbackSummary]:
    """The newest callbacks first, filtered by whatever is given."""
    parameters = {"status": status, "batch_key": batch_key, "client": client, "limit": limit}
    with connection.cursor(row_factory=class_row(CallbackSummary)) as cursor:
        return cursor.execute(_LIST, parameters).fetchall()


def find_in_inbox(connection: Connection, inbox_id: int) -> CallbackSummary | None:
    """One callback by its id, or None."""
    with connection.cursor(row_factory=class_row(CallbackSummary)) as cursor:
        return cursor.execute(_SUMMARY + " where i.id = %s", [inbox_id]).fetchone()


def read_inbox_body(connection: Connection, inbox_id: int) -> tuple[dict[str, str], bytes]:
    """Headers and raw body of a callback that exists; empty where it was taken out."""
    query = f"select headers, {CALLBACK_BODY} as body from callback_inbox i where id = %s"
    row = connection.execute(query, [inbox_id]).fetchone()
    return row["headers"], row["body"] or b""  # type: ignore[index]


def reopen_dead(
    connection: Connection, *, inbox_id: int | None = None, batch_key: str | None = None
) -> list[tuple[int, str]]:
    """Set dead callbacks back to `new`; returns (inbox id, batch key) of those that changed.

    Raises `ValueError` when neither a callback nor a batch is named: nobody means the whole inbox.
    """
    if inbox_id is None and batch_key is None:
        raise ValueError("name a callback or a batch")
    rows = connection.execute(_REOPEN, {"inbox_id": inbox_id, "batch_key": batch_key, "refusal": TOO_MANY}).fetchall()
    return sorted((row["id"], row["batch_key"]) for row in rows)
