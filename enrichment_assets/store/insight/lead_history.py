"""What happened to one lead: calls about it, corrections, decisions about its drafts, and what came back of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from psycopg.rows import class_row

from enrichment_assets.store.database import Connection

_HISTORY = """
select coalesce(c.sent_at, c.created_at) as at, 'call' as kind, c.workflow_slug as what, c.state as how,
       concat_ws(', ', 'HTTP ' || c.http_status, c.error) as said, c.provider as who, c.cost
from provider_calls c where c.item_id = %(item)s
union all
select e.edited_at, 'correction', e.field, coalesce(e.value, 'emptied'), e.note, e.edited_by, null
from item_edits e where e.batch_id = %(batch)s and e.item_id = %(item)s
union all
select a.decided_at, 'decision', a.workflow_slug, a.decision, a.note, a.actor, null
from approvals a where a.batch_id = %(batch)s and a.item_id = %(item)s
union all
select e.happened_at, 'event', coalesce(e.destination, e.source), e.kind, e.followed, coalesce(e.actor, e.source), null
from delivery_events e where e.item_id = %(item)s
order by at desc, kind limit %(most)s
"""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened to a lead.

    Attributes:
        at: When.
        kind: `call`, `correction`, `decision` or `event`.
        what: The workflow, the field, or where it happened.
        how: The call's state, the value, the decision, or the kind of event.
        said: What was said of it; None: nothing.
        who: The provider, or who did it.
        cost: Of a call; None: none is known.
    """

    at: datetime
    kind: str
    what: str
    how: str
    said: str | None
    who: str
    cost: Decimal | None


# one row: of one item
def history_of(connection: Connection, batch_id: int, item_id: int, most: int = 200) -> list[Happened]:
    """What happened to an item, the latest first."""
    with connection.cursor(row_factory=class_row(Happened)) as cursor:
        return cursor.execute(_HISTORY, {"batch": batch_id, "item": item_id, "most": most}).fetchall()
