"""Which items of a batch have a draft, and which batches have a workflow that writes any."""

from __future__ import annotations

from collections.abc import Sequence

from enrichment_assets.store.database import Connection, Row


def items_with_drafts(
    connection: Connection,
    batch_id: int,
    workflows: Sequence[str],
    item_ids: Sequence[int] | None = None,
    first: int = 0,
) -> list[tuple[int, list[str]]]:
    """(item id, workflows that found a draft for it), by item, from `first` on; of these items, or of all."""
    rows = connection.execute(
        """
        select item_id, array_agg(workflow_slug order by position) as workflows from workflow_states
        where batch_id = %(batch)s and workflow_slug = any(%(workflows)s::text[])
          and status = 'COMPLETED' and outcome = 'found'
          and (%(items)s::bigint[] is null or item_id = any(%(items)s)) and item_id >= %(first)s
        group by item_id order by item_id
        """,
        {
            "batch": batch_id,
            "workflows": list(workflows),
            "items": None if item_ids is None else list(item_ids),
            "first": first,
        },
    ).fetchall()
    return [(row["item_id"], row["workflows"]) for row in rows]


def batches_to_review(connection: Connection, client: str | None, batch_key: str | None) -> list[Row]:
    """Batches with a workflow that writes drafts or asks people, the newest first, with the client's slug."""
    return connection.execute(
        """
        select b.*, c.slug as client from batches b join clients c on c.id = b.client_id
        where (%(client)s::text is null or c.slug = %(client)s) and (%(batch)s::text is null or b.batch_key = %(batch)s)
          and not b.is_try and (b.retired_at is null or %(batch)s::text is not null)
          and jsonb_path_exists(b.blueprint, '$.steps[*].workflow ? (@.drafts.size() > 0 || @.provider == "person")')
        order by b.id desc
        """,
        {"client": client, "batch": batch_key},
    ).fetchall()


def batch_of_item(connection: Connection, item_id: int) -> Row | None:
    """The batch that an item belongs to, with its client's slug; None: there is no such item."""
    return connection.execute(
        """
        select b.*, c.slug as client from batch_items i join batches b on b.id = i.batch_id
        join clients c on c.id = b.client_id where i.id = %s
        """,
        (item_id,),
    ).fetchone()
