"""`enrich pause`, `enrich resume`, `enrich cancel`: stop means stop (docs/operations.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.recovery import BatchKey, Workflow
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.services.operations.holding import HoldReport

Why = Annotated[str, typer.Option("--reason", help="Why, for those who ask later.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("pause")(pause)
    app.command("resume")(resume)
    app.command("cancel")(cancel)


def pause(batch: BatchKey, workflow: Workflow = None, reason: Why = "", as_json: AsJson = False) -> None:
    """Let no further call of a batch leave until it is resumed, in no run on no machine. What is under way is finished.

    Example: enrich pause acme-1-apollo-basic-1 --reason 'the offer changes'
    """
    from enrichment_assets.services.operations.holding import pause as paused

    report = paused(opened_hq(), batch, actor=actor(), workflow=workflow, reason=reason)
    if _printed(report, as_json=as_json):
        return
    say(f"{_named(report)} {'was paused before' if report.again else 'is paused: nothing more of it is sent'}")
    _say_states(report.states, "wait")
    _say_under_way(report)
    say(f"next: enrich resume {batch}")


def resume(batch: BatchKey, workflow: Workflow = None, as_json: AsJson = False) -> None:
    """Let a batch, or a workflow of it, go on that was paused. Without --workflow every pause of the batch ends.

    Example: enrich resume acme-1-apollo-basic-1
    """
    from enrichment_assets.cli.hints import worded
    from enrichment_assets.services.operations.holding import resume as resumed
    from enrichment_assets.services.operations.recovery import what_next

    report = resumed(opened_hq(), batch, actor=actor(), workflow=workflow)
    if _printed(report, as_json=as_json):
        return
    say(f"{_named(report)} {'was not paused' if report.again else 'goes on'}")
    if report.hold is not None:
        say(f"it is {report.hold.sentence}; if it is wanted after all: enrich retry {batch}")
    if report.states:
        _say_states(report.states, "go on")
        say(f"next: {worded(what_next(batch, report.running))}")


def cancel(batch: BatchKey, workflow: Workflow = None, reason: Why = "", as_json: AsJson = False) -> None:
    """Cancel what was not sent of a batch, or of one workflow, and let no call of it leave.

    What is under way is finished and kept: that is the most that is still spent. `enrich retry` takes it back.

    Example: enrich cancel acme-1-apollo-basic-1 --workflow find-email-via-hunter --reason 'wrong list'
    """
    from enrichment_assets.services.operations.holding import cancel as cancelled

    report = cancelled(opened_hq(), batch, actor=actor(), workflow=workflow, reason=reason)
    if _printed(report, as_json=as_json):
        return
    say(f"{_named(report)} {'was cancelled before' if report.again else 'is cancelled: nothing more of it is sent'}")
    _say_states(report.states, "are not asked any more")
    _say_under_way(report)
    say(f"if it is wanted after all: enrich retry {batch}{_option(report)}")


def _printed(report: HoldReport, *, as_json: bool) -> bool:
    if as_json:
        from enrichment_assets.services.shapes import holds as shapes

        print_json(shapes.HoldChange.of(report))
    return as_json


def _named(report: HoldReport) -> str:
    return f"batch {report.batch}" if report.workflow is None else f"{report.workflow} of batch {report.batch}"


def _option(report: HoldReport) -> str:
    return "" if report.workflow is None else f" --workflow {report.workflow}"


def _say_states(states: Mapping[str, int], what: str) -> None:
    for slug, count in states.items():
        say(f"{slug}: {count} item(s) {what}")


def _say_under_way(report: HoldReport) -> None:
    from enrichment_assets.cli.standing import say_held_calls
    from enrichment_assets.domain.money import shown_sum

    if report.before:
        say_held_calls(report.before, report.currencies)
        return
    calls = sum(one.calls for one in report.under_way)
    if not calls:
        say("no call is under way: nothing more is spent")
        return
    say(f"{calls} call(s) are under way and are finished; they may still cost {shown_sum(report.may_cost)}")
