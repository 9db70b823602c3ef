"""A batch pauses itself where a budget has no room for its next call, and goes on when that budget is raised.

The pause is an ordinary hold in the batch's row, in the name of the budget (`ACTOR`). Of a budget for one workflow only
that workflow is held; of any other the whole batch is. A budget of the client covers many batches: each of them pauses
itself when it wants to spend, so that a batch that spends nothing is not stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.money import Money
from enrichment_assets.domain.operator_actions import LONGEST_TEXT, Code
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.batches.holds import ALL, Hold, lock_for_hold, write_holds
from enrichment_assets.store.database import Connection
from enrichment_assets.store.money.budget_changes import Scope
from enrichment_assets.store.money.budgets import BudgetBook, BudgetLine, lines_of
from enrichment_assets.store.outgoing.events import tell_of_budgets

ACTOR = Actor(ActorKind.DAGSTER, "budget")
"""Who pauses a batch for want of money."""


@dataclass(frozen=True, slots=True)
class Want:
    """A call that had no room.

    Attributes:
        workflow: Its slug.
        amount: What was to be reserved for it.
        currency: Of that.
    """

    workflow: str
    amount: Decimal
    currency: str


def pause_for_want(connection: Connection, batch_key: str, want: Want) -> None:
    """Pause what the budgets without room cover of the batch; nothing, where there is room by now.

    The budgets are read while they and the batch are locked: whoever raises one either comes first, and its room is
    seen here, or finds the pause (`lift`).
    """
    batch = lock_for_hold(connection, batch_key)
    if batch is None or batch.is_over:
        return
    book = BudgetBook(lines_of(connection, batch.batch_id, lock=True))
    short = book.short_of(want.workflow, want.amount)
    if not short:
        return
    is_whole = any(line.workflow_slug is None for line in short)
    name = ALL if is_whole else want.workflow
    if name in batch.holds or ALL in batch.holds:
        return
    reason = _reason(short, want, _waiting(connection, batch.batch_id, want.workflow))
    hold = Hold("paused", reason, str(ACTOR), datetime.now(UTC).isoformat(timespec="seconds"))
    kept = {n: one for n, one in batch.holds.items() if not is_whole or one.kind == "cancelled"}
    write_holds(connection, batch.batch_id, {**kept, name: hold})
    note_action(
        connection,
        ACTOR,
        Code.BATCH_PAUSE,
        batch_key,
        client_id=batch.client_id,
        batch_id=batch.batch_id,
        after={"workflow": None if is_whole else want.workflow, "reason": reason},
    )
    tell_of_budgets(connection, batch.client_id, batch.batch_id, {line.id: reason for line in short})


def lift(connection: Connection, scope: Scope, actor: Actor) -> dict[str, int]:
    """End the pauses that a budget of this scope made, in the name of who raised or removed it.

    A batch for whose next call another budget has no room pauses itself again. Returns batch key -> id.
    """
    rows = connection.execute(
        """
        select b.batch_key from batches b
        where b.client_id = %(client)s and (%(batch)s::bigint is null or b.id = %(batch)s) and b.holds <> '{}'
          and b.given_up_at is null and b.retired_at is null
          and b.holds -> coalesce(%(workflow)s::text, %(all)s) ->> 'actor' = %(actor)s
        order by b.id
        """,
        {
            "client": scope.client_id,
            "batch": scope.batch_id,
            "workflow": scope.workflow,
            "all": ALL,
            "actor": str(ACTOR),
        },
    ).fetchall()
    return {row["batch_key"]: _lifted(connection, row["batch_key"], scope.workflow or ALL, actor) for row in rows}


# one row: each batch is locked by itself, in everybody's order
def _lifted(connection: Connection, batch_key: str, name: str, actor: Actor) -> int:
    batch = lock_for_hold(connection, batch_key)
    assert batch is not None, "batches are never deleted"  # noqa: S101
    hold = batch.holds.get(name)
    if hold is not None and hold.actor == str(ACTOR):  # a person may have held it otherwise meanwhile
        write_holds(connection, batch.batch_id, {n: one for n, one in batch.holds.items() if n != name})
        note_action(
            connection,
            actor,
            Code.BATCH_RESUME,
            batch_key,
            client_id=batch.client_id,
            batch_id=batch.batch_id,
            after={"workflow": None if name == ALL else name, "resumed": [name], "for": "budget"},
        )
    return batch.batch_id


def _waiting(connection: Connection, batch_id: int, workflow: str) -> int:
    row = connection.execute(
        "select count(*) as waiting from workflow_states "
        "where batch_id = %s and workflow_slug = %s and status = 'PENDING'",
        (batch_id, workflow),
    ).fetchone()
    return 0 if row is None else int(row["waiting"])


def _reason(short: Sequence[BudgetLine], want: Want, waiting: int) -> str:
    """Which budget, what of it is gone, and what raising it takes; as much of it as a reason may be long."""
    takes = Money(want.amount, want.currency)
    budgets = "; ".join(_described(line, want, waiting) for line in short)
    said = f"a call of {want.workflow} takes {takes}, and {budgets}"
    return said if len(said) <= LONGEST_TEXT else f"{said[: LONGEST_TEXT - 1]}…"


def _described(line: BudgetLine, want: Want, waiting: int) -> str:
    amount, spent, reserved = (Money(a, want.currency) for a in (line.amount, line.spent, line.reserved))
    used = line.spent + line.reserved
    set_aside = f" and {reserved} set aside for calls under way" if line.reserved else ""
    needed = Money(used + waiting * want.amount, want.currency)
    rest = f", all {waiting} that wait there {needed}, besides what later steps cost" if waiting > 1 else ""
    return (
        f"of {line.named} of {amount} {spent} is spent{set_aside}: "
        f"the next call needs a budget of {Money(used + want.amount, want.currency)}{rest}"
    )
