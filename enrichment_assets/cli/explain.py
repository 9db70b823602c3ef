"""`enrich explain` and `enrich edit`: where the values of one lead come from, and correcting one."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("explain")(explain)
    app.command("edit")(edit)


def explain(
    batch: Annotated[str, typer.Argument(help="The batch's key.")],
    item: Annotated[int, typer.Argument(help="The item's id, as final_leads has it.")],
    column: Annotated[str | None, typer.Argument(help="A column, also of an own workflow; without it, all.")] = None,
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
            [
                "",
                "value",
                "from",
                "provider",
                "fetched",
                "reused from",
                "confidence",
                "verdict",
                "said",
                "by",
                "kind",
                "rule",
                "why not",
            ],
            [
                (
                    "wins" if link.wins else "",
                    link.value,
                    link.source,
                    link.provider,
                    link.fetched_at,
                    link.reused_from_batch,
                    link.confidence,
                    link.verdict,
                    link.said,
                    link.said_by,
                    link.kind,
                    link.rule,
                    link.why_not,
                )
                for link in chain.links
            ],
        )


def edit(
    batch: Annotated[str, typer.Argument(help="The batch's key.")],
    item: Annotated[int, typer.Argument(help="The item's id, as final_leads has it.")],
    column: Annotated[str, typer.Argument(help="A column of the leads, also of an own workflow.")],
    value: Annotated[str | None, typer.Argument(help="The right value; without it, --clear.")] = None,
    by: Annotated[str, typer.Option("--by", help="Who says so.")] = "",
    note: Annotated[str | None, typer.Option("--note", help="Why.")] = None,
    clear: Annotated[bool, typer.Option("--clear", help="The column is to be empty.")] = False,
) -> None:
    """Correct one value of a lead: it beats every source, and nothing is overwritten.

    `enrich export` shows it at once, the published tables from the batch's next extraction on.

    Example: enrich edit acme-1-apollo-basic-1 17 title "Chief of Staff" --by ada --note "from her own page"
    """
    from enrichment_assets.domain.errors import EnrichError
    from enrichment_assets.services.editing import edit_lead
    from enrichment_assets.settings import Settings

    if clear == (value is not None):
        raise EnrichError("Give the right value, or --clear for none, one of the two.")
    edit_lead(Settings.from_environment(), batch, item, column, value, by=by, note=note)
    typer.echo(
        f"Kept. `enrich export {batch} leads` has the new {column} of item {item} at once, the published tables from "
        f"the next extraction on. For `enrich query`: enrich extract {batch}"
    )
