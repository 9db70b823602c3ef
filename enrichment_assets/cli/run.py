"""`enrich run`: moving a batch on from here, all of it, some steps, or one step for chosen items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.batch import BatchKey, print_status
from enrichment_assets.cli.opening import close_opened, opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say
from enrichment_assets.cli.warm import leave_warm_copy
from enrichment_assets.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from enrichment_assets.services.batches.choosing import Choice
    from enrichment_assets.settings import Settings
    from enrichment_assets.store.hq import Hq


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("run")(run)


def run(
    batch: BatchKey,
    wait: Annotated[
        bool, typer.Option("--wait", help="Go on until the batch is finished, waiting for callbacks as they come.")
    ] = False,
    workflow: Annotated[
        list[str] | None, typer.Option("--workflow", "-w", help="Only these steps (may be repeated).")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            help="Only items for which this holds, as FIELD=VALUE (= != >= <= > <, ~ contains); may be repeated.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With one --workflow: only say what would be asked, and what it costs.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Make the tables once more, although nothing is left to do.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a batch in this process, as a Dagster run that shows in the UI like any other.

    Without --wait it stops when everything left waits for callbacks; the daemon's sensors (`enrich up`) continue it
    then. Ctrl-C lets the calls under way finish; nothing is lost. A batch with nothing left to do is not run: no step
    is open, and the tables show everything.
    With one --workflow and --where that step is asked for chosen items alone, as somebody does who looks at a few
    companies first. Conditions see what the step would see; a column of the upload is original.COLUMN.

    Example: enrich run acme-1-apollo-basic-1 --wait

    Example: enrich run acme-1-apollo-basic-1 -w match-person-via-apollo --where "industry~food" --dry-run
    """
    from enrichment_assets.services.batches import status as batch_status
    from enrichment_assets.services.batches.freshness import nothing_left
    from enrichment_assets.services.shapes import batches as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    if where or dry_run:
        _for_chosen(hq, settings, batch, workflow or [], where or [], wait=wait, dry_run=dry_run, as_json=as_json)
        return
    if not workflow and not again and nothing_left(hq, settings, batch):
        say(
            f"Nothing is left to do for {batch}: every step has ended, and the tables show it. "
            f"To make the tables once more: enrich run {batch} --again",
            err=True,
        )
    else:
        from enrichment_assets.cli.running import run_batch

        close_opened()
        leave_warm_copy(settings)
        hq = opened_hq(settings)
        run_batch(hq, settings, batch, workflows=workflow, wait=wait, show=not as_json)
    one = batch_status.status(hq, settings, batch)
    if as_json:
        print_json(shapes.Batch.of(one))
    else:
        print_status(one)


def _for_chosen(
    hq: Hq,
    settings: Settings,
    batch: str,
    workflows: Sequence[str],
    where: Sequence[str],
    *,
    wait: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Ask one step for the chosen items, or say what that would do."""
    from enrichment_assets.domain.conditions import parse_conditions
    from enrichment_assets.services.batches.choosing import choose
    from enrichment_assets.services.batches.items import create_items
    from enrichment_assets.services.shapes.chosen import ChosenRun

    if len(workflows) != 1:
        raise ConfigurationError("--where and --dry-run go with one --workflow", code="option.one_workflow")
    if wait:
        raise ConfigurationError(
            "a run for chosen items ends when they have been asked: answers that come later are taken in by the next "
            "run, or by enrich up. Leave out --wait",
            code="option.where_and_wait",
        )
    conditions = parse_conditions(where)
    if not dry_run:
        create_items(hq, settings, batch)
    before = choose(hq, settings, batch, workflows[0], conditions)
    after = None
    if not dry_run and before.ready and not before.hindrances:
        from enrichment_assets.cli.running import run_batch

        close_opened()
        hq = opened_hq(settings)
        run_batch(hq, settings, batch, workflows=workflows, wait=False, show=not as_json, where=where)
        after = choose(hq, settings, batch, workflows[0], conditions)
    if as_json:
        print_json(ChosenRun.of(before, after))
    else:
        _print_choice(before, after)


def _print_choice(before: Choice, after: Choice | None) -> None:
    """What was chosen, and what would be asked, or what came of it."""
    from enrichment_assets.cli.standing import print_hindrances
    from enrichment_assets.domain.money import Money

    chosen = f"{len(before.items):,} of {before.of_items:,} items ({before.companies:,} companies)"
    which = " and ".join(before.where) or "all of them"
    say(f"chosen    {chosen}: {which}")
    shown = before if after is None else after
    for status, items in sorted(shown.ended.items()):
        say(f"          {items:,} {status.replace('_', ' ')}")
    for slug, items in shown.waiting.items():
        say(f"          {items:,} wait for {slug}")
    if after is not None:
        say(f"{before.workflow}: {before.ready - after.ready:,} of {before.ready:,} were asked about")
        return
    cost = Money(before.cost_at_most, before.currency)
    say(f"asks      about {before.ready:,}, {before.calls_at_most:,} calls at most, {cost} at most")
    if before.hindrances:
        say("nothing is asked now:")
        print_hindrances(before.hindrances)
