"""Search queries that were proposed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.store.review import proposals


@dataclass(frozen=True, slots=True)
class SearchProposal(Shape):
    """A query that was proposed.

    Attributes:
        id: Its number.
        client: The client's slug.
        batch: Key of the batch that proposed it; null: it was removed.
        system: Whose plans it is for.
        industry: Slug of the industry.
        template: What would be asked, `{region}` in the place of each region.
        reason: Why, in the model's words.
        state: `proposed`, `accepted` (the next plan asks it) or `rejected`.
        decided_by: Who decided; null: nobody.
        decided_at: When.
        proposed_at: When it was proposed.
    """

    id: int
    client: str
    batch: str | None
    system: str
    industry: str
    template: str
    reason: str
    state: str
    decided_by: str | None
    decided_at: datetime | None
    proposed_at: datetime

    @classmethod
    def of(cls, one: proposals.Proposal) -> SearchProposal:
        """From what the store returns."""
        return cls(
            one.id,
            one.client,
            one.batch,
            one.system,
            one.industry,
            one.template,
            one.reason,
            one.state.value,
            one.decided_by,
            one.decided_at,
            one.proposed_at,
        )
