"""Where the drafts of a batch stand, noted when its tables are made: the models cannot work it out."""

from __future__ import annotations

from enrichment_assets.services.review.listing import judged
from enrichment_assets.services.review.reading import read_drafts, reviewed
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.review import approvals
from enrichment_assets.store.review.standings import replace_standings


def note_standings(hq: Hq, batch_key: str) -> None:
    """Note where each draft stands of which somebody said something. Where nobody did, one statement."""
    with hq.transaction() as connection:
        row = get_batch(connection, batch_key)
        if row is None or not approvals.anything_said(connection, row["id"]):
            return
        batch, known = reviewed(connection, row), approvals.latest(connection, row["id"])
    drafts = read_drafts(hq, batch, None, sorted({item for item, _ in known}))
    standings = [
        (draft.item_id, draft.workflow, judged(batch, draft, known.get((draft.item_id, draft.workflow))).standing)
        for draft in drafts
    ]
    with hq.transaction() as connection:
        replace_standings(connection, row["id"], row["client_id"], standings)
