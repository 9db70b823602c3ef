"""Approving, rejecting and editing drafts. What is approved is the bytes that somebody has seen, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.drafts import Decision, Standing
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.operator_actions import LONGEST_TEXT, Code
from enrichment_assets.services.insight.editing import edit_fields
from enrichment_assets.services.review.listing import Found, Reviewed, Wanted, find_draft, of_batch
from enrichment_assets.services.review.reading import ReviewedBatch, reviewed
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.review import approvals


@dataclass(frozen=True, slots=True)
class Selection:
    """Drafts of one batch that are to be decided about together, as they were read."""

    batch: ReviewedBatch
    drafts: Sequence[Reviewed]


def select(hq: Hq, wanted: Wanted) -> Selection:
    """The drafts of a batch that wait for a decision: nobody has spoken of them as they are, or an approval is void.

    `wanted.state` may ask for one of both, or for rejected ones.

    Raises:
        NotFoundError: There is no such batch.
        ConfigurationError: No batch is named.
    """
    if wanted.batch is None:
        raise ConfigurationError("name a batch: drafts are approved batch by batch", code="review.batch_missing")
    with hq.transaction() as connection:
        row = get_batch(connection, wanted.batch)
        if row is None:
            raise no_such_batch(connection, wanted.batch)
        batch = reviewed(connection, row)
    states = (Standing.WAITING, Standing.OUTDATED) if wanted.state is None else (wanted.state,)
    return Selection(batch, [one for one in of_batch(hq, batch, wanted) if one.standing in states])


def approve(hq: Hq, selection: Selection, *, actor: Actor, note: str | None = None) -> int:
    """Approve drafts as they were read; how many. What is another one by now is outdated at once."""
    return _decide(hq, selection, Decision.APPROVED, actor, note)


def reject(hq: Hq, selection: Selection, *, actor: Actor, reason: str) -> int:
    """Reject drafts as they were read; how many. Raises `ConfigurationError` where nothing says why."""
    if not reason.strip():
        raise ConfigurationError("say why: a rejection has a reason", code="review.no_reason")
    return _decide(hq, selection, Decision.REJECTED, actor, reason)


def named(found: Sequence[Found], sha256: str | None = None) -> list[Selection]:
    """Drafts that were named, by their batches, each once; with `sha256` only bytes whose hash begins so.

    Raises:
        ConfigurationError: The bytes are others by now, or `sha256` says too little of any.
    """
    if sha256 is not None and re.fullmatch("[0-9a-fA-F]{8,64}", sha256) is None:
        raise ConfigurationError(
            f"{sha256[:80]!r} names no bytes: give the hash that the draft is shown with, 8 digits of it at least",
            code="review.hash_invalid",
        )
    selections: dict[str, list[Found]] = {}
    for one in {one.reviewed.name: one for one in found}.values():
        now = one.reviewed.draft.of.draft.hex()
        if sha256 is not None and not now.startswith(sha256.lower()):
            raise ConfigurationError(
                f"draft {one.reviewed.name} has other bytes by now: {now[:12]}", code="review.other_bytes"
            )
        selections.setdefault(one.reviewed.batch, []).append(one)
    return [Selection(some[0].batch, [one.reviewed for one in some]) for some in selections.values()]


def edit(
    hq: Hq, settings: Settings, name: str, values: Mapping[str, str | None], *, actor: Actor, note: str | None = None
) -> Found:
    """Correct fields of a draft; the draft as it is then, which waits for an approval.

    Raises:
        NotFoundError, ConfigurationError: As `find_draft` and `insight.editing.edit_fields`; or a field is none of the
            draft's.
    """
    found = find_draft(hq, name)
    draft = found.reviewed.draft
    fields = found.batch.steps[draft.workflow].workflow.drafts
    if not values or (strange := [field for field in values if field not in fields]):
        what = f"`{strange[0]}` is no field of the draft" if values else "name a field"
        raise ConfigurationError(f"{what}: it has {', '.join(fields)}", code="review.field_unknown")
    by = actor.name
    key = found.reviewed.batch
    edit_fields(hq, settings, key, draft.item_id, values, actor=actor, by=by, note=note, code=Code.REVIEW_EDIT)
    return find_draft(hq, f"{draft.item_id}/{draft.workflow}")


def _decide(hq: Hq, selection: Selection, decision: Decision, actor: Actor, note: str | None) -> int:
    if note is not None and len(note) > LONGEST_TEXT:
        raise ConfigurationError(
            f"the note has {len(note)} characters: at most {LONGEST_TEXT} are kept", code="review.note_too_long"
        )
    if not selection.drafts:
        return 0
    row = selection.batch.row
    drafts = [(one.draft.item_id, one.draft.workflow, one.draft.of) for one in selection.drafts]
    code = Code.REVIEW_APPROVE if decision is Decision.APPROVED else Code.REVIEW_REJECT
    with hq.transaction() as connection:
        ids = approvals.add(connection, row, drafts, decision, actor, note)
        said = {"drafts": len(ids), "first_approval": ids[0], "last_approval": ids[-1]}
        name = selection.drafts[0].name if len(ids) == 1 else f"{len(ids)} drafts"
        note_action(connection, actor, code, name, client_id=row["client_id"], batch_id=row["id"], after=said)
    return len(ids)
