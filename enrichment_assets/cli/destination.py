"""`enrich destination check`: what a destination lacks before leads can go there (docs/destinations.md)."""

from __future__ import annotations

from typing import Annotated

import typer

from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

app = typer.Typer(name="destination", help="Where leads are delivered to: what is missing there.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `check` a command of its own."""


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
    if as_json:
        print_json(found)
    elif not found.asked:
        say(f"{slug}: {found.provider} cannot be asked; a dry run shows what would be sent there")
    elif not found.lacks:
        say(f"{slug}: nothing is missing there")
    else:
        for number, sentence in enumerate(found.lacks):
            say(f"{slug if number == 0 else ' ' * len(slug)}  {sentence}")
    if found.lacks:
        raise typer.Exit(1)
