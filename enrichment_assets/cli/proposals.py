"""`enrich proposals ...`: a model proposes search queries from what earlier ones came to; a person accepts them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.ids import LARGEST_ID
from enrichment_assets.cli.launch import launch_now, tell_launched
from enrichment_assets.cli.launch_plan import print_plan
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json

if TYPE_CHECKING:
    from enrichment_assets.domain.search_proposals import State

app = typer.Typer(
    name="proposals",
    help="Search queries that a model proposes from what earlier ones came to; accepted ones are in the next plan.",
    no_args_is_help=True,
)


class InState(StrEnum):
    """Where a proposal stands."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


Numbers = Annotated[list[int], typer.Argument(min=1, max=LARGEST_ID, help="The proposals' numbers.")]


@app.command("ask")
def ask(
    batch: Annotated[str, typer.Argument(help="Key of a finished batch of a system that searches.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would call and cost.")] = False,
) -> None:
    """Let a model read what each query of a batch came to, and propose others: a small batch of its own.

    Example: enrich proposals ask acme-1-fs-prospecting-1
    """
    from enrichment_assets.domain.search_proposals import PIPELINE
    from enrichment_assets.services.batches.launching import plan_launch
    from enrichment_assets.services.review.proposing import upload_yields
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    client, upload = upload_yields(hq, settings, batch, actor=actor())
    if dry_run:
        print_plan(plan_launch(hq, settings, upload.upload_id, PIPELINE, client=client), fresh=False)
        return
    tell_launched(*launch_now(hq, settings, str(upload.upload_id), PIPELINE, client=client))


@app.command("list")
def list_(
    client: Annotated[str | None, typer.Option("--client", help="Of this client.")] = None,
    state: Annotated[InState | None, typer.Option("--state", help="Those that stand so.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what was proposed, the latest first. None of it is searched for before somebody accepts it.

    Example: enrich proposals list --client acme --state proposed
    """
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.domain.search_proposals import State
    from enrichment_assets.services.review.proposing import list_proposals
    from enrichment_assets.services.shapes import proposals as shapes

    found = list_proposals(opened_hq(), client=client, state=None if state is None else State(state.value))
    if as_json:
        print_json(map(shapes.SearchProposal.of, found))
        return
    rows = [(p.id, p.client, p.industry, p.template, p.reason, p.state.value, p.decided_by) for p in found]
    columns = ("id", "client", "industry", "query", "reason", "state", "decided by")
    brief = ("id", "query", "reason", "state")
    print_table(columns, rows, once=("client",), brief=brief, empty="nothing was proposed")


@app.command("accept")
def accept(numbers: Numbers, as_json: AsJson = False) -> None:
    """Accept proposals: the client's next search plan asks them, too.

    Example: enrich proposals accept 3 4
    """
    from enrichment_assets.domain.search_proposals import State

    _decide(numbers, State.ACCEPTED, as_json)


@app.command("reject")
def reject(numbers: Numbers, as_json: AsJson = False) -> None:
    """Reject proposals, accepted ones too: no further plan asks them.

    Example: enrich proposals reject 5
    """
    from enrichment_assets.domain.search_proposals import State

    _decide(numbers, State.REJECTED, as_json)


def _decide(numbers: list[int], state: State, as_json: bool) -> None:
    from enrichment_assets.cli.sentences import say
    from enrichment_assets.services.review.proposing import decide
    from enrichment_assets.services.shapes import proposals as shapes

    done = decide(opened_hq(), numbers, state, actor=actor())
    if as_json:
        print_json(map(shapes.SearchProposal.of, done))
        return
    for one in done:
        say(f"{one.id} {one.state.value}: {one.template}")
