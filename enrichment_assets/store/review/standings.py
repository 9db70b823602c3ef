"""The statements on `draft_standings`: where drafts stood when their batch was extracted last."""

from __future__ import annotations

from collections.abc import Sequence

from enrichment_assets.domain.drafts import Standing
from enrichment_assets.store.database import Connection


def replace_standings(
    connection: Connection, batch_id: int, client_id: int, standings: Sequence[tuple[int, str, Standing]]
) -> None:
    """Note where the drafts of a batch stand, each (item id, workflow, standing), in the place of what was noted."""
    connection.execute("delete from draft_standings where batch_id = %s", (batch_id,))
    connection.execute(
        """
        insert into draft_standings (item_id, workflow_slug, batch_id, client_id, standing)
        select s.item_id, s.workflow, %s, %s, s.standing
        from unnest(%s::bigint[], %s::text[], %s::text[]) as s (item_id, workflow, standing)
        on conflict (item_id, workflow_slug) do update set standing = excluded.standing
        """,
        (
            batch_id,
            client_id,
            [item for item, _, _ in standings],
            [workflow for _, workflow, _ in standings],
            [standing.value for _, _, standing in standings],
        ),
    )
