"""`enrich destination ...`: where leads can go, and what a destination lacks before they can (docs/destinations.md)."""

from __future__ import annotations

from typing import Annotated

import typer

from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

app = typer.Typer(name="destination", help="Where leads can go, and what is missing there.", no_args_is_help=True)


@app.command("list")
def list_(
    client: Annotated[
        str | None, typer.Option("--client", help="As this client's settings have them; default: as registered.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the deliveries that there are, and whether they are switched on.

    Example: enrich destination list --client acme
    """
    from enrichment_assets.services.deliveries.destinations import list_destinations
    from enrichment_assets.services.shapes.deliveries import Destination
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    found = list_destinations(opened_hq(settings), client)
    if as_json:
        print_json([Destination.of(one) for one in found])
        return
    from enrichment_assets.cli.tables import print_table

    print_table(
        ("destination", "provider", "enabled", "approval", "gate", "title"),
        [(one.slug, one.provider, one.enabled, one.approval, one.gate, one.title) for one in found],
        empty="no deliveries are registered: enrich workflow add FILE.yaml",
    )


@app.command("check")
def check(
    slug: Annotated[str, typer.Argument(help="The delivery's slug.")],
    client: Annotated[str, typer.Option("--client", help="Whose settings it has.")],
    as_json: AsJson = False,
) -> None:
    """Ask a destination what it lacks: fields, a place for our key, rights; nothing is changed there.

    Ends with exit code 1 where something is missing.

    Example: enrich destination check hubspot-contacts --client acme
    """
    from enrichment_assets.providers import build_providers
    from enrichment_assets.services.deliveries.checking import check_destination
    from enrichment_assets.services.shapes.deliveries import DestinationCheck
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    providers = build_providers(settings.sandbox_url)
    checked = check_destination(opened_hq(settings), client, slug, providers, settings.sandbox_url)
    found = DestinationCheck.of(client, checked)
    name = f"{slug} (sandbox)" if found.simulated else slug
    if as_json:
        print_json(found)
    elif not found.asked:
        say(f"{name}: {found.provider} cannot be asked; a dry run shows what would be sent there")
    elif not found.lacks:
        say(f"{name}: nothing is missing there")
    else:
        for number, sentence in enumerate(found.lacks):
            say(f"{name if number == 0 else ' ' * len(name)}  {sentence}")
    if found.lacks:
        raise typer.Exit(1)
