"""`enrich status`, `enrich run`, `enrich stats`: where batches stand, and moving one on from here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from enrichment_assets.services.batches import BatchStatus
    from enrichment_assets.store.reasons import ReasonCount

BatchKey = Annotated[str, typer.Argument(help="The batch's key, as `enrich launch` printed it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("status")(status)
    app.command("run")(run)
    app.command("stats")(stats)


def status(
    batch: Annotated[str | None, typer.Argument(help="A batch's key; without it, the newest batches.")] = None,
    client: Annotated[str | None, typer.Option(help="Only batches of this client.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many batches to list.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show where a batch stands, workflow by workflow, or list the newest batches.

    Example: enrich status acme-1-apollo-basic-1 --json
    """
    from enrichment_assets.services import batches
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    if batch is None:
        found = batches.overview(settings, client, limit)
        if as_json:
            typer.echo(json.dumps([b.as_json() for b in found], indent=2, default=str))
        else:
            _print_overview(found)
        return
    one = batches.status(settings, batch)
    if as_json:
        typer.echo(json.dumps(one.as_json(), indent=2, default=str))
    else:
        print_status(one)


def run(
    batch: BatchKey,
    wait: Annotated[
        bool, typer.Option("--wait", help="Go on until the batch is finished, waiting for callbacks as they come.")
    ] = False,
    workflow: Annotated[
        list[str] | None, typer.Option("--workflow", "-w", help="Only these steps (may be repeated).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a batch in this process, as a Dagster run that shows in the UI like any other.

    Without --wait it stops when everything left waits for callbacks; the daemon's sensors (`enrich up`) continue it
    then. Ctrl-C lets the calls under way finish; nothing is lost.

    Example: enrich run acme-1-apollo-basic-1 --wait
    """
    from enrichment_assets.cli.running import run_batch
    from enrichment_assets.services import batches
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    run_batch(settings, batch, workflows=workflow, wait=wait, show=not as_json)
    one = batches.status(settings, batch)
    if as_json:
        typer.echo(json.dumps(one.as_json(), indent=2, default=str))
    else:
        print_status(one)


def stats(batch: BatchKey, as_json: AsJson = False) -> None:
    """Show found rate, error classes, latency, calls, reused answers and cost per workflow, the bottleneck and reasons.

    Example: enrich stats acme-1-apollo-basic-1
    """
    from rich.table import Table

    from enrichment_assets.services.statistics import batch_statistics
    from enrichment_assets.settings import Settings

    rows = batch_statistics(Settings.from_environment(), batch)
    if as_json:
        typer.echo(json.dumps([row.as_json() for row in rows], indent=2, default=str))
        return
    table = Table("workflow", "found", "calls", "reused", "cost", "p50 ms", "p95 ms", "p99 ms", "busy s", "errors")
    for row in rows:
        table.add_row(
            f"{row.workflow} (bottleneck)" if row.bottleneck else row.workflow,
            "" if row.found_rate is None else f"{row.found_rate:.0%}",
            str(row.calls),
            f"{row.reused} (saved {row.saved})" if row.reused else "",
            str(row.cost),
            *("" if value is None else f"{value:.0f}" for value in (row.p50_ms, row.p95_ms, row.p99_ms)),
            f"{row.busy_seconds:.1f}",
            ", ".join(f"{name} {count}" for name, count in row.errors.items()),
        )
    console = wide_console()
    console.print(table)
    print_reasons(console, [reason for row in rows for reason in row.reasons])


def wide_console() -> Console:
    """A console at least 120 columns wide: a cut table says nothing, a folded line still does."""
    from rich.console import Console

    return Console(width=max(Console().width, 120), soft_wrap=True)


def _print_overview(found: list[BatchStatus]) -> None:
    from rich.table import Table

    if not found:
        typer.echo("No batches yet. Upload a file (`enrich upload`), then launch it (`enrich launch`).")
        return
    table = Table("batch", "client", "pipeline", "rows", "rejected", "done", "cost", "state")
    for one in found:
        state = "extracted" if one.extracted else "finished" if one.finished else "open"
        done = f"{one.done}/{one.items}"
        table.add_row(one.batch, one.client, one.pipeline, str(one.rows), str(one.rejected), done, str(one.cost), state)
    wide_console().print(table)


def print_status(one: BatchStatus) -> None:
    """Print one batch's status as a table."""
    from rich.table import Table

    state = "finished" if one.finished else f"{one.done} of {one.items} items done" if one.items else "not started yet"
    children = f"{one.children} child items, " if one.children else ""
    console = wide_console()
    console.print(
        f"[bold]{one.batch}[/]  client {one.client}, pipeline {one.pipeline}, file {one.filename}: {one.rows} rows, "
        f"{one.rejected} rejected, {children}{state}, cost {one.cost}",
        highlight=False,
    )
    if not one.workflows:
        return
    names = ("pending", "in_progress", "found", "not_found", "skipped", "failed", "ambiguous")
    table = Table("workflow", *(name.replace("_", " ") for name in names), "cost")
    for row in one.workflows:
        cells = [str(getattr(row, name)) if getattr(row, name) else "·" for name in names]
        table.add_row(row.slug, *cells, str(row.cost.normalize() if row.cost else "·"))
    console.print(table)
    print_reasons(console, one.reasons)


def print_reasons(console: Console, found: Sequence[ReasonCount]) -> None:
    """Print why states stand where they stand: the commonest reasons of each workflow, with counts."""
    from rich.table import Table
    from rich.text import Text

    from enrichment_assets.domain.visible import visible

    if not found:
        return
    table = Table("workflow", "status", "states", "commonest reasons")
    for row in found:
        table.add_row(row.workflow, row.status.lower().replace("_", " "), str(row.states), Text(visible(row.reason)))
    console.print(table)
