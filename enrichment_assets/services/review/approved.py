"""Whether exactly this is approved: what a delivery asks before anything leaves."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from enrichment_assets.domain.drafts import Standing
from enrichment_assets.services.review.listing import Reviewed, judged
from enrichment_assets.services.review.reading import read_drafts, reviewed
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.review import approvals


@dataclass(frozen=True, slots=True)
class Approved:
    """What may leave: exactly these bytes.

    Attributes:
        approval_id: The approval that a delivery names.
        sha256: Of the draft's fields as `domain.drafts.draft_bytes` writes them.
    """

    approval_id: int
    sha256: bytes


def approved(
    hq: Hq, batch_key: str, item_ids: Sequence[int], workflows: Collection[str] | None = None
) -> dict[tuple[int, str], Approved]:
    """(item id, workflow) -> what of its draft may leave, of those whose approval holds now.

    Raises:
        NotFoundError: There is no such batch.
    """
    found = standing_drafts(hq, batch_key, item_ids, workflows)
    return {key: may_leave for key, one in found.items() if (may_leave := approval_of(one)) is not None}


def approval_of(one: Reviewed) -> Approved | None:
    """What of a draft may leave; None: nobody has approved what it says now."""
    if one.standing is not Standing.APPROVED or one.approval is None:
        return None
    return Approved(one.approval.id, one.draft.of.draft)


def standing_drafts(
    hq: Hq, batch_key: str, item_ids: Sequence[int], workflows: Collection[str] | None = None
) -> dict[tuple[int, str], Reviewed]:
    """(item id, workflow) -> its draft and where it stands, of those that there are.

    Raises:
        NotFoundError: There is no such batch.
    """
    with hq.transaction() as connection:
        row = get_batch(connection, batch_key)
        if row is None:
            raise no_such_batch(connection, batch_key)
        batch, known = reviewed(connection, row), approvals.latest(connection, row["id"], item_ids)
    return {
        (draft.item_id, draft.workflow): judged(batch, draft, known.get((draft.item_id, draft.workflow)))
        for draft in read_drafts(hq, batch, workflows, item_ids)
    }
