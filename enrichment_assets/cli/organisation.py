"""`enrich organisation ...`: what people say about the names of organisations (docs/models.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.store.insight.organisation_decisions import Decision

app = typer.Typer(
    name="organisation",
    help="Names of organisations: joining two, letting one stand alone; honoured when they are built next.",
    no_args_is_help=True,
)

Client = Annotated[str, typer.Option("--client", help="In whose data.")]
Why = Annotated[str, typer.Option("--reason", help="Why, for those who ask later.")]
_NEXT = "it counts when the tables of one of the client's batches are made next"


@app.command("join")
def join(
    alias: Annotated[str, typer.Argument(help="An alias: name:acme, host:acme.com, linkedin:acme-inc, apollo:5f2...")],
    other: Annotated[str, typer.Argument(help="An alias of the organisation that it is one with.")],
    client: Client,
    reason: Why,
    as_json: AsJson = False,
) -> None:
    """Say that two aliases name one organisation.

    Example: enrich organisation join name:initech name:intertrode --client acme --reason 'one firm since 2020'
    """
    from enrichment_assets.services.insight import organisation_decisions as decisions

    _noted(decisions.join(opened_hq(), client, alias, other, reason, actor=actor()), as_json)


@app.command("part")
def part(
    alias: Annotated[str, typer.Argument(help="An alias: name:acme, host:acme.com, linkedin:acme-inc, apollo:5f2...")],
    client: Client,
    reason: Why,
    as_json: AsJson = False,
) -> None:
    """Say that an alias is an organisation of its own, whatever it is found together with.

    Example: enrich organisation part name:acme --client acme --reason 'two firms of that name'
    """
    from enrichment_assets.services.insight import organisation_decisions as decisions

    _noted(decisions.part(opened_hq(), client, alias, reason, actor=actor()), as_json)


@app.command("undo")
def undo(
    decision: Annotated[int, typer.Argument(help="Its number, of `enrich organisation list`.")],
    client: Client,
    as_json: AsJson = False,
) -> None:
    """Take back what was said.

    Example: enrich organisation undo 3 --client acme
    """
    from enrichment_assets.services.insight import organisation_decisions as decisions
    from enrichment_assets.services.shapes import organisations as shapes

    gone = decisions.undo(opened_hq(), client, decision, actor=actor())
    if as_json:
        print_json(shapes.OrganisationDecision.of(gone))
        return
    say(f"decision {decision} is taken back; {_NEXT}")


@app.command("list")
def list_(
    client: Annotated[str | None, typer.Option("--client", help="Only this client's.")] = None, as_json: AsJson = False
) -> None:
    """Show what was said and counts.

    Example: enrich organisation list
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.services.insight import organisation_decisions as decisions
    from enrichment_assets.services.shapes import organisations as shapes

    found = decisions.list_decisions(opened_hq(), client)
    if as_json:
        print_json(map(shapes.OrganisationDecision.of, found))
        return
    rows = [(one.id, one.client, one.kind, one.alias_key, one.other_key, one.reason, one.actor) for one in found]
    columns = ("decision", "client", "kind", "alias", "with", "why", "said by")
    print_table(columns, rows, empty="nothing was said", brief=("decision", "kind", "alias", "with"))


def _noted(made: Decision, as_json: bool) -> None:
    from enrichment_assets.services.shapes import organisations as shapes

    if as_json:
        print_json(shapes.OrganisationDecision.of(made))
        return
    said = (
        f"{made.alias_key} stands alone" if made.other_key is None else f"{made.alias_key} is one with {made.other_key}"
    )
    say(f"decision {made.id}: {said}; {_NEXT}")
