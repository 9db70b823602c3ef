"""`enrich explain` and `enrich edit`: where the values of one lead come from, and correcting one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.services.insight.explain import Chain, Link


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("explain")(explain)
    app.command("edit")(edit)


def explain(
    batch: Annotated[str, typer.Argument(help="The batch's key.")],
    item: Annotated[int, typer.Argument(help="The item's id, as final_leads has it.")],
    column: Annotated[str | None, typer.Argument(help="A column, also of an own workflow; without it, all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show every value there was for a lead, winners and losers, from the uploaded cell to the final one, and why.

    Example: enrich explain acme-1-apollo-basic-1 17 email
    """
    from enrichment_assets.services.insight.explain import explain_lead
    from enrichment_assets.services.shapes import leads as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    chains = explain_lead(hq, settings, batch, item, column)
    if as_json:
        print_json(map(shapes.LeadField.of, chains))
        return
    _print_chains(batch, item, chains)


def _print_chains(batch: str, item: int, chains: Sequence[Chain]) -> None:
    """One table for all fields: the value that is shown first, then the others of the field."""
    from enrichment_assets.cli.tables import print_table

    rows: list[tuple[object, ...]] = []
    for chain in chains:
        if not chain.links:
            rows.append((chain.field, *[None] * 13, chain.because))
        for link in chain.links:
            rows.append(
                (
                    chain.field,
                    link.value,
                    link.wins,
                    link.source,
                    link.provider or link.source,
                    link.fetched_at,
                    link.reused_from_batch,
                    link.confidence,
                    link.verdict,
                    _said(link),
                    link.kind,
                    link.rule,
                    link.profile_version,
                    _cited(link),
                    f"shown: {chain.because}" if link.wins else link.why_not,
                )
            )
    columns = ("field", "value", "shown", "from", "provider", "fetched", "reused from", "confidence", "verdict", "said",
               "kind", "rule", "profile", "cited", "why")  # fmt: skip
    print_table(
        columns,
        rows,
        title=f"batch {batch}, item {item}",
        empty="nobody gave a value",
        brief=("field", "value", "provider", "why") if len(chains) > 1 else (),
    )


def _said(link: Link) -> str | None:
    """The verdict in the words of who gave it."""
    return f"{link.said} ({link.said_by})" if link.said and link.said_by else link.said


def _cited(link: Link) -> str | None:
    """The words that a grounded value stands in, and where: `"We are 40 people" (homepage_text, 812)`."""
    shown = [f'"{one["quote"]}" ({one["input"]}, {one["start"]})' for one in link.citations]
    return "; ".join(shown) or None


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
    from enrichment_assets.services.insight.editing import edit_lead
    from enrichment_assets.settings import Settings

    if clear == (value is not None):
        raise EnrichError("Give the right value, or --clear for none, one of the two.", code="option.value_or_clear")
    settings = Settings.from_environment()
    edit_lead(opened_hq(settings), settings, batch, item, column, value, by=by, note=note, actor=actor())
    say(
        f"Kept. `enrich export {batch} leads` has the new {column} of item {item} at once, the published tables from "
        f"the next extraction on. For `enrich query`: enrich extract {batch}"
    )
