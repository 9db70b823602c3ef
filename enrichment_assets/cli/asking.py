"""`enrich ask`: chosen steps for chosen leads of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.batch import BatchKey
from enrichment_assets.cli.hints import worded
from enrichment_assets.cli.ids import LARGEST_ID
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say
from enrichment_assets.cli.standing import print_hindrances
from enrichment_assets.cli.tables import print_table

if TYPE_CHECKING:
    from enrichment_assets.services.operations.asking import Asking


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("ask")(ask)


def ask(
    batch: BatchKey,
    workflow: Annotated[list[str], typer.Option("--workflow", "-w", help="A step (may be repeated).")],
    item: Annotated[
        list[int] | None,
        typer.Option("--item", "-i", min=1, max=LARGEST_ID, help="Only this lead, by its item (may be repeated)."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where", help="Only leads for which this holds, as FIELD=VALUE (= != >= <= > <, ~ contains); repeatable."
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also what has an answer: it is asked anew, and paid once more.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be asked and what it costs, and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Have chosen steps asked about chosen leads: what failed, was cancelled, or was skipped for want of a value.

    What has an answer is left alone, and so is what is under way, of unknown fate, suppressed or erased. With --again
    an answer is asked for anew: another call, which is paid. Conditions are over the leads as `enrich export` has them.

    Example: enrich ask acme-1-apollo-basic-1 -w verify-email-via-zerobounce --where "country=Germany" --dry-run
    """
    from enrichment_assets.services.operations.asking import Wanted, ask_chosen, plan_asking
    from enrichment_assets.services.shapes.asking import Asking as Shape
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    wanted = Wanted(workflow, item or None, where or (), again)
    if dry_run:
        report = plan_asking(hq, settings, batch, wanted)
    else:
        report = ask_chosen(hq, settings, batch, wanted, actor=actor())
    if as_json:
        print_json(Shape.of(report))
    else:
        _print(report, dry_run=dry_run)


def _print(report: Asking, *, dry_run: bool) -> None:
    """What is asked of each step, what is left alone and why, and what to do next."""
    from enrichment_assets.domain.money import Money

    rows = [
        (
            step.workflow,
            _counts(step.asked),
            _counts(step.left),
            step.calls_at_most,
            Money(step.cost_at_most, step.currency),
        )
        for step in report.steps
    ]
    say(f"{report.items:,} lead(s) of {report.batch}")
    print_table(("step", "asked", "left alone", "calls at most", "cost at most"), rows)
    for step in report.steps:
        if step.shared:
            say(f"{step.workflow}: {step.shared:,} lead(s) more share these calls, and go with them")
    for slug, items in report.later.items():
        say(f"{slug} has an answer for {items:,} of them that rests on the earlier one, and stays: name it too")
    if report.reopened:
        say(f"{report.reopened:,} later step(s) that were skipped for want of these are asked too")
    if report.phases:
        say(f"the batch goes by phase: they wait until somebody asks for {' and '.join(report.phases)}")
    if report.hindrances:
        say("These would stand still:")
        print_hindrances(report.hindrances)
    say("nothing was changed: without --dry-run it is" if dry_run else f"next: {worded(report.next_step)}")


def _counts(named: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in named.items())
