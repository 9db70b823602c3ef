"""Whether a person has approved what a lead would take along: nothing, a draft once, or exactly these bytes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from enrichment_assets.domain.deliveries import Approval
from enrichment_assets.domain.drafts import Decision, Standing, sha256
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.services.deliveries.lead_rows import LeadRow
from enrichment_assets.services.review.approved import Approved, approval_of, standing_drafts
from enrichment_assets.services.review.listing import Reviewed
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.review.approvals import latest

NONE_WRITTEN = "the batch writes no drafts that could be approved"
NOT_YET = "a draft waits for a person"
NOBODY_YET = "nobody has approved a draft of the lead"
NO_DRAFT = "the lead has no draft"
WHY = {
    Standing.WAITING: NOT_YET,
    Standing.REJECTED: "a person has rejected the draft",
    Standing.OUTDATED: "draft, facts or template have changed since it was approved",
}
"""Why a draft that stands so may not leave."""

OTHER_BYTES = "the lead shows another draft than was approved"


class Approving:
    """Holds leads of a batch against what a delivery asks of approvals.

    Attributes:
        columns: Columns of the drafts: what leaves has to be what was approved.
    """

    def __init__(self, hq: Hq, batch: Batch, workflow: WorkflowDefinition, reads: Collection[str]) -> None:
        self._hq, self._batch = hq, batch
        delivery = workflow.delivery
        drafts = {step.slug: step.workflow.drafts for step in batch.blueprint.steps if step.workflow.drafts}
        taken = {slug: fields for slug, fields in drafts.items() if set(fields) & set(reads)}
        asked = None if delivery is None else delivery.approval
        self._kind = asked or (Approval.EXACT if taken else Approval.NONE)
        # Where it is asked for and nothing of a draft leaves, every draft of the lead has to be approved.
        self._drafts: Mapping[str, Sequence[str]] = taken or drafts
        self._found: dict[int, list[int]] = {}
        is_exact = self._kind is Approval.EXACT
        self.columns = frozenset(name for fields in taken.values() for name in fields if is_exact)

    def missing(self, leads: Sequence[LeadRow]) -> dict[int, str]:
        """Item id -> why it may not leave; those that may are remembered with their approvals (`of`)."""
        if self._kind is Approval.NONE:
            return {}
        if not self._drafts:
            return {lead.item_id: NONE_WRITTEN for lead in leads}
        ids = [lead.item_id for lead in leads]
        return self._once(ids) if self._kind is Approval.LEAD else self._exactly(leads, ids)

    def of(self, item_id: int) -> list[int] | None:
        """The approvals by which a lead may leave; None: it needs none."""
        return self._found.pop(item_id, None)

    def _once(self, ids: Sequence[int]) -> dict[int, str]:
        with self._hq.transaction() as connection:
            said = latest(connection, self._batch.batch_id, ids)
        refused = {}
        for item_id in ids:
            given = [one for (item, _), one in said.items() if item == item_id]
            if any(one.decided.decision is Decision.REJECTED for one in given):
                refused[item_id] = WHY[Standing.REJECTED]
            elif not given:
                refused[item_id] = NOBODY_YET
            else:
                self._found[item_id] = [one.id for one in given]
        return refused

    def _exactly(self, leads: Sequence[LeadRow], ids: Sequence[int]) -> dict[int, str]:
        there = standing_drafts(self._hq, self._batch.batch_key, ids, list(self._drafts))
        refused = {}
        for lead in leads:
            drafts = {slug: there.get((lead.item_id, slug)) for slug in self._drafts}
            found = {slug: None if one is None else approval_of(one) for slug, one in drafts.items()}
            held = next((slug for slug, one in found.items() if one is None), None)
            if held is not None:
                refused[lead.item_id] = f"{_why(drafts[held])} ({held})"
            elif any(one is not None and self._shows_another(lead, slug, one) for slug, one in found.items()):
                refused[lead.item_id] = OTHER_BYTES
            else:
                self._found[lead.item_id] = [one.approval_id for one in found.values() if one is not None]
        return refused

    def _shows_another(self, lead: LeadRow, slug: str, one: Approved) -> bool:
        """Whether the columns of a draft are other bytes; a draft of which nothing leaves is not compared."""
        fields = self._drafts[slug]
        return set(fields) <= self.columns and sha256({name: lead.values.get(name) for name in fields}) != one.sha256


def _why(draft: Reviewed | None) -> str:
    """Why a draft may not leave, of which nothing is approved now."""
    return NO_DRAFT if draft is None else WHY[draft.standing]
