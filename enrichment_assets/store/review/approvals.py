"""The statements on `approvals`: what was said of drafts is added, and read. Nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.drafts import Bytes, Decided, Decision
from enrichment_assets.store.database import Connection, Row
from enrichment_assets.store.deliveries.batches import wake_automatic


@dataclass(frozen=True, slots=True)
class Approval:
    """What somebody said of one draft of an item.

    Attributes:
        id: Its number; later ones have higher ones.
        item_id: The item.
        workflow: Whose draft it is.
        decided: What was said, and of which bytes.
        actor: Who said so, as `cli:ada`.
        note: Why, where somebody said it.
        at: When.
    """

    id: int
    item_id: int
    workflow: str
    decided: Decided
    actor: str
    note: str | None
    at: datetime


def add(
    connection: Connection,
    batch: Row,
    drafts: Sequence[tuple[int, str, Bytes]],
    decision: Decision,
    actor: Actor,
    note: str | None,
) -> list[int]:
    """Write down a decision about drafts of one batch, each (item id, workflow, bytes); the new rows' ids, in order."""
    wake_automatic(connection, batch["id"])
    rows = connection.execute(
        """
        insert into approvals (client_id, batch_id, item_id, workflow_slug, decision, draft_sha256, facts_sha256,
                               template_sha256, actor, note)
        select %s, %s, d.item_id, d.workflow, %s, d.draft, d.facts, d.template, %s, %s
        from unnest(%s::bigint[], %s::text[], %s::bytea[], %s::bytea[], %s::bytea[]) with ordinality
          as d (item_id, workflow, draft, facts, template, place)
        order by d.place returning id
        """,
        (
            batch["client_id"],
            batch["id"],
            decision.value,
            str(actor),
            note,
            [item for item, _, _ in drafts],
            [workflow for _, workflow, _ in drafts],
            [of.draft for _, _, of in drafts],
            [of.facts for _, _, of in drafts],
            [of.template for _, _, of in drafts],
        ),
    ).fetchall()
    return sorted(row["id"] for row in rows)


def latest(
    connection: Connection, batch_id: int, item_ids: Sequence[int] | None = None
) -> dict[tuple[int, str], Approval]:
    """(item id, workflow) -> what was said of its draft last; of these items, or of all of the batch."""
    rows = connection.execute(
        """
        select distinct on (item_id, workflow_slug) * from approvals
        where batch_id = %(batch)s and (%(items)s::bigint[] is null or item_id = any(%(items)s))
        order by item_id, workflow_slug, id desc
        """,
        {"batch": batch_id, "items": None if item_ids is None else list(item_ids)},
    ).fetchall()
    return {(row["item_id"], row["workflow_slug"]): _approval(row) for row in rows}


# one row: of one batch's few approvals
def anything_said(connection: Connection, batch_id: int) -> bool:
    """Whether anything was said of a draft of a batch."""
    return connection.execute("select 1 from approvals where batch_id = %s limit 1", (batch_id,)).fetchone() is not None


def history(connection: Connection, batch_id: int, item_id: int, workflow: str) -> list[Approval]:
    """All that was said of a draft, the latest first."""
    rows = connection.execute(
        "select * from approvals where batch_id = %s and item_id = %s and workflow_slug = %s order by id desc",
        (batch_id, item_id, workflow),
    ).fetchall()
    return [_approval(row) for row in rows]


def _approval(row: Row) -> Approval:
    of = Bytes(bytes(row["draft_sha256"]), bytes(row["facts_sha256"]), bytes(row["template_sha256"]))
    decided = Decided(Decision(row["decision"]), of)
    return Approval(
        row["id"], row["item_id"], row["workflow_slug"], decided, row["actor"], row["note"], row["decided_at"]
    )
