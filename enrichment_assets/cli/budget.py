"""`enrich budget`: how much a client, a batch or a workflow may spend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.domain.money import Money
    from enrichment_assets.services.operations.budgeting import BudgetReport
    from enrichment_assets.store.money.budgets import Budget

app = typer.Typer(help="Budgets: set, list, remove.", no_args_is_help=True)

Client = Annotated[str, typer.Option("--client", help="The client's slug.")]
Batch = Annotated[str | None, typer.Option("--batch", help="Only this batch of the client.")]
Workflow = Annotated[str | None, typer.Option("--workflow", "-w", help="Only this workflow.")]


@app.command(
    "set",
    context_settings={"ignore_unknown_options": True},  # a negative amount is an amount to refuse, not an option
)
def set_(
    amount: Annotated[str, typer.Argument(help="Exact decimals, in the currency of the workflows' prices.")],
    client: Client,
    batch: Batch = None,
    workflow: Workflow = None,
    as_json: AsJson = False,
) -> None:
    """Set what may be spent at most. What was spent before counts; each budget that covers a call needs room for it.

    A batch whose next call has no room pauses itself; raising the budget lets it go on.

    Example: enrich budget set 250 --client acme --workflow reveal-phone-via-apollo
    """
    from enrichment_assets.services.operations.budgeting import set_budget

    hq = opened_hq()
    report = set_budget(hq, client, amount, batch=batch, workflow=workflow, actor=actor())
    if not as_json:
        whole, spent, reserved, room = _amounts(report.budget)
        say(f"{_scope(report)}: {whole}, of which {spent} spent, {reserved} under way, {room} left")
    _print_reopened(report, as_json=as_json)


@app.command("list")
def list_(
    client: Annotated[str | None, typer.Option("--client", help="Only this client.")] = None, as_json: AsJson = False
) -> None:
    """List budgets with what is spent and under way.

    Example: enrich budget list --client acme
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.operations.budgeting import list_budgets
    from enrichment_assets.services.shapes import operations as shapes

    hq = opened_hq()
    found = list_budgets(hq, client)
    if as_json:
        print_json(map(shapes.Budget.of, found))
        return
    rows = [(budget.client, budget.batch or "all", budget.workflow or "all", *_amounts(budget)) for budget in found]
    columns = ("client", "batch", "workflow", "amount", "spent", "under way", "left")
    nothing = "no budgets: nothing bounds what is spent (`enrich budget set AMOUNT --client SLUG`)"
    print_table(columns, rows, empty=nothing, once=("client",))


@app.command("remove")
def remove(client: Client, batch: Batch = None, workflow: Workflow = None, as_json: AsJson = False) -> None:
    """Remove exactly this budget; others that cover the same calls still bind.

    Example: enrich budget remove --client acme --batch acme-1-apollo-basic-1
    """
    from enrichment_assets.services.operations.budgeting import remove_budget

    hq = opened_hq()
    report = remove_budget(hq, client, batch=batch, workflow=workflow, actor=actor())
    if not as_json:
        say(f"{_scope(report)}: the budget of {_amounts(report.budget)[0]} is removed")
    _print_reopened(report, as_json=as_json)


def _amounts(budget: Budget) -> tuple[Money, Money, Money, Money]:
    """Its amount, what is spent, what is under way, what is left."""
    from enrichment_assets.domain.money import Money

    amount, spent, reserved, room = (
        Money(value, budget.currency) for value in (budget.amount, budget.spent, budget.reserved, budget.room)
    )
    return amount, spent, reserved, room


def _scope(report: BudgetReport) -> str:
    budget = report.budget
    parts = [f"client {budget.client}"]
    parts += [f"batch {budget.batch}"] if budget.batch else []
    parts += [f"workflow {budget.workflow}"] if budget.workflow else []
    return ", ".join(parts)


def _print_reopened(report: BudgetReport, *, as_json: bool) -> None:
    from enrichment_assets.services.shapes import operations as shapes

    if as_json:
        print_json(shapes.BudgetChange.of(report))
        return
    on = "with `enrich up` running by itself, else: `enrich run {}`"
    for batch in report.resumed:
        say(f"batch {batch} had paused for want of money and goes on; {on.format(batch)}")
    for batch, states in report.batches.items():
        say(
            f"batch {batch}: {states} step(s) that it had skipped go on; with `enrich up` running by themselves, "
            f"else: `enrich run {batch}`"
        )
