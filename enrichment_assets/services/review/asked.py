"""What users of the workspace ask for by SQL becomes a correction or an approval, or is refused with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.actors import Actor, ActorKind, name_from
from enrichment_assets.domain.drafts import Standing
from enrichment_assets.domain.errors import ConfigurationError, EnrichError, InfrastructureError, NotFoundError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.services.review import deciding
from enrichment_assets.services.review.listing import Reviewed, judged
from enrichment_assets.services.review.reading import ReviewedBatch, read_drafts, reviewed
from enrichment_assets.store.asked import changes
from enrichment_assets.store.asked.changes import AskedChange
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.database import Connection, Row
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.results.edits import add_edit, latest_edit
from enrichment_assets.store.review import approvals
from enrichment_assets.store.review.drafts import batch_of_item

STATUS = "prospect_status"
"""The field of a lead that holds what a person said of where it stands."""

WITHDRAWN = "approved_for_send was set to false"

_DRAFTED = {"draft_subject", "draft_body", "draft_ps", "linkedin_message"}
"""The fields of a lead that the table's columns `email_draft` and `linkedin_draft` show."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of requests."""

    done: int
    refused: int


def carry_out(hq: Hq) -> Done:
    """Carry out what waits, or refuse it, each in the name of the role that asked.

    A request is marked after HQ has committed. One that was carried out and not marked is found to be done.

    Raises:
        InfrastructureError: A database cannot be reached. What waits is asked for again, and not refused.
    """
    refusals: list[str | None] = []
    with hq.workspace.transaction() as workspace:
        for change in changes.take(workspace):
            try:
                _carry_out(hq, change)
                refusals.append(None)
            except InfrastructureError:
                raise
            except EnrichError as error:
                refusals.append(str(error))
            changes.decide(workspace, change.id, refusals[-1])
    return Done(refusals.count(None), len(refusals) - refusals.count(None))


def _carry_out(hq: Hq, change: AskedChange) -> None:
    actor = Actor(ActorKind.SQL, name_from(change.asked_by))
    if change.is_overtaken:
        raise ConfigurationError("something else was asked for since, and carried out", code="asked.overtaken")
    with hq.transaction() as connection:
        row = batch_of_item(connection, change.item_id)
        if row is None or (row["batch_key"], row["client"]) != (change.batch, change.client):
            raise NotFoundError("there is no such lead any more", code="asked.lead_not_found")
        if change.field == "status":
            _set_status(connection, row, change, actor)
            return
        batch = reviewed(connection, row)
        known = approvals.latest(connection, row["id"], [change.item_id])
    drafts = [
        judged(batch, draft, known.get((draft.item_id, draft.workflow)))
        for draft in read_drafts(hq, batch, None, [change.item_id])
    ]
    if change.value == "true":
        _approve(hq, batch, drafts, change, actor)
    else:
        approved = [one for one in drafts if one.standing in (Standing.APPROVED, Standing.OUTDATED)]
        deciding.reject(hq, deciding.Selection(batch, approved), actor=actor, reason=WITHDRAWN)


def _set_status(connection: Connection, row: Row, change: AskedChange, actor: Actor) -> None:
    if latest_edit(connection, row["id"], change.item_id, STATUS) == change.value:
        return
    edit_id = add_edit(connection, change.batch, change.item_id, STATUS, change.value, change.asked_by, "by SQL")
    ids = {"client_id": row["client_id"], "batch_id": row["id"]}
    note_action(connection, actor, Code.LEAD_EDIT, change.item_id, **ids, after={"field": STATUS, "edit_id": edit_id})


def _approve(hq: Hq, batch: ReviewedBatch, drafts: list[Reviewed], change: AskedChange, actor: Actor) -> None:
    """Approve the drafts that whoever asked had before them, word for word, all of them or none.

    Raises:
        ConfigurationError: One is another by now, or was rejected after this was asked for.
    """
    seen = list(_texts(change.seen))
    of_table = [one for one in drafts if _DRAFTED & one.draft.values.keys()]
    if not of_table or not all(value in seen for one in of_table for value in one.draft.values.values()):
        raise ConfigurationError(
            "the draft is another one by now than the table shows; look at it again when the tables are made anew",
            code="asked.draft_changed",
        )
    for one in of_table:
        said = one.approval if one.standing is Standing.REJECTED else None
        # What was withdrawn by SQL was asked for in its turn; `at` says when it was carried out.
        if said is not None and said.note != WITHDRAWN and said.at > change.asked_at:
            raise ConfigurationError(
                f"{said.actor} has rejected the draft since: {said.note}", code="asked.rejected_since"
            )
    new = [one for one in of_table if one.standing is not Standing.APPROVED]
    deciding.approve(hq, deciding.Selection(batch, new), actor=actor, note="by SQL")


def _texts(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for member in value.values():
            yield from _texts(member)
    elif value is not None:
        yield value
