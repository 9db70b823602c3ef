"""What follows from an answer without being one: steps that may run again, callbacks that move nothing.

Like the ledger's, these statements belong in a transaction in which `claims.alive` held.
"""

from __future__ import annotations

from collections.abc import Sequence

from enrichment_assets.store.claims import Connection
from enrichment_assets.store.ledger import Scope
from enrichment_assets.store.replies import Reply


async def reopen(
    connection: Connection, scope: Scope, records: Sequence[tuple[int, int, list[str]]]
) -> Reply[set[tuple[int, str]]]:
    """Make steps PENDING again that were skipped for want of an answer that has now come.

    Args:
        connection: HQ database.
        scope: Whose writes these are.
        records: (item id, fence, workflow slugs) each.

    Returns:
        (item id, workflow slug) of each step that is PENDING again.
    """
    flat = [(item, fence, slug) for item, fence, slugs in records for slug in slugs]
    cursor = await connection.execute(
        """
        update workflow_states s
        set status = 'PENDING', reason = null, outcome = null, advanced_at = clock_timestamp()
        from unnest(%s::bigint[], %s::bigint[], %s::text[]) as r(item_id, fence, slug)
        join item_leases l on l.item_id = r.item_id and l.fence = r.fence and l.runner_id = %s
        where s.item_id = r.item_id and s.workflow_slug = r.slug and s.status = 'SKIPPED'
          and split_part(s.reason, ':', 1) in ('missing_input', 'run_if')
        returning s.item_id, s.workflow_slug
        """,
        (
            [item for item, _, _ in flat],
            [fence for _, fence, _ in flat],
            [slug for _, _, slug in flat],
            scope.runner_id,
        ),
    )
    return Reply(cursor, lambda rows: {(row["item_id"], row["workflow_slug"]) for row in rows})


async def mark_callbacks(connection: Connection, rows: Sequence[tuple[int, str, str | None]]) -> None:
    """Give callbacks that move no state their final status: (inbox id, status, error) each."""
    await connection.execute(
        """
        update callback_inbox i set status = m.status, error = m.error, processed_at = clock_timestamp()
        from unnest(%s::bigint[], %s::text[], %s::text[]) as m(id, status, error)
        where i.id = m.id and i.status = 'new'
        """,
        ([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]),
    )
