"""What is known of records that stand at a destination: what was written there, and what was heard of them since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from enrichment_assets.domain.delivery_events import EventKind
from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class KnownRecord:
    """A delivered lead as its destination's reader needs it.

    Attributes:
        delivery_id: Row in `deliveries`.
        external_id: The destination's id.
        destination: Slug of the delivery.
        state: Where it stands (`DeliveryState`).
        delivery: The delivery's settings as its batch was planned last (`WorkflowDefinition.delivery`).
        written: Remote name -> value that was written last.
        intended: Remote name -> value that is on its way.
        delivered_at: When it was written last.
        heard: Remote name -> `[value, time]` of what was heard of it last.
        status: `[value, time]` of the status that was heard last; None: none was.
    """

    delivery_id: int
    external_id: str
    destination: str
    state: str
    delivery: dict[str, Any]
    written: dict[str, Any]
    intended: dict[str, Any]
    delivered_at: datetime | None
    heard: dict[str, list[Any]]
    status: list[Any] | None


def known_records(
    connection: Connection, client_id: int, provider: str, external_ids: Sequence[str]
) -> list[KnownRecord]:
    """Those of a client's records at a provider that have these ids, with what was heard of each last."""
    with connection.cursor(row_factory=class_row(KnownRecord)) as cursor:
        return cursor.execute(
            """
            select d.id as delivery_id, d.external_id, d.destination, d.state,
                   s.step #> '{workflow,delivery}' as delivery, coalesce(d.written, '{}') as written,
                   coalesce(d.intended, '{}') as intended, d.delivered_at, coalesce(h.heard, '{}') as heard, t.status
            from deliveries d
            join batch_deliveries s on s.batch_id = d.batch_id and s.workflow_slug = d.destination
            left join lateral (
              select jsonb_object_agg(l.remote, jsonb_build_array(l.value, l.happened_at)) as heard from (
                select distinct on (e.data ->> 'remote') e.data ->> 'remote' as remote, e.data ->> 'value' as value,
                       e.happened_at
                from delivery_events e
                where e.delivery_id = d.id and e.kind in (%(changed)s, %(noted)s) and e.data ? 'remote'
                order by e.data ->> 'remote', e.happened_at desc, e.id desc) l
            ) h on true
            left join lateral (
              select jsonb_build_array(e.data ->> 'value', e.happened_at) as status from delivery_events e
              where e.delivery_id = d.id and e.kind = %(moved)s order by e.happened_at desc, e.id desc limit 1
            ) t on true
            where d.client_id = %(client)s and d.external_id = any(%(ids)s::text[])
              and s.step #>> '{workflow,provider}' = %(provider)s
            """,
            {
                "client": client_id,
                "ids": list(external_ids),
                "provider": provider,
                "changed": EventKind.FIELD_CHANGED.value,
                "noted": EventKind.NOTED.value,
                "moved": EventKind.STATUS_CHANGED.value,
            },
        ).fetchall()


def known_ids(connection: Connection, client_id: int, provider: str, external_ids: Sequence[str]) -> set[str]:
    """Which of these ids are a client's records at a provider."""
    rows = connection.execute(
        """
        select d.external_id from deliveries d
        join batch_deliveries s on s.batch_id = d.batch_id and s.workflow_slug = d.destination
        where d.client_id = %s and d.external_id = any(%s::text[])
          and s.step #>> '{workflow,provider}' = %s
        """,
        (client_id, list(external_ids), provider),
    ).fetchall()
    return {row["external_id"] for row in rows}


def standing_ids(connection: Connection, client_id: int, provider: str, after: str, limit: int) -> list[str]:
    """Ids of a client's records that stand at a provider, in their order, from behind `after` on."""
    rows = connection.execute(
        """
        select distinct d.external_id from deliveries d
        join batch_deliveries s on s.batch_id = d.batch_id and s.workflow_slug = d.destination
        where d.client_id = %s and d.state = 'delivered' and d.external_id > %s
          and s.step #>> '{workflow,provider}' = %s
        order by d.external_id limit %s
        """,
        (client_id, after, provider, limit),
    ).fetchall()
    return [row["external_id"] for row in rows]
