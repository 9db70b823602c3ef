"""`enrich deliver`: the leads of a batch to where they belong, or what that would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say
from enrichment_assets.cli.stopping import stoppable
from enrichment_assets.domain.delivery_courses import reason_in_words

if TYPE_CHECKING:
    from enrichment_assets.services.shapes.deliveries import LeadDelivery


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("deliver")(deliver)


def deliver(
    batch: Annotated[str, typer.Argument(help="The batch's key.")],
    to: Annotated[
        list[str] | None, typer.Option("--to", help="Where (may be repeated); default: where its pipeline says.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            help="Only leads for which this holds, as COLUMN=VALUE (= != >= <= > <, ~ contains); may be repeated.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be made, written again, left alone and refused.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Deliver the finished leads of a batch: each once, again where it changed, never where it may not go.

    A lead that was delivered from another batch is written again there, not made a second time. Unchanged ones are left
    alone. Ctrl-C lets the calls under way finish; asked again, it goes on from there.

    Example: enrich deliver acme-1-apollo-basic-1 --to deliver-to-webhook --dry-run
    """
    from enrichment_assets.providers import build_providers
    from enrichment_assets.services.deliveries.delivering import deliver as delivered
    from enrichment_assets.services.deliveries.delivering import plan_deliveries
    from enrichment_assets.services.shapes.deliveries import LeadDelivery
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    if dry_run:
        plans = plan_deliveries(hq, settings, batch, to or [], where or [])
        found = [LeadDelivery.of(batch, plan) for plan in plans]
    else:
        providers = build_providers(settings.sandbox_url)
        with stoppable() as stop:
            done = delivered(hq, settings, batch, to or [], where or [], actor=actor(), providers=providers, stop=stop)
        found = [LeadDelivery.of(batch, plan, done.stands, done.stopped) for plan in done.plans]
    if as_json:
        print_json(found)
        return
    for one in found:
        print_delivery(one)
    if dry_run:
        say("nothing was sent; without --dry-run it is", err=True)


def print_delivery(one: LeadDelivery) -> None:
    """What became of leads at one destination, for a person."""
    say(f"{one.destination}{' (sandbox)' if one.simulated else ''}: {one.leads:,} leads")
    say(f"  made there     {one.created:,}")
    say(f"  written again  {one.updated:,}")
    if one.asked:
        say(f"  asked about    {one.asked:,}: nobody knows whether they were made")
    if one.not_chosen:
        say(f"  not chosen     {one.not_chosen:,}")
    if one.under_way:
        say(f"  under way      {one.under_way:,}: another run works on them")
    _print_reasons("left alone", one.left)
    _print_reasons("refused", one.refused)
    if one.stands is not None:
        stands = ", ".join(f"{number:,} {word}" for word, number in one.stands.items())
        say(f"  now            {stands or 'nothing'}")
        _print_reasons("not taken", one.failed or {})
    if one.stopped is not None:
        say(f"  stopped        {one.stopped}")


def _print_reasons(title: str, reasons: Mapping[str, int]) -> None:
    ordered: Sequence[tuple[str, int]] = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    for number, (reason, leads) in enumerate(ordered):
        say(f"  {title if number == 0 else '':<14} {leads:,} {reason_in_words(reason)}")
