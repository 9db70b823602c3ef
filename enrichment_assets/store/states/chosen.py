"""Where the items of a batch stand in one step: what a run of chosen items would find."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class ItemInStep:
    """An item and its state in the step.

    Attributes:
        status: The state's.
        outcome: `found` or `not_found`, of a COMPLETED one.
        waits_for: Steps before it that have not settled.
    """

    item_id: int
    company_key: str | None
    status: str
    outcome: str | None
    waits_for: list[str]


def items_in_step(connection: Connection, batch_id: int, slug: str, needs: Sequence[str]) -> list[ItemInStep]:
    """Every item of a batch that has this step, by id.

    Args:
        connection: HQ database.
        batch_id: The batch.
        slug: The step.
        needs: Steps that have to be settled first.
    """
    rows = connection.execute(
        """
        select s.item_id, i.company_key, s.status, s.outcome,
               array(select x.workflow_slug from workflow_states x
                     where x.item_id = s.item_id and x.workflow_slug = any(%(needs)s::text[])
                       and x.status in ('PENDING', 'IN_PROGRESS') order by x.position) as waits_for
        from workflow_states s join batch_items i on i.id = s.item_id
        where s.batch_id = %(batch)s and s.workflow_slug = %(slug)s order by s.item_id
        """,
        {"batch": batch_id, "slug": slug, "needs": list(needs)},
    )
    return [ItemInStep(**row) for row in rows.fetchall()]
