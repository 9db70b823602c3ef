"""`enrich launch`: one upload through one pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.launch_plan import print_plan, replaced_by_simulator, say_of_plan
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say
from enrichment_assets.domain.known_policy import Known
from enrichment_assets.domain.priorities import Priority

if TYPE_CHECKING:
    from enrichment_assets.installation.running_stack import RunningStack
    from enrichment_assets.services.batches.launching import Launched
    from enrichment_assets.services.batches.partitions import Partitions
    from enrichment_assets.settings import Settings
    from enrichment_assets.store.hq import Hq


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(launch)


def launch(
    upload: Annotated[str, typer.Argument(help="The upload's id, or six or more digits of its SHA-256.")],
    pipeline: Annotated[str, typer.Option("--pipeline", help="The pipeline's slug.")],
    client: Annotated[
        str | None, typer.Option("--client", help="Needed only if two clients have the same file.")
    ] = None,
    batch: Annotated[
        str | None, typer.Option("--batch", help="Key of the batch; default CLIENT-UPLOAD-PIPELINE-N.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "--pilot", min=1, help="The first N rows. Launch again without it for the rest."),
    ] = None,
    replaced: Annotated[
        str | None,
        typer.Option("--replace", help="A batch to give up for this one: what it paid for is taken, then archived."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Take no answers of earlier batches, whatever `reuse_for` says.")
    ] = False,
    priority: Annotated[
        Priority | None,
        typer.Option("--priority", help="How urgent it is beside the client's other batches: low, normal, high."),
    ] = None,
    target: Annotated[
        int | None,
        typer.Option("--target", min=1, help="So many prospects at most, where the pipeline counts them."),
    ] = None,
    known: Annotated[
        Known | None,
        typer.Option(
            "--known",
            help="Leads that the client has from earlier batches, by address, profile or host: skip them, or refresh.",
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option("--budget", help="What this batch may spend at most, from its first call on; then it pauses."),
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help="COLUMN=field, repeatable: what a column is that upload did not recognise."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be called and what it costs.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Launch a batch: snapshot the pipeline, the workflows and the client's config, and add the Dagster partition.

    With --dry-run nothing is written: it prints the calls and the cost at most, and what is missing.

    With --pilot 100 (or --limit, the same) it is a pilot of the first 100 rows, and stops there for a look. The same
    launch without it (or with a higher one) adds the rest to that batch: no row is asked about twice.

    Example: enrich launch 12 --pipeline apollo-basic --pilot 100 --dry-run
    """
    from enrichment_assets.domain.errors import EnrichError
    from enrichment_assets.services.batches.launching import plan_launch
    from enrichment_assets.services.shapes import launches as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    if mapping:
        from enrichment_assets.services.batches.launching import map_columns
        from enrichment_assets.services.uploads.options import parse_mapping

        upload = str(map_columns(hq, settings, upload, parse_mapping(mapping), client, actor=actor()))
    _warn(hq, settings, upload, pipeline, client)
    if dry_run:
        plan = plan_launch(
            hq,
            settings,
            upload,
            pipeline,
            client=client,
            batch_key=batch,
            limit=limit,
            replacing=replaced is not None,
            target=target,
            known=known,
        )
        if as_json:
            print_json(shapes.LaunchPlan.of(plan))
        else:
            print_plan(plan, fresh=fresh)
        return
    if replaced is not None:
        from enrichment_assets.assets.instance import InstancePartitions
        from enrichment_assets.installation.running_stack import running_stack

        if fresh:
            raise EnrichError(
                "--replace takes what the other batch paid for, --fresh takes nothing: one of the two",
                code="option.replace_or_fresh",
            )
        stack, partitions = running_stack(settings), InstancePartitions(settings)
        launched = _launch_instead(
            hq, settings, replaced, upload, pipeline, partitions, client, batch, limit, priority, known, budget
        )
        if stack is not None and launched.created:
            _start(hq, settings, stack, launched)
    else:
        launched, stack = launch_now(
            hq,
            settings,
            upload,
            pipeline,
            client=client,
            batch=batch,
            fresh=fresh,
            limit=limit,
            priority=priority,
            target=target,
            known=known,
            budget=budget,
        )
    if as_json:
        print_json(shapes.Launch.of(launched))
    else:
        tell_launched(launched, stack)


def launch_now(
    hq: Hq,
    settings: Settings,
    upload: str,
    pipeline: str,
    *,
    client: str | None = None,
    batch: str | None = None,
    fresh: bool = False,
    limit: int | None = None,
    priority: Priority | None = None,
    target: int | None = None,
    known: Known | None = None,
    budget: str | None = None,
    by_phase: bool = False,
) -> tuple[Launched, RunningStack | None]:
    """Launch as whoever is at the command line. Raises as `launching.launch`."""
    from enrichment_assets.assets.launching import launch_and_start

    return launch_and_start(
        hq,
        settings,
        upload,
        pipeline,
        actor=actor(),
        client=client,
        batch=batch,
        fresh=fresh,
        limit=limit,
        priority=priority,
        target=target,
        known=known,
        budget=budget,
        by_phase=by_phase,
    )


def _start(hq: Hq, settings: Settings, stack: RunningStack, launched: Launched) -> None:
    from enrichment_assets.assets.instance import start_run

    start_run(hq, settings, stack.webserver, launched.batch_key)


def tell_launched(launched: Launched, stack: RunningStack | None) -> None:
    """Say that a batch is there, and what comes next."""
    say(f"batch {launched.batch_key} {_done(launched)}: {launched.items} items, {len(launched.steps)} steps")
    if launched.limit is not None:
        say(f"it is a pilot of {launched.limit} rows; for the rest launch it again without --limit")
    for slug, address in launched.replaced:
        say_of_plan("replaced", replaced_by_simulator(slug, address))
    if launched.created and launched.beside:
        say(
            f"note: {launched.beside[0]} has the same upload and pipeline; this batch asks and pays again, but for "
            "workflows with reuse_for",
            err=True,
        )
    if stack is None:
        say(f"next: enrich run {launched.batch_key} --wait")
        say(f"  or: enrich status {launched.batch_key}")
    else:
        say("the running `enrich up` works on it from here, callbacks included")
        say(f"next: enrich status {launched.batch_key}")


def _warn(hq: Hq, settings: Settings, upload: str, pipeline: str, client: str | None) -> None:
    """Say what the running `enrich up` lacks for this batch: it would start at once, and stand still."""
    from enrichment_assets.cli.standing import print_hindrances
    from enrichment_assets.services.batches.foresight import before_launch

    found = before_launch(hq, settings, upload, pipeline, client)
    if found:
        say("warning: the running `enrich up` could not call everything of this batch:", err=True)
        print_hindrances(found, err=True)


def _done(launched: Launched) -> str:
    if launched.created:
        return "launched"
    if launched.added:
        return f"goes on with {launched.added} more rows"
    return "was launched already; its partition is there"


def _launch_instead(
    hq: Hq,
    settings: Settings,
    replaced: str,
    upload: str,
    pipeline: str,
    partitions: Partitions,
    client: str | None,
    batch: str | None,
    limit: int | None,
    priority: Priority | None,
    known: Known | None,
    budget: str | None,
) -> Launched:
    from enrichment_assets.services.batches.replacing import launch_instead

    done = launch_instead(
        hq,
        settings,
        replaced,
        upload,
        pipeline,
        partitions=partitions,
        client=client,
        batch_key=batch,
        limit=limit,
        priority=priority,
        known=known,
        budget=budget,
        actor=actor(),
    )
    gone = done.given_up
    say(f"batch {replaced} is given up and archived: {gone.skipped} steps of it are never asked", err=True)
    if gone.under_way:
        say(f"{gone.under_way} steps of it are under way; their answers are waited for and taken", err=True)
    if gone.ambiguous:
        say(
            f"{gone.ambiguous} of its calls have an unknown fate and may be paid again: enrich resolve {replaced}",
            err=True,
        )
    return done.launched
