"""`enrich explain`: where the values of one lead come from."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("explain")(explain)


def explain(
    batch: Annotated[str, typer.Argument(help="The batch's key.")],
    item: Annotated[int, typer.Argument(help="The item's id, as final_leads has it.")],
    column: Annotated[str | None, typer.Argument(help="A column of final_leads; without it, all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Show every value there was for a lead, winners and losers, from the uploaded cell to the final one, and why.

    Example: enrich explain acme-1-apollo-basic-1 17 email
    """
    from enrichment_assets.services.explain import explain_lead
    from enrichment_assets.settings import Settings

    chains = explain_lead(Settings.from_environment(), batch, item, column)
    if as_json:
        typer.echo(json.dumps([chain.as_json() for chain in chains], indent=2, default=str))
        return
    from enrichment_assets.cli.tables import print_rows

    for chain in chains:
        typer.echo(f"\n{chain.field} = {chain.final!r}  ({chain.because})")
        print_rows(
            ["", "value", "from", "provider", "fetched", "confidence", "verdict", "rule"],
            [
                (
                    "wins" if link.wins else "",
                    link.value,
                    link.source,
                    link.provider,
                    link.fetched_at,
                    link.confidence,
                    link.verdict,
                    link.rule,
                )
                for link in chain.links
            ],
        )
