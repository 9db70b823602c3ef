"""Which questions wait for a person's answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A step of an item that waits for a person.

    Attributes:
        item_id: The item.
        workflow: The step.
        call_id: The call that an answer belongs to.
        asked_at: Since when.
        answered: An answer is in the inbox, and is not taken in yet.
    """

    item_id: int
    workflow: str
    call_id: int
    asked_at: datetime
    answered: bool


def open_questions(
    connection: Connection, batch_id: int, workflows: Sequence[str], item_ids: Sequence[int] | None = None
) -> list[OpenQuestion]:
    """Questions of these workflows that wait, the oldest first; each call once, whoever shares its answer."""
    rows = connection.execute(
        """
        select s.item_id, s.workflow_slug as workflow, c.id as call_id, s.advanced_at as asked_at,
               exists (select from callback_inbox i where i.call_id = c.id and i.status = 'new') as answered
        from workflow_states s join provider_calls c on c.id = s.call_id and c.item_id = s.item_id
        where s.batch_id = %(batch)s and s.workflow_slug = any(%(workflows)s::text[]) and s.status = 'IN_PROGRESS'
          and c.state = 'sent' and (%(items)s::bigint[] is null or s.item_id = any(%(items)s))
        order by s.advanced_at, s.item_id
        """,
        {"batch": batch_id, "workflows": list(workflows), "items": None if item_ids is None else list(item_ids)},
    ).fetchall()
    return [OpenQuestion(**row) for row in rows]
