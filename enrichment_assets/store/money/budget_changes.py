"""Budgets as an operator changes them: find, remove, settle by hand, and reopen what an exhausted one skipped.

Reserving and settling while calls are made is in `store.money.budgets`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from enrichment_assets.store.database import Connection
from enrichment_assets.store.money.budgets import CURRENCY, Budget


@dataclass(frozen=True, slots=True)
class Scope:
    """What a budget covers: a client, or one of its batches, or a workflow of either."""

    client_id: int
    batch_id: int | None
    workflow: str | None


# one row: by its key
def batch_id_of(connection: Connection, client_id: int, batch_key: str) -> int | None:
    """The id of a batch of this client; None when it has no such batch."""
    row = connection.execute(
        "select id from batches where batch_key = %s and client_id = %s", (batch_key, client_id)
    ).fetchone()
    return None if row is None else int(row["id"])


def take_turn(connection: Connection, client_id: int) -> None:
    """Let changes of a client's budgets come one after another until the transaction ends."""
    connection.execute("select pg_advisory_xact_lock(hashtextextended('budgets:' || %s::text, 0))", (client_id,))


def workflow_exists(connection: Connection, slug: str) -> bool:
    """Whether the registry knows the workflow."""
    return (
        connection.execute("select 1 from enrichment_registry where workflow_slug = %s", (slug,)).fetchone() is not None
    )


# one row: by its key
def find_budget(connection: Connection, scope: Scope) -> Budget | None:
    """Exactly this budget, locked until the transaction ends."""
    row = connection.execute(
        f"""
        select c.slug as client, b.batch_key as batch, g.workflow_slug as workflow, g.amount, g.reserved, g.spent,
               {CURRENCY} as currency
        from budgets g join clients c on c.id = g.client_id left join batches b on b.id = g.batch_id
        where g.client_id = %s and g.batch_id is not distinct from %s and g.workflow_slug is not distinct from %s
        for update of g
        """,
        (scope.client_id, scope.batch_id, scope.workflow),
    ).fetchone()
    return None if row is None else Budget(**row)


# one row: by its key
def remove_budget(connection: Connection, scope: Scope) -> None:
    """Delete exactly this budget."""
    connection.execute(
        "delete from budgets where client_id = %s and batch_id is not distinct from %s "
        "and workflow_slug is not distinct from %s",
        (scope.client_id, scope.batch_id, scope.workflow),
    )


def settle_by_hand(
    connection: Connection, client_id: int, batch_id: int, moved: Sequence[tuple[str, Decimal, Decimal]]
) -> None:
    """Give back reservations and book what was spent: (workflow slug, reserved before, spent now) each."""
    connection.execute(
        """
        update budgets b set reserved = greatest(b.reserved - t.reserved, 0), spent = b.spent + t.spent,
                             updated_at = now()
        from (
          select b.id, sum(m.reserved) as reserved, sum(m.spent) as spent
          from (select id, workflow_slug from budgets
                where client_id = %s and (batch_id is null or batch_id = %s) order by id for update) b
          join unnest(%s::text[], %s::numeric[], %s::numeric[]) as m(slug, reserved, spent)
            on b.workflow_slug is null or b.workflow_slug = m.slug
          group by b.id
        ) t where b.id = t.id
        """,
        (
            client_id,
            batch_id,
            [slug for slug, _, _ in moved],
            [reserved for _, reserved, _ in moved],
            [spent for _, _, spent in moved],
        ),
    )
