"""Whether tables show what HQ knows: when a batch last changed, and which batches were not extracted since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from enrichment_assets.store.database import Connection
from enrichment_assets.store.states.transitions import OF_STEPS


def changed_at(connection: Connection, batch_id: int) -> datetime | None:
    """When anything of the batch's tables last changed: a state moved, or a person corrected or approved something."""
    row = connection.execute(
        f"""
        select greatest((select max(advanced_at) from workflow_states s where batch_id = %(batch)s and {OF_STEPS}),
                        (select max(edited_at) from item_edits where batch_id = %(batch)s),
                        (select max(decided_at) from approvals where batch_id = %(batch)s),
                        (select max(created_at) from batch_items where batch_id = %(batch)s)) as changed
        """,
        {"batch": batch_id},
    ).fetchone()
    return None if row is None else row["changed"]


@dataclass(frozen=True, slots=True)
class Unextracted:
    """A batch whose tables lack what HQ knows of it: `done` of `items` have nothing open."""

    batch_key: str
    items: int
    done: int


def unextracted(connection: Connection, client: str | None, limit: int = 5) -> list[Unextracted]:
    """Launched batches that were not extracted since they finished, the newest first; archived ones are left out."""
    rows = connection.execute(
        f"""
        with waiting as (
          select b.id, b.batch_key from batches b join clients c on c.id = b.client_id
          where b.retired_at is null and (%(client)s::text is null or c.slug = %(client)s)
            and (b.finished_at is null or b.extracted_at is null or b.extracted_at < b.finished_at)
          order by b.id desc limit %(limit)s
        )
        select w.batch_key, (select count(*) from batch_items i where i.batch_id = w.id) as items,
               (select count(*) from batch_items i where i.batch_id = w.id and not exists (
                  select 1 from workflow_states s
                  where s.item_id = i.id and {OF_STEPS} and s.status in ('PENDING', 'IN_PROGRESS')
                )) as done
        from waiting w order by w.id desc
        """,
        {"client": client, "limit": limit},
    ).fetchall()
    return [Unextracted(**row) for row in rows]
