"""Budgets as people set them, and the work that more money sets free: the services behind `enrich budget`.

A budget covers a client, one of its batches, or a workflow of either; of all that cover a call, each has to have room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.money import checked_amount
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.versions import Seen, version_of
from enrichment_assets.services.catalog.clients import no_such_workflow
from enrichment_assets.services.catalog.known_clients import client_row
from enrichment_assets.services.catalog.seeding import seed_builtins
from enrichment_assets.services.operations.recovery import in_transaction, wake_again
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.batches import budget_holds
from enrichment_assets.store.catalog import registry
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.money import budget_changes, budgets
from enrichment_assets.store.money.budget_changes import Scope
from enrichment_assets.store.money.budgets import Budget
from enrichment_assets.store.money.spending import Spent, spent_since
from enrichment_assets.store.states import recovery, reopening
from enrichment_assets.store.states.transitions import StepFacts


@dataclass(frozen=True, slots=True)
class BudgetReport:
    """What a change of a budget came to.

    Attributes:
        budget: The budget as it is now, or as it was when it was removed.
        before: Its former amount; None: it is new.
        resumed: Keys of the batches that were paused for want of this money and go on.
        batches: Batch key -> steps that were skipped for want of money and are PENDING again.
        reopened: Steps PENDING again that were skipped because one of those had not answered.
    """

    budget: Budget
    before: Decimal | None
    batches: Mapping[str, int]
    reopened: int
    resumed: tuple[str, ...] = ()


Changed = tuple[Scope, BudgetReport, list[int]]
"""What was changed: where, what that came to, and the ids of the batches that go on."""


def set_budget(
    hq: Hq,
    client: str,
    amount: Decimal | str,
    *,
    actor: Actor,
    batch: str | None = None,
    workflow: str | None = None,
    seen: Seen | None = None,
) -> BudgetReport:
    """Create or change a budget. One that is raised lets go on what it had paused.

    `seen`: what of the client's budgets whoever changes one has seen (`seen_as`); None: they do not say.

    Raises:
        ChangedMeanwhileError: The budgets are others than they have seen.
        NotFoundError: no such client, batch of this client, or workflow.
        ConfigurationError: the amount is negative or no number.
    """
    exact = checked_amount(amount)

    def change(connection: Connection) -> Changed:
        scope = _scope(connection, client, batch, workflow)
        budget_changes.take_turn(connection, scope.client_id)
        if seen is not None:
            now = seen_as(budgets.list_budgets(connection, scope.client_id))
            seen.check(now, f"what the client {client} may spend")
        before = budget_changes.find_budget(connection, scope)
        budgets.set_budget(connection, scope.client_id, scope.batch_id, scope.workflow, exact)
        after = budget_changes.find_budget(connection, scope)
        assert after is not None, "a budget that was just set is there"  # noqa: S101
        report = BudgetReport(after, before.amount if before else None, {}, 0)
        if before is None or exact != before.amount:
            _note(connection, actor, Code.BUDGET_SET, scope, before, after)
        if before is None or exact <= before.amount:
            return scope, report, []
        return _reopened(connection, scope, report)

    return _committed(hq, actor, change)


def budget_of_batch(connection: Connection, client_id: int, batch_id: int, amount: Decimal, *, actor: Actor) -> Budget:
    """Give a batch that is launched its budget, in the transaction of the launch; again it is the same one.

    Raises:
        ConfigurationError: It has another budget, which only who may change budgets changes.
    """
    scope = Scope(client_id, batch_id, None)
    budget_changes.take_turn(connection, client_id)
    before = budget_changes.find_budget(connection, scope)
    if before is not None:
        if before.amount == amount:
            return before
        raise ConfigurationError(
            f"batch {before.batch} has a budget of {before.amount.normalize():f} already: change that one, or launch "
            "without a budget",
            Hint(Action.LIST_BUDGETS),
            code="launch.budget_is_set",
        )
    budgets.set_budget(connection, client_id, batch_id, None, amount)
    after = budget_changes.find_budget(connection, scope)
    assert after is not None, "a budget that was just set is there"  # noqa: S101
    _note(connection, actor, Code.BUDGET_SET, scope, None, after)
    return after


def remove_budget(
    hq: Hq, client: str, *, actor: Actor, batch: str | None = None, workflow: str | None = None
) -> BudgetReport:
    """Remove a budget: spending in its scope is then bound by the others only. What it had paused goes on.

    Raises `NotFoundError` as `set_budget`, and where there is no such budget.
    """

    def change(connection: Connection) -> Changed:
        scope = _scope(connection, client, batch, workflow)
        budget_changes.take_turn(connection, scope.client_id)
        before = budget_changes.find_budget(connection, scope)
        if before is None:
            raise NotFoundError("there is no such budget", Hint(Action.LIST_BUDGETS), code="budget.not_found")
        budget_changes.remove_budget(connection, scope)
        _note(connection, actor, Code.BUDGET_REMOVE, scope, before, None)
        return _reopened(connection, scope, BudgetReport(before, before.amount, {}, 0))

    return _committed(hq, actor, change)


def _note(
    connection: Connection, actor: Actor, code: Code, scope: Scope, before: Budget | None, after: Budget | None
) -> None:
    """Write down a budget's amount before and after; it is called by what it covers, as `acme/acme-1-basic-1`."""
    budget = after or before
    assert budget is not None  # noqa: S101
    amounts = [None if one is None else {"amount": one.amount, "currency": one.currency} for one in (before, after)]
    note_action(
        connection,
        actor,
        code,
        "/".join(filter(None, (budget.client, budget.batch, budget.workflow))),
        client_id=scope.client_id,
        batch_id=scope.batch_id,
        before=amounts[0],
        after=amounts[1],
    )


def list_budgets(hq: Hq, client: str | None = None) -> list[Budget]:
    """All budgets, or one client's. Raises `NotFoundError` for a client that does not exist."""

    def read(connection: Connection) -> list[Budget]:
        return budgets.list_budgets(connection, None if client is None else _client_id(connection, client))

    return in_transaction(hq, read)


def seen_as(found: Iterable[Budget]) -> str:
    """The version of a client's budgets that whoever changes one has to have seen: of amounts, not of what is spent."""
    return version_of([[one.batch, one.workflow, f"{one.amount.normalize():f}"] for one in found])


def spending(hq: Hq, client: str | None = None) -> list[Spent]:
    """What was spent today (`lately`) and this month (`all`), by the days of UTC, of a client or of all.

    Raises `NotFoundError` for a client that does not exist.
    """
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    def read(connection: Connection) -> list[Spent]:
        if client is not None:
            _client_id(connection, client)
        return spent_since(connection, client, today.replace(day=1), today)

    return in_transaction(hq, read)


def _committed(hq: Hq, actor: Actor, change: Callable[[Connection], Changed]) -> BudgetReport:
    """Commit the change, then end the pauses that it makes needless.

    In a transaction of its own: who pauses a batch for want of money locks the batch, then its budgets, and it sees the
    new amount or has paused before.
    """
    scope, report, batch_ids = in_transaction(hq, change)
    is_more = report.before is not None and report.budget.amount >= report.before
    resumed = in_transaction(hq, lambda connection: budget_holds.lift(connection, scope, actor)) if is_more else {}
    wake_again(hq, [*batch_ids, *resumed.values()])
    return replace(report, resumed=tuple(resumed))


def _reopened(connection: Connection, scope: Scope, report: BudgetReport) -> Changed:
    """Reopen what was skipped for want of money in the scope, and wake its batches."""
    batches = reopening.reopen_affordable(connection, scope.client_id, scope.batch_id, scope.workflow)
    dependents = 0
    for batch in batches:
        facts = StepFacts.of(Blueprint.model_validate(batch.blueprint))
        dependents += reopening.reopen_dependents(connection, batch.states, facts)
        recovery.wake_batch(connection, batch.batch_id)
    counts = {batch.batch_key: len(batch.states) for batch in batches}
    return scope, replace(report, batches=counts, reopened=dependents), [batch.batch_id for batch in batches]


def _scope(connection: Connection, client: str, batch: str | None, workflow: str | None) -> Scope:
    client_id = _client_id(connection, client)
    batch_id = None
    if batch is not None:
        batch_id = budget_changes.batch_id_of(connection, client_id, batch)
        if batch_id is None:
            raise NotFoundError(
                f"client {client} has no batch {batch!r}",
                Hint(Action.LIST_BATCHES_OF, {"client": client}),
                code="batch.not_found",
            )
    if workflow is not None:
        seed_builtins(connection)  # in a new home nothing may have asked for the registry yet
    if workflow is not None and not budget_changes.workflow_exists(connection, workflow):
        slugs = [row["workflow_slug"] for row in registry.list_workflow_rows(connection)]
        raise no_such_workflow(workflow, slugs)
    return Scope(client_id, batch_id, workflow)


def _client_id(connection: Connection, slug: str) -> int:
    return int(client_row(connection, slug, archived=True)["id"])
