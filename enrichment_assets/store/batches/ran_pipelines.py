"""Which batches ran a client's pipeline, each with the steps that it was launched with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from enrichment_assets.store.database import Connection


@dataclass(frozen=True, slots=True)
class RanPipeline:
    """A batch and what its blueprint says of the way of a row.

    Attributes:
        batch: Its key.
        launched_at: When.
        steps: (slug, slugs that have to miss before it is asked) in their order.
        deliver: Where its leads went by themselves.
    """

    batch: str
    launched_at: datetime
    steps: Sequence[tuple[str, Sequence[str]]]
    deliver: Sequence[str]


def batches_of_pipeline(connection: Connection, client: str, pipeline: str, limit: int) -> list[RanPipeline]:
    """The newest batches of a client through a pipeline; tries are none."""
    rows = connection.execute(
        """
        select b.batch_key as batch, b.created_at as launched_at,
               jsonb_path_query_array(b.blueprint, '$.steps[*].workflow.slug') as slugs,
               (select jsonb_agg(coalesce(s.step -> 'fallback_of', '[]'::jsonb) order by s.place)
                from jsonb_array_elements(b.blueprint -> 'steps') with ordinality as s(step, place)) as fallbacks,
               coalesce(b.blueprint -> 'deliver', '[]'::jsonb) as deliver
        from batches b join clients c on c.id = b.client_id
        where not b.is_try and c.slug = %(client)s and b.pipeline_slug = %(pipeline)s
        order by b.id desc limit %(limit)s
        """,
        {"client": client, "pipeline": pipeline, "limit": limit},
    ).fetchall()
    return [
        RanPipeline(
            row["batch"], row["launched_at"], list(zip(row["slugs"], row["fallbacks"], strict=True)), row["deliver"]
        )
        for row in rows
    ]
