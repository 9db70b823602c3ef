"""Routes of reviews: the drafts of a batch, and what is said of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.drafts import Decision, Standing
from enrichment_assets.services.review import deciding
from enrichment_assets.services.review.listing import Wanted, draft_page, find_draft
from enrichment_assets.services.shapes import reviews as shapes
from enrichment_assets.services.shapes.shape import Shape
from enrichment_assets.web.api.calls import Call
from enrichment_assets.web.api.errors import invalid
from enrichment_assets.web.api.paging import MOST, NAMES, page


def reviews(call: Call) -> Mapping[str, Any]:
    """Drafts of a batch, of a client's batches or of all, and where each stands; the newest batch first."""
    limit, state, after = call.number("limit", 100, MOST), call.word("state"), call.word("after")
    call.checked(*NAMES, "state")
    if state is not None and state not in {one.value for one in Standing}:
        raise invalid(state=f"is one of: {', '.join(one.value for one in Standing)}")
    standing = None if state is None else Standing(state)
    wanted = Wanted(batch=call.path.get("batch"), client=call.client, state=standing)
    found = draft_page(call.hq, wanted, after, limit + 1)
    return page(map(shapes.Review.of, found[:limit]), found[limit - 1].name if len(found) > limit else None)


def decide(call: Call) -> Shape:
    """Approve or reject a draft, of exactly these bytes."""
    name, sha256 = call.text("review", needed=True) or "", call.text("sha256", needed=True) or ""
    decision, note = call.text("decision", needed=True), call.text("note")
    call.checked("review", "sha256", "decision", "note")
    if decision not in ("approve", "reject"):
        raise invalid(decision="is approve or reject")
    found = find_draft(call.hq, name, batch=call.path["batch"])
    selections, actor = deciding.named([found], sha256), call.known.actor
    if decision == "approve":
        done = sum(deciding.approve(call.hq, one, actor=actor, note=note) for one in selections)
        return shapes.ReviewChange(Decision.APPROVED.value, done)
    done = sum(deciding.reject(call.hq, one, actor=actor, reason=note or "") for one in selections)
    return shapes.ReviewChange(Decision.REJECTED.value, done)
