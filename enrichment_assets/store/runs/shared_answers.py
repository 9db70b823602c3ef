"""What the items of a company take over: how the item that made their call ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from enrichment_assets.store.database import AsyncConnection


@dataclass(frozen=True, slots=True)
class SharedAnswer:
    """A company's answer that another item's call brought.

    `call_id`: the call that the item ended with. It is a later one where a person had it asked anew.
    """

    result_id: int | None
    outcome: str | None
    fields: Mapping[str, Any]
    status: str
    reason: str | None
    fetched_at: datetime | None
    call_id: int | None
    error_class: str | None


async def shared_answer(connection: AsyncConnection, call_id: int) -> SharedAnswer | None:
    """What the item that made this call ended with; None when that item's state is gone."""
    cursor = await connection.execute(
        """
        select s.result_id, s.outcome, s.status, s.reason, coalesce(r.fields, '{}'::jsonb) as fields,
               r.fetched_at, s.call_id, s.error_class
        from provider_calls c
        join workflow_states s on s.item_id = c.item_id and s.workflow_slug = c.workflow_slug
        left join enrichment_results r on r.id = s.result_id
        where c.id = %s
        """,
        (call_id,),
    )
    row = await cursor.fetchone()
    return None if row is None else SharedAnswer(**row)
