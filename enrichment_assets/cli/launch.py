"""`enrich launch`: one upload through one pipeline."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say
from enrichment_assets.domain.known_policy import Known
from enrichment_assets.domain.priorities import Priority

if TYPE_CHECKING:
    from enrichment_assets.installation.running_stack import RunningStack
    from enrichment_assets.services.batches.launching import Launched, LaunchPlan, StepPlan
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
            hq, settings, replaced, upload, pipeline, partitions, client, batch, limit, priority, known
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
) -> tuple[Launched, RunningStack | None]:
    """Launch, and have the running `enrich up`, if there is one, begin at once. Raises as `launching.launch`."""
    from enrichment_assets.assets.instance import InstancePartitions
    from enrichment_assets.installation.running_stack import running_stack
    from enrichment_assets.services.batches.launching import launch as launch_batch
    from enrichment_assets.store.states.groups import GRACE

    stack = running_stack(settings)
    launched = launch_batch(
        hq,
        settings,
        upload,
        pipeline,
        add_partition=InstancePartitions(settings).add,
        client=client,
        batch_key=batch,
        fresh=fresh,
        limit=limit,
        priority=priority,
        actor=actor(),
        starts_in=timedelta(0) if stack is None else GRACE,
        target=target,
        known=known,
    )
    if stack is not None and launched.created:
        _start(hq, settings, stack, launched)
    return launched, stack


def _start(hq: Hq, settings: Settings, stack: RunningStack, launched: Launched) -> None:
    from enrichment_assets.assets.instance import start_run

    start_run(hq, settings, stack.webserver, launched.batch_key)


def tell_launched(launched: Launched, stack: RunningStack | None) -> None:
    """Say that a batch is there, and what comes next."""
    say(f"batch {launched.batch_key} {_done(launched)}: {launched.items} items, {len(launched.steps)} steps")
    if launched.limit is not None:
        say(f"it is a pilot of {launched.limit} rows; for the rest launch it again without --limit")
    for slug, address in launched.replaced:
        _say("replaced", _replaced(slug, address))
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


def print_plan(plan: LaunchPlan, *, fresh: bool) -> None:
    """Print what a launch would call, and what that costs at most."""
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.domain.money import of_currencies, shown_sum

    companies = "" if plan.companies is None else f", {plan.companies} companies"
    _say("batch", f"{plan.batch_key} (client {plan.client}, pipeline {plan.pipeline})")
    _say("upload", f"{plan.upload_id}, {plan.filename}: {plan.rows} rows, {plan.rejected} rejected{companies}")
    if plan.rows_before:
        _say("rows", f"{plan.items} more; {plan.rows_before} rows of the pilot are not asked about again")
    elif plan.items < plan.rows - plan.rejected:
        _say("pilot", f"the first {plan.items} rows")
    if plan.known is not None:
        _say("known", _known(plan))
    say("")
    columns = ("workflow", "provider", "mode", "about", "calls at most", "each", "at most")
    print_table(columns, map(_step_row, plan.steps), empty="no steps", total=("at most",))
    say("")
    emitting = dict.fromkeys(also for step in plan.steps for also in step.also_for)
    totals = shown_sum(of_currencies(plan.cost_at_most))
    _say("cost", f"at most {totals}{' for the rows of the upload' if emitting else ''}")
    for step in plan.steps:
        if step.fallback_of:
            _say("waterfall", f"{step.slug}: only where {', '.join(step.fallback_of)} missed")
    for emitter, at_most in emitting:
        _say("plus", f"steps marked + for each item that {emitter} emits, at most {at_most:,} an answer")
    for step in plan.steps:
        if step.reuse_for and not fresh:
            _say("reuse", f"{step.slug}: answers up to {_days(step.reuse_for)} old are not paid for again")
    for step in plan.steps:
        for use in step.keys:
            elsewhere = "  (not that provider's address)" if use.foreign else ""
            _say("key", f"{step.slug}: {use.variable} goes to {use.host}{elsewhere}")
    for step in plan.steps:
        for address in step.replaced:
            _say("replaced", _replaced(step.slug, address))
    for slug in plan.left_out:
        _say("left out", f"{slug}: switched off for client {plan.client}")
    for problem in plan.problems:
        _say("problem", problem)


def _known(plan: LaunchPlan) -> str:
    """How many rows the client has already, and what that saves."""
    from enrichment_assets.domain.money import of_currencies, shown_sum

    rows = f"{plan.known_rows} of {plan.items} rows are in earlier batches of {plan.client}"
    if plan.known is Known.REFRESH:
        return f"{rows}, and are asked about again"
    return f"{rows}, and are skipped: at most {shown_sum(of_currencies(plan.not_spent))} is not spent"


def _say(what: str, text: str) -> None:
    """One line of the plan; what does not fit goes on below the text."""
    say(f"{what:9} {text}", indent=" " * 10)


def _replaced(slug: str, address: str) -> str:
    return f"{slug}: the simulator is called instead of {address}"


def _days(seconds: float) -> str:
    return f"{seconds / 86_400:g} days" if seconds >= 86_400 else f"{seconds / 3_600:.3g} hours"


def _step_row(step: StepPlan) -> tuple[object, ...]:
    from enrichment_assets.domain.money import Money

    provider = f"{step.provider} (sandbox)" if step.simulated else step.provider
    each = Money(step.cost_each, step.currency) if step.cost_each else None
    total = Money(step.cost_at_most, step.currency) if step.cost_at_most else None
    calls = f"{step.calls_at_most} +" if step.also_for else step.calls_at_most or None
    return (step.slug, provider, step.mode, step.entity, calls, each, total)
