"""`enrich discover`: a search plan as an upload, and its launch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.launch import launch_now, tell_launched
from enrichment_assets.cli.launch_plan import print_plan
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say
from enrichment_assets.domain.known_policy import Known
from enrichment_assets.domain.priorities import Priority

TARGET = 200


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("discover")(discover)


def discover(
    system: Annotated[str, typer.Argument(help="Which search templates are used: fs (the web), fs-people (Apollo).")],
    industry: Annotated[
        list[str] | None, typer.Option("--industry", help="Repeatable; default: all that the system has.")
    ] = None,
    region: Annotated[
        list[str] | None, typer.Option("--region", help="Repeatable: 'Boston, MA'. Needed without --plan.")
    ] = None,
    target: Annotated[
        int, typer.Option("--target", min=1, help="Prospects that the batch has at most; nobody is asked for more.")
    ] = TARGET,
    plan: Annotated[
        Path | None, typer.Option("--plan", help="A plan of your own: a table with a column `query`.")
    ] = None,
    client: Annotated[
        str | None,
        typer.Option("--client", "-c", help="Whose prospects they are; needed if there are several clients."),
    ] = None,
    pipeline: Annotated[str | None, typer.Option("--pipeline", help="Another pipeline than the system's.")] = None,
    priority: Annotated[
        Priority | None, typer.Option("--priority", help="How urgent it is: low, normal, high.")
    ] = None,
    known: Annotated[
        Known | None,
        typer.Option(
            "--known", help="Companies and people that the client has from earlier batches: skip, or refresh."
        ),
    ] = None,
    by_phase: Annotated[
        bool,
        typer.Option(
            "--by-phase", help="Nothing goes on by itself: each phase is run by hand, backfilled or scheduled."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Keep the plan as an upload and say what a launch would call and cost.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look for prospects: make a search plan, one row a query, keep it as an upload, and launch it.

    What is searched for stands in the system's templates (docs/fs.md): each industry has some queries, each region its
    place in them. Companies are taken out of the results by a rule, people out of their pages.

    Example: enrich discover fs --industry wealth-management --region "Boston, MA" --target 200 --dry-run

    Example: enrich discover fs --plan queries.csv --client acme
    """
    from enrichment_assets.services.batches.launching import plan_launch
    from enrichment_assets.services.shapes import launches as shapes
    from enrichment_assets.services.uploads import search_plans
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    searches = search_plans.searches_of(system)
    whose = search_plans.client_or_only(hq, client)
    if plan is not None:
        search_plans.refuse_both(industry, region)
        upload = search_plans.upload_own_plan(hq, settings, plan, whose, actor=actor())
    else:
        upload = search_plans.upload_plan(
            hq,
            settings,
            searches,
            whose,
            industries=industry or (),
            regions=region or (),
            target=target,
            actor=actor(),
        )
    slug = pipeline or searches.pipeline
    if not as_json:
        again = " (known already)" if upload.already_known else ""
        say(f"plan: {upload.rows} queries, upload {upload.upload_id}{again}; at most {target} prospects")
    if dry_run:
        planned = plan_launch(hq, settings, upload.upload_id, slug, client=whose, target=target, known=known)
        if as_json:
            print_json(shapes.LaunchPlan.of(planned))
        else:
            print_plan(planned, fresh=False)
        return
    launched, stack = launch_now(
        hq,
        settings,
        str(upload.upload_id),
        slug,
        client=whose,
        priority=priority,
        target=target,
        known=known,
        by_phase=by_phase,
    )
    if as_json:
        print_json(shapes.Launch.of(launched))
    elif by_phase:
        say(f"batch {launched.batch_key} launched: {launched.items} items, {len(launched.steps)} steps")
        say(f"next: materialise it with the jobs {system}_... in Dagster, phase by phase, or switch their schedules on")
    else:
        tell_launched(launched, stack)
