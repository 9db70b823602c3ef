"""What keeps calls of a batch from leaving: it was given up, or it or one of its steps is paused or cancelled.

Who wants to send writes its intent in a transaction that holds a key-share lock on the batch's row (`gate`); who holds
a batch takes that row for update and writes the hold into it. So an intent is committed before, and its call is under
way, or it is refused, by whatever process on whatever machine. The hold stands in the locked row itself: a statement
that waited for the lock sees what was written meanwhile there, and would not in another table. The row comes before
states and calls in everybody's order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from psycopg.types.json import Jsonb

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.statuses import Status
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.batches.giving_up import ending_unsent
from enrichment_assets.store.database import AsyncConnection, Connection
from enrichment_assets.store.deliveries.batches import AT_REST
from enrichment_assets.store.replies import Reply
from enrichment_assets.store.states.groups import NEXT_LOOK
from enrichment_assets.store.states.transitions import OF_STEPS, StepFacts

ALL = "*"
"""In the place of a workflow's slug: the whole batch. No slug has it."""

Kind = Literal["paused", "cancelled"]


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nothing of a workflow, or of the whole batch, is sent.

    Attributes:
        kind: A paused step keeps what is PENDING; of a cancelled one it was ended.
        reason: In the words of who said so; empty where none were given.
        actor: Who said so: `cli:ann`.
        at: When, ISO 8601.
        under_way: Workflow slug -> what was under way at that moment (`held_calls.UnderWay.kept`).
    """

    kind: Kind
    reason: str
    actor: str
    at: str
    under_way: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        """`paused by cli:ann: the offer changes`."""
        return f"{self.kind} by {self.actor}{f': {self.reason}' if self.reason else ''}"


@dataclass(frozen=True, slots=True)
class Gate:
    """What of a batch may be called; `suppressions`: the version of those at this moment."""

    given_up: bool
    holds: Mapping[str, Hold]
    suppressions: int = 0

    def hold_on(self, slug: str) -> Hold | None:
        """What holds a workflow; a cancellation outranks a pause."""
        found = [hold for name in (ALL, slug) if (hold := self.holds.get(name)) is not None]
        return next((hold for hold in found if hold.kind == "cancelled"), found[0] if found else None)


ARCHIVED = Hold("cancelled", "the batch is archived", "its settings", "")
"""What holds an archived batch: of its deliveries, the only steps that can be open, nothing leaves."""


def read_holds(kept: Mapping[str, Mapping[str, Any]]) -> dict[str, Hold]:
    """The column `holds` of a batch as it is read."""
    return {name: Hold(**hold) for name, hold in kept.items()}


_GATE = """
select given_up_at is not null as given_up, retired_at is not null as archived, holds,
       (select version from suppression_state) as suppressions
from batches where id = %s
for key share  -- guard: intents-come-before-a-hold
"""


_HOLDS = f"""
select coalesce((
  select jsonb_object_agg(rest.slug, jsonb_build_object('kind', 'paused', 'reason', rest.why, 'actor', 'its settings',
                                                        'at', ''))
  from (select d.workflow_slug as slug, {AT_REST} as why from batch_deliveries d where d.batch_id = b.id) rest
  where rest.why is not null), '{{}}'::jsonb) || b.holds as holds
from batches b where b.id = %s
"""


# one row: by its key
async def gate(connection: AsyncConnection, batch_id: int) -> Reply[Gate]:
    """What of the batch may be called; that stays so until the transaction ends."""
    cursor = await connection.execute(_GATE, (batch_id,), prepare=True)
    return Reply(cursor, _gate)


# one row: by its key
async def holds_of(connection: AsyncConnection, batch_id: int) -> dict[str, Hold]:
    """What holds the batch at this moment; a delivery of it that is switched off is held by that."""
    cursor = await connection.execute(_HOLDS, (batch_id,), prepare=True)
    row = await cursor.fetchone()
    return {} if row is None else read_holds(row["holds"])


def _gate(rows: Sequence[Mapping[str, Any]]) -> Gate:
    if not rows:
        return Gate(True, {})
    row = rows[0]
    holds = {ALL: ARCHIVED} if row["archived"] else read_holds(row["holds"])
    return Gate(row["given_up"], holds, row["suppressions"])


@dataclass(frozen=True, slots=True)
class HeldBatch:
    """A batch, and what holds it."""

    batch_id: int
    client_id: int
    blueprint: Blueprint
    holds: dict[str, Hold]
    is_over: bool
    """It was given up or archived: nothing of it is sent whatever else holds."""
    is_finished: bool
    """Every step of it has ended."""
    running: tuple[str, ...]
    """Labels of the runs that work on it."""


# one row: by its key
def lock_for_hold(connection: Connection, batch_key: str) -> HeldBatch | None:
    """Lock the batch's row against intents until the transaction ends; None: there is no such batch."""
    return held_batch(connection, batch_key, is_locked=True)


# one row: by its key
def held_batch(connection: Connection, batch_key: str, *, is_locked: bool = False) -> HeldBatch | None:
    """A batch, and what holds it; `is_locked`: against intents until the transaction ends. None: there is none."""
    row = connection.execute(
        "select id, client_id, blueprint, holds, given_up_at is not null or retired_at is not null as is_over, "
        f"finished_at is not null as is_finished from batches where batch_key = %s {'for update' if is_locked else ''}",
        (batch_key,),
    ).fetchone()
    if row is None:
        return None
    runners = connection.execute(
        "select label from runners where batch_id = %s and ended_at is null and expires_at > clock_timestamp() "
        "order by id",
        (row["id"],),
    ).fetchall()
    return HeldBatch(
        row["id"],
        row["client_id"],
        Blueprint.model_validate(row["blueprint"]),
        read_holds(row["holds"]),
        row["is_over"],
        row["is_finished"],
        tuple(runner["label"] for runner in runners),
    )


# crash point: holds-are-written
def write_holds(connection: Connection, batch_id: int, holds: Mapping[str, Hold]) -> None:
    """Write what holds the batch from now on, and what follows: when it is looked at next, and whether it is finished.

    What is paused is nobody's to look at; what is still PENDING of what was cancelled has a call under way, and whoever
    made it may be dead. Items that are not laid out yet wait for the first run after a pause; a cancelled batch has a
    run that lays them out and ends them.
    """
    kept = {
        name: {"kind": h.kind, "reason": h.reason, "actor": h.actor, "at": h.at}
        | ({"under_way": h.under_way} if h.under_way else {})
        for name, h in holds.items()
    }
    connection.execute(
        f"""
        with open_states as (
          select count(*) as open, min({NEXT_LOOK}) filter (where s.status = 'IN_PROGRESS') as look_at,
                 bool_or(s.status = 'PENDING' and (
                   not %(holds)s::jsonb ?| array['{ALL}', s.workflow_slug]
                   or 'cancelled' in (%(holds)s::jsonb -> '{ALL}' ->> 'kind',
                                      %(holds)s::jsonb -> s.workflow_slug ->> 'kind'))) as is_due
          from workflow_states s join batches b on b.id = s.batch_id
          where s.batch_id = %(batch)s and {OF_STEPS} and s.status in ('PENDING', 'IN_PROGRESS')
        )
        update batches b
        set holds = %(holds)s,
            resume_at = case when b.items_created_at is null and %(holds)s::jsonb -> '{ALL}' ->> 'kind' = 'paused'
                             then null
                             when b.items_created_at is null then coalesce(b.resume_at, clock_timestamp())
                             when o.is_due then clock_timestamp() else o.look_at end,
            finished_at = case when b.items_created_at is null then b.finished_at
                               when o.open = 0 then coalesce(b.finished_at, clock_timestamp()) end
        from open_states o where b.id = %(batch)s
        """,
        {"holds": Jsonb(kept), "batch": batch_id},
    )


_CANCEL = ending_unsent(Status.CANCELLED.value)


# crash point: unsent-states-are-cancelled
def cancel_unsent(connection: Connection, batch_id: int, slugs: Sequence[str], reason: str, facts: StepFacts) -> int:
    """End as CANCELLED what is PENDING of these workflows and was not sent. Returns how many states."""
    row = connection.execute(_CANCEL, _parameters(batch_id, slugs, reason, facts)).fetchone()
    return int(row["ended"]) if row else 0


# crash point: new-states-are-cancelled
async def cancel_new(
    connection: AsyncConnection, batch_id: int, slugs: Sequence[str], reason: str, facts: StepFacts
) -> int:
    """`cancel_unsent` for a run: states that became PENDING after the cancellation, of child items for instance."""
    cursor = await connection.execute(_CANCEL, _parameters(batch_id, slugs, reason, facts))
    row = await cursor.fetchone()
    return int(row["ended"]) if row else 0


def _parameters(batch_id: int, slugs: Sequence[str], reason: str, facts: StepFacts) -> dict[str, Any]:
    return {"batch": batch_id, "slugs": list(slugs), "reason": reason, **facts.parameters()}


async def counts_for_guard(connection: AsyncConnection, batch_id: int) -> dict[str, tuple[int, int]] | None:
    """Workflow slug -> (states that ended with an answer or failed, those that failed); None: the guard has spoken."""
    cursor = await connection.execute(
        """
        select b.guard_spoke_at is not null as has_spoken, s.workflow_slug as workflow,
               count(s.*) as ended, count(*) filter (where s.status = 'FAILED') as failed
        from batches b left join workflow_states s on s.batch_id = b.id and s.status in ('COMPLETED', 'FAILED')
        where b.id = %s group by b.guard_spoke_at, s.workflow_slug
        """,
        (batch_id,),
    )
    rows = await cursor.fetchall()
    if any(row["has_spoken"] for row in rows):
        return None
    return {row["workflow"]: (row["ended"], row["failed"]) for row in rows if row["workflow"] is not None}


def pause_for_guard(connection: Connection, batch_key: str, actor: str, reason: str) -> None:
    """Pause the whole batch in the guard's name, once; a batch that is held as a whole stays as it is held."""
    batch = lock_for_hold(connection, batch_key)
    if batch is None or batch.is_over:
        return
    row = connection.execute(
        "update batches set guard_spoke_at = clock_timestamp() where id = %s and guard_spoke_at is null "
        "returning to_char(guard_spoke_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS\"+00:00\"') as at",
        (batch.batch_id,),
    ).fetchone()
    if row is None or ALL in batch.holds:
        return
    write_holds(connection, batch.batch_id, {**batch.holds, ALL: Hold("paused", reason, actor, row["at"])})
    note_action(
        connection,
        Actor.parse(actor),
        Code.BATCH_PAUSE,
        batch_key,
        client_id=batch.client_id,
        batch_id=batch.batch_id,
        after={"workflow": None, "reason": reason},
    )
