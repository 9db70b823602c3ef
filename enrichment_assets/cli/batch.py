"""`enrich status`, `enrich stats`, `enrich priority`: where batches stand, and how urgent they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say
from enrichment_assets.domain.priorities import Priority

if TYPE_CHECKING:
    from enrichment_assets.services.batches.status import BatchStatus
    from enrichment_assets.store.hq import Hq
    from enrichment_assets.store.results.statistics import WorkflowStatistics
    from enrichment_assets.store.states.reasons import ReasonCount

BatchKey = Annotated[str, typer.Argument(help="The batch's key, as `enrich launch` printed it.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("status")(status)
    app.command("stats")(stats)
    app.command("priority")(priority)


def status(
    batch: Annotated[str | None, typer.Argument(help="A batch's key; without it, the newest batches.")] = None,
    client: Annotated[str | None, typer.Option(help="Only batches of this client.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many batches, or failed rows, to list.")] = 20,
    failed: Annotated[
        bool, typer.Option("--failed", help="List the batch's failed rows, each with its reason.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show where a batch stands, workflow by workflow, and why; or list the newest batches.

    Examples: enrich status acme-1-apollo-basic-1, then: enrich status acme-1-apollo-basic-1 --failed --limit 50
    """
    from enrichment_assets.services.batches import status as batch_status
    from enrichment_assets.services.shapes import batches as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    if failed:
        if batch is None:
            raise typer.BadParameter("--failed goes with a batch's key")
        _list_failed(hq, batch, limit, as_json=as_json)
        return
    if batch is None:
        found = batch_status.overview(hq, settings, client, limit)
        if as_json:
            print_json(map(shapes.Batch.of, found))
        else:
            _print_overview(found)
        return
    one = batch_status.status(hq, settings, batch)
    if as_json:
        print_json(shapes.Batch.of(one))
    else:
        print_status(one)


def _list_failed(hq: Hq, batch: str, limit: int, *, as_json: bool) -> None:
    from enrichment_assets.cli.standing import print_failed
    from enrichment_assets.services.operations.failed_rows import list_failed
    from enrichment_assets.services.shapes import batches as shapes

    found = list_failed(hq, batch, limit)
    if as_json:
        print_json(shapes.FailedRows.of(found))
    else:
        print_failed(found, batch)


def stats(batch: BatchKey, as_json: AsJson = False) -> None:
    """Show found rate, error classes, latency, calls, tokens and cost per workflow, the bottleneck and reasons.

    A call is accepted where its answer was found and is valid; what the others cost is in its share.

    Example: enrich stats acme-1-apollo-basic-1
    """
    from enrichment_assets.cli.families import print_families
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.domain.money import Money
    from enrichment_assets.services.operations.statistics import batch_statistics, family_figures
    from enrichment_assets.services.shapes import statistics as shapes

    hq = opened_hq()
    rows = batch_statistics(hq, batch)
    if as_json:
        print_json(map(shapes.WorkflowStatistics.of, rows))
        return
    print_table(
        (
            "workflow",
            "found",
            "ok",
            "calls",
            "reused",
            "cost",
            "per answer",
            "per accepted",
            "saved",
            "p50 ms",
            "p95 ms",
            "p99 ms",
            "busy s",
        ),
        [
            (
                row.workflow,
                *(None if rate is None else f"{rate:.0%}" for rate in (row.found_rate, row.success_rate)),
                row.calls or None,
                row.reused or None,
                Money(row.cost, row.currency) if row.cost else None,
                Money(row.cost_per_answer, row.currency) if row.cost_per_answer else None,
                Money(row.cost_per_accepted, row.currency) if row.cost_per_accepted else None,
                Money(row.saved, row.currency) if row.saved else None,
                *(None if value is None else round(value) for value in (row.p50_ms, row.p95_ms, row.p99_ms)),
                round(row.busy_seconds, 1),
            )
            for row in rows
        ],
        title=f"batch {batch}",
        empty=f"Batch {batch} has called nobody yet.",
        total=("cost", "saved"),
    )
    print_tokens(rows)
    print_families(family_figures(hq, batch))
    print_time_spent(rows)
    print_bottleneck_and_errors(rows)
    print_reasons([reason for row in rows for reason in row.reasons])


def priority(
    batch: BatchKey,
    level: Annotated[Priority, typer.Argument(help="low, normal or high.")],
    as_json: AsJson = False,
) -> None:
    """Say how urgent a batch is beside its client's other batches; it counts at once, also for a run under way.

    At a provider's rate that they share, a batch has four turns for one of a batch a step less urgent. Between clients
    their weights decide: enrich client weight.

    Example: enrich priority acme-1-apollo-basic-1 high
    """
    from enrichment_assets.assets.instance import open_instance
    from enrichment_assets.assets.run_queue import reorder
    from enrichment_assets.cli.actor import actor
    from enrichment_assets.services.batches import status as batch_status
    from enrichment_assets.services.batches.priorities import set_priority
    from enrichment_assets.services.shapes import batches as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    before = set_priority(hq, batch, level, actor=actor())
    with open_instance(settings) as instance:
        reorder(instance, batch, replace(before, rank=level.rank))
    if as_json:
        print_json(shapes.Batch.of(batch_status.status(hq, settings, batch)))
    else:
        say(f"batch {batch}: priority {level.value}, before {Priority.of_rank(before.rank).value}")


def print_tokens(rows: Sequence[WorkflowStatistics]) -> None:
    """Print what language models used, by kinds of tokens."""
    from enrichment_assets.cli.tables import print_table

    asked = [(row.workflow, row.tokens) for row in rows if row.tokens is not None]
    if not asked:
        return
    print_table(
        ("workflow", "tokens in", "from cache", "to cache", "tokens out", "searches", "booked as reserved"),
        [
            (workflow, used.input, used.cached_input or None, used.cache_write or None, used.output,
             used.searches or None, used.untold or None)
            for workflow, used in asked
        ],
        title="tokens",
    )  # fmt: skip


def print_time_spent(rows: Sequence[WorkflowStatistics]) -> None:
    """Print how many seconds each workflow waited for what."""
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.domain.statuses import SpentOn

    causes = [cause for cause in SpentOn if any(row.spent.get(cause, 0.0) >= 0.05 for row in rows)]
    if causes:
        typer.echo()
        print_table(
            ("workflow", *(f"{cause.value} s" for cause in causes)),
            [(row.workflow, *(round(row.spent.get(cause, 0.0), 1) or None for cause in causes)) for row in rows],
            title="seconds that each waited for what",
        )
        typer.echo()


def print_bottleneck_and_errors(rows: Sequence[WorkflowStatistics]) -> None:
    """Print what held the batch up, and how often attempts ended in which error."""
    from enrichment_assets.cli.tables import print_table

    for row in rows:
        if row.held_up:
            say(f"Bottleneck: {row.held_up}.")
        elif row.bottleneck:
            say(f"Bottleneck: {row.workflow}, {row.busy_seconds:.1f} s from its first attempt to its last.")
    errors = [(row.workflow, name, count) for row in rows for name, count in row.errors.items()]
    if errors:
        typer.echo()
        print_table(("workflow", "error", "attempts"), errors)


def _print_overview(found: list[BatchStatus]) -> None:
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.domain.money import shown_sum

    print_table(
        ("batch", "client", "pipeline", "rows", "rejected", "done", "cost", "state"),
        [
            (
                one.batch,
                one.client,
                one.pipeline,
                one.rows,
                one.rejected or None,
                f"{one.done}/{one.items}",
                shown_sum(one.costs),
                _state(one),
            )
            for one in found
        ],
        empty="No batches yet. Upload a file (`enrich upload`), then launch it (`enrich launch`).",
    )


def _state(one: BatchStatus) -> str:
    state = "extracted" if one.extracted else "finished" if one.finished else "open"
    return state if one.limit is None else f"{state}, a pilot"


def print_status(one: BatchStatus) -> None:
    """Print one batch's status: a line for the batch, a table of its workflows, and why states stand where they do."""
    from enrichment_assets.cli.standing import print_standing, say_held_calls
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.domain.money import shown_sum
    from enrichment_assets.store.batches.holds import ALL

    state = "finished" if one.finished else f"{one.done} of {one.items} items done" if one.items else "not started yet"
    children = f"{one.children} child items, " if one.children else ""
    urgent = "" if one.priority is Priority.NORMAL else f", priority {one.priority.value}"
    say(
        f"batch {one.batch}: client {one.client}, pipeline {one.pipeline}, file {one.filename}: {one.rows} rows, "
        f"{one.rejected} rejected, {children}{state}, cost {shown_sum(one.costs)}{urgent}"
    )
    if one.limit is not None:
        say(
            f"a pilot of the first {one.limit:,} rows; the rest, into this batch: "
            f"enrich launch {one.upload_id} --pipeline {one.pipeline}"
        )
    for workflow, hold in sorted(one.holds.items()):
        say(f"{'all of it' if workflow == ALL else workflow} is {hold.sentence}")
        say_held_calls(one.held_calls.get(workflow, ()), one.currencies, lead="  ")
    for problem, families in one.unwritten.items():
        say(f"{families} rows with their children have ended and are not in their tables: {problem}")
        say(f"  do   mend that, then: enrich run {one.batch}")
    if not one.workflows:
        return
    names = ["pending", "in_progress", "found", "not_found", "skipped", "failed", "ambiguous"]
    names += ["cancelled"] if any(row.cancelled for row in one.workflows) else []
    typer.echo()
    print_table(
        ("workflow", *(name.replace("_", " ") for name in names), "cost"),
        [
            (row.slug, *(getattr(row, name) or None for name in names), one.cost_of(row) if row.cost else None)
            for row in one.workflows
        ],
        total=("cost", "saved"),
    )
    print_standing(one.reasons)


def print_reasons(found: Sequence[ReasonCount]) -> None:
    """Print why states stand where they stand: the commonest reasons of each workflow, with counts."""
    from enrichment_assets.cli.tables import print_table

    if not found:
        return
    typer.echo()
    print_table(
        ("workflow", "status", "states", "commonest reasons"),
        [(row.workflow, row.status.lower().replace("_", " "), row.states, row.reason) for row in found],
    )
