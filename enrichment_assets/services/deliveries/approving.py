"""Whether a person has approved what a lead would take along: nothing, a draft once, or exactly these bytes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from enrichment_assets.domain.deliveries import Approval
from enrichment_assets.domain.drafts import Decision, sha256
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.services.deliveries.lead_rows import LeadRow
from enrichment_assets.services.review.approved import Approved, approved
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.review.approvals import latest

NONE_WRITTEN = "the batch writes no drafts that could be approved"
NOT_YET = "a draft waits for a person"
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
            if any(one.decided.decision is Decision.REJECTED for one in given) or not given:
                refused[item_id] = NOT_YET
            else:
                self._found[item_id] = [one.id for one in given]
        return refused

    def _exactly(self, leads: Sequence[LeadRow], ids: Sequence[int]) -> dict[int, str]:
        may_leave = approved(self._hq, self._batch.batch_key, ids, list(self._drafts))
        refused = {}
        for lead in leads:
            found: dict[str, Approved | None] = {slug: may_leave.get((lead.item_id, slug)) for slug in self._drafts}
            waiting = next((slug for slug, one in found.items() if one is None), None)
            if waiting is not None:
                refused[lead.item_id] = f"{NOT_YET} ({waiting})"
            elif any(one is not None and self._shows_another(lead, slug, one) for slug, one in found.items()):
                refused[lead.item_id] = OTHER_BYTES
            else:
                self._found[lead.item_id] = [one.approval_id for one in found.values() if one is not None]
        return refused

    def _shows_another(self, lead: LeadRow, slug: str, one: Approved) -> bool:
        """Whether the columns of a draft are other bytes; a draft of which nothing leaves is not compared."""
        fields = self._drafts[slug]
        return set(fields) <= self.columns and sha256({name: lead.values.get(name) for name in fields}) != one.sha256
