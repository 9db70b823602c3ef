"""Money set aside before it is spent. A call needs room in every budget that covers it: client, batch, workflow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from psycopg import Connection as SyncConnection

from enrichment_assets.store.claims import Connection
from enrichment_assets.store.ledger import Scope


async def reserve(connection: Connection, scope: Scope, wanted: Sequence[tuple[str, Decimal]]) -> list[bool]:
    """Reserve each (workflow slug, amount) in turn where all its budgets have room; True: reserved.

    The budget rows stay locked until the transaction ends, so that concurrent runs never overbook together. All rows
    of the client and batch are locked, in the order in which `settle` locks them: two runs cannot wait for each other.
    """
    cursor = await connection.execute(
        """
        select id, workflow_slug, amount - reserved - spent as room from budgets
        where client_id = %s and (batch_id is null or batch_id = %s)
        order by id for update
        """,
        (scope.client_id, scope.batch_id),
    )
    budgets = await cursor.fetchall()
    if not budgets:
        return [True] * len(wanted)
    taken: dict[int, Decimal] = {row["id"]: Decimal(0) for row in budgets}
    granted = []
    for slug, amount in wanted:
        binding = [row for row in budgets if row["workflow_slug"] in (None, slug)]
        fits = all(taken[row["id"]] + amount <= row["room"] for row in binding)
        granted.append(fits)
        for row in binding if fits else ():
            taken[row["id"]] += amount
    await connection.execute(
        """
        update budgets b set reserved = b.reserved + t.amount, updated_at = now()
        from unnest(%s::bigint[], %s::numeric[]) as t(id, amount) where b.id = t.id and t.amount <> 0
        """,
        (list(taken), list(taken.values())),
    )
    return granted


async def settle(connection: Connection, scope: Scope, moved: Sequence[tuple[str, Decimal, Decimal]]) -> None:
    """Give back reservations and book what was spent: (workflow slug, reserved before, spent now) each."""
    totals: dict[str, tuple[Decimal, Decimal]] = {}
    for slug, reserved, spent in moved:
        before = totals.get(slug, (Decimal(0), Decimal(0)))
        totals[slug] = (before[0] + reserved, before[1] + spent)
    await connection.execute(
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
            scope.client_id,
            scope.batch_id,
            list(totals),
            [reserved for reserved, _ in totals.values()],
            [spent for _, spent in totals.values()],
        ),
    )


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget with what is reserved and spent; amounts in the workflows' currency."""

    client: str
    batch: str | None
    workflow: str | None
    amount: Decimal
    reserved: Decimal
    spent: Decimal

    @property
    def room(self) -> Decimal:
        """What may still be reserved."""
        return self.amount - self.reserved - self.spent


def set_budget(
    connection: SyncConnection[dict[str, Any]],
    client_id: int,
    batch_id: int | None,
    workflow_slug: str | None,
    amount: Decimal,
) -> None:
    """Create or change a budget. What the ledger already shows as spent or under way counts from the start."""
    connection.execute(
        """
        insert into budgets (client_id, batch_id, workflow_slug, amount, reserved, spent)
        select %(client)s, %(batch)s, %(slug)s, %(amount)s,
               coalesce(sum(estimated_cost) filter (where state in ('intent', 'sent', 'received', 'ambiguous')), 0),
               coalesce(sum(cost), 0)
        from provider_calls
        where client_id = %(client)s and (%(batch)s::bigint is null or batch_id = %(batch)s)
          and (%(slug)s::text is null or workflow_slug = %(slug)s)
        on conflict (client_id, batch_id, workflow_slug) do update set amount = excluded.amount, updated_at = now()
        """,
        {"client": client_id, "batch": batch_id, "slug": workflow_slug, "amount": amount},
    )


def list_budgets(connection: SyncConnection[dict[str, Any]], client_id: int | None = None) -> list[Budget]:
    """All budgets, or one client's."""
    rows = connection.execute(
        """
        select c.slug as client, b.batch_key as batch, g.workflow_slug as workflow, g.amount, g.reserved, g.spent
        from budgets g join clients c on c.id = g.client_id left join batches b on b.id = g.batch_id
        where %(client)s::bigint is null or g.client_id = %(client)s
        order by c.slug, b.batch_key nulls first, g.workflow_slug nulls first
        """,
        {"client": client_id},
    ).fetchall()
    return [Budget(**row) for row in rows]
