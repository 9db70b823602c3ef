"""`enrich freshness`: leads that were not verified for a while form a batch (docs/freshness.md)."""

from __future__ import annotations

from typing import Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("freshness")(freshness)


def freshness(
    client: Annotated[str, typer.Option("--client", help="Whose leads.")],
    launch: Annotated[
        bool, typer.Option("--launch/--dry-run", help="Make the batch of this month; else only say what it would cost.")
    ] = False,
    days: Annotated[int, typer.Option("--days", min=1, max=3_650, help="Not verified for so many days.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Ask again about leads that nobody has verified for 30 days: is the job still theirs, does the address take mail.

    There is one batch for each client and month; without --launch it only says how many leads, and the cost at most.

    Example: enrich freshness --client acme --dry-run
    """
    from datetime import UTC, datetime

    from enrichment_assets.assets.instance import InstancePartitions
    from enrichment_assets.domain.money import Money
    from enrichment_assets.services.freshness.gathering import launch_freshness, plan_freshness
    from enrichment_assets.services.shapes import launches as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq, today = opened_hq(settings), datetime.now(UTC).date()
    if not launch:
        plan = plan_freshness(hq, settings, client, today, days=days)
        if as_json:
            print_json(shapes.FreshnessPlan.of(plan))
            return
        say(f"{plan.leads:,} leads were not verified since {plan.until}")
        if not plan.leads:
            return  # nothing would be asked: neither a price nor a missing key matters
        for step in (one for one in plan.steps if one.provider != "local"):
            say(f"  {step.slug}: {step.calls_at_most:,} calls at most")
        cost = ", ".join(str(Money(amount, currency)) for currency, amount in plan.cost_at_most.items())
        say(f"cost      at most {cost}")
        for problem in plan.problems:
            say(f"problem   {problem}")
        if plan.exists:
            say(f"batch {plan.batch} of this month is there already")
        elif not plan.problems:
            say(f"next: enrich freshness --client {client} --launch")
        return
    add = InstancePartitions(settings).add
    launched = launch_freshness(hq, settings, client, today, actor=actor(), add_partition=add, days=days)
    if as_json:
        print_json(() if launched is None else (shapes.Launch.of(launched),))
        return
    if launched is None:
        say(f"no lead of client {client} has to be asked about")
        return
    made = "launched" if launched.created else "is there already"
    say(f"batch {launched.batch_key} {made}: {launched.items} leads")
    say(f"next: enrich run {launched.batch_key} --wait")
