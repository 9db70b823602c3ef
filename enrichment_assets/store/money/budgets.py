"""Money set aside before it is spent. A call needs room in every budget that covers it: client, batch, workflow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from enrichment_assets.store.calls.ledger import Scope
from enrichment_assets.store.database import AsyncConnection, Connection
from enrichment_assets.store.replies import Reply

CURRENCY = """(
  select case when count(distinct r.price ->> 'currency') = 1 then min(r.price ->> 'currency') else '' end
  from enrichment_registry r
  where case when g.workflow_slug is null then r.mode <> 'local' else r.workflow_slug = g.workflow_slug end
)"""
"""SQL: the currency of what the budget `g` bounds."""


NAMED = """(
  'the ' || case when {0}.batch_id is null then 'client' else 'batch' end || '''s budget'
  || coalesce(' for ' || {0}.workflow_slug, '')
)"""
"""SQL: `BudgetLine.named` of the budget of an alias."""


@dataclass(slots=True)
class BudgetLine:
    """One budget as a transaction sees and changes it.

    `batch_id` None: it covers all batches of the client; `workflow_slug` None: every workflow.
    """

    id: int
    batch_id: int | None
    workflow_slug: str | None
    amount: Decimal
    reserved: Decimal
    spent: Decimal
    changed: bool = False

    @property
    def named(self) -> str:
        """Which budget it is, for a person who knows client and batch."""
        whose = "client" if self.batch_id is None else "batch"
        return f"the {whose}'s budget" + (f" for {self.workflow_slug}" if self.workflow_slug else "")

    @property
    def described(self) -> str:
        """That it has no room."""
        return f"{self.named} of {self.amount.normalize():f} has no room for this call"


@dataclass(frozen=True, slots=True)
class BudgetBook:
    """The budgets of a client and batch, whose rows are locked: what is done here is true when it is `saved`."""

    lines: Sequence[BudgetLine]

    def reserve(self, slug: str, amount: Decimal) -> BudgetLine | None:
        """Set `amount` aside where all budgets that cover the workflow have room.

        The first that has none is returned; nothing was set aside then.
        """
        line = self.lacking(slug, amount)
        for binding in self._binding(slug) if line is None else ():
            binding.reserved += amount  # guard: reservations-add-up
            binding.changed = True
        return line

    def lacking(self, slug: str, amount: Decimal) -> BudgetLine | None:
        """The first budget that covers the workflow and has no room for `amount`."""
        return next(iter(self.short_of(slug, amount)), None)

    def short_of(self, slug: str, amount: Decimal) -> list[BudgetLine]:
        """All budgets that cover the workflow and have no room for `amount`."""
        short = []
        for line in self._binding(slug):
            if line.spent + line.reserved + amount > line.amount:  # guard: budget-has-room
                short.append(line)
        return short

    def settle(self, slug: str, reserved: Decimal, spent: Decimal) -> None:
        """Give back what was reserved and book what was spent."""
        for line in self._binding(slug):
            line.reserved = max(line.reserved - reserved, Decimal(0))  # guard: reservation-is-given-back
            line.spent += spent  # guard: spend-is-booked
            line.changed = True

    def _binding(self, slug: str) -> list[BudgetLine]:
        return [line for line in self.lines if line.workflow_slug in (None, slug)]


# crash point: budgets-are-locked
async def lock(connection: AsyncConnection, scope: Scope) -> Reply[BudgetBook]:
    """The budgets that cover this client and batch, locked until the transaction ends.

    Concurrent runs can therefore never overbook together. All rows are locked, in one order: two runs cannot wait for
    each other.
    """
    cursor = await connection.execute(
        """
        select id, batch_id, workflow_slug, amount, reserved, spent from budgets
        where client_id = %s and (batch_id is null or batch_id = %s)
        order by id for update
        """,
        (scope.client_id, scope.batch_id),
        prepare=True,
    )
    return Reply(cursor, lambda rows: BudgetBook([BudgetLine(**row) for row in rows]))


def lines_of(connection: Connection, batch_id: int, *, lock: bool = False) -> list[BudgetLine]:
    """The budgets that cover a batch, as they are now; with `lock` nobody changes them until the transaction ends."""
    rows = connection.execute(
        f"""
        select g.id, g.batch_id, g.workflow_slug, g.amount, g.reserved, g.spent
        from budgets g join batches b on b.client_id = g.client_id
        where b.id = %(batch)s and (g.batch_id is null or g.batch_id = %(batch)s) order by g.id
        {"for share of g" if lock else ""}
        """,
        {"batch": batch_id},
    ).fetchall()
    return [BudgetLine(**row) for row in rows]


# crash point: budgets-are-saved
async def save(connection: AsyncConnection, book: BudgetBook) -> None:
    """Write what changed in a locked book."""
    changed = [line for line in book.lines if line.changed]
    if changed:
        await connection.execute(
            """
            update budgets b set reserved = t.reserved, spent = t.spent, updated_at = now()
            from unnest(%s::bigint[], %s::numeric[], %s::numeric[]) as t(id, reserved, spent) where b.id = t.id
            """,
            ([a.id for a in changed], [a.reserved for a in changed], [a.spent for a in changed]),
            prepare=True,
        )


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget with what is reserved and spent.

    `currency`: of the prices that it bounds; empty where registered workflows are paid in several.
    """

    client: str
    batch: str | None
    workflow: str | None
    amount: Decimal
    reserved: Decimal
    spent: Decimal
    currency: str = ""

    @property
    def room(self) -> Decimal:
        """What may still be reserved."""
        return self.amount - self.reserved - self.spent


def set_budget(
    connection: Connection,
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


def list_budgets(connection: Connection, client_id: int | None = None) -> list[Budget]:
    """All budgets, or one client's."""
    rows = connection.execute(
        f"""
        select c.slug as client, b.batch_key as batch, g.workflow_slug as workflow, g.amount, g.reserved, g.spent,
               {CURRENCY} as currency
        from budgets g join clients c on c.id = g.client_id left join batches b on b.id = g.batch_id
        where %(client)s::bigint is null or g.client_id = %(client)s
        order by c.slug, b.batch_key nulls first, g.workflow_slug nulls first
        """,
        {"client": client_id},
    ).fetchall()
    return [Budget(**row) for row in rows]
