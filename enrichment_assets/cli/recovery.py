"""`enrich retry`, `enrich resolve`, `enrich replay`: what to do after something went wrong (docs/operations.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from enrichment_assets.cli.actor import actor
from enrichment_assets.cli.audit import DAY, MINUTE
from enrichment_assets.cli.hints import worded
from enrichment_assets.cli.ids import LARGEST_ID
from enrichment_assets.cli.opening import opened_hq
from enrichment_assets.cli.printing import AsJson, print_json
from enrichment_assets.cli.sentences import say

if TYPE_CHECKING:
    from enrichment_assets.services.operations.replay_report import ReplayReport
    from enrichment_assets.store.hq import Hq

BatchKey = Annotated[str, typer.Argument(help="The batch's key, as `enrich launch` printed it.")]
Workflow = Annotated[str | None, typer.Option("--workflow", "-w", help="Only this workflow.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command("retry")(retry)
    app.command("resolve")(resolve)
    app.command("replay")(replay)


def retry(
    batches: Annotated[
        list[str] | None, typer.Argument(metavar="BATCH...", help="Keys of batches, as `enrich launch` printed them.")
    ] = None,
    workflow: Workflow = None,
    error_class: Annotated[
        str | None,
        typer.Option("--class", "-c", help="Only this error class: retryable, contract, deadline, ..."),
    ] = None,
    provider: Annotated[str | None, typer.Option("--provider", help="Only workflows of this provider.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option("--since", formats=[DAY, MINUTE], help="Only what ended on this day or minute or later, in UTC."),
    ] = None,
    all_batches: Annotated[
        bool, typer.Option("--all-batches", help="In every batch of which something matches.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be tried again, and change nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Try again what FAILED or was CANCELLED, and what was skipped because of it; call paused providers again at once.

    A call keeps its key, so a provider that honours keys does not bill it twice. What was found is never called again.
    With --class nothing that was cancelled is meant. Of several batches those that are paused, cancelled, given up or
    archived are named and left.

    Example: enrich retry acme-1-apollo-basic-1 --workflow find-email-via-hunter --class retryable
    """
    keys = list(dict.fromkeys(batches or ()))
    if bool(keys) == all_batches:
        raise typer.BadParameter("name one batch or several, or give --all-batches")
    moment = None if since is None else since.replace(tzinfo=UTC)
    if len(keys) == 1:
        _retry_one(keys[0], workflow, error_class, provider, moment, dry_run=dry_run, as_json=as_json)
        return
    from enrichment_assets.cli.retried import print_retried
    from enrichment_assets.services.operations.retrying import Which
    from enrichment_assets.services.operations.retrying_many import retry_batches
    from enrichment_assets.services.shapes import operations as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    which = Which(workflow, provider, error_class, moment)
    hq = opened_hq(settings)
    done = retry_batches(hq, settings, None if all_batches else keys, which, actor=actor(), dry_run=dry_run)
    if as_json:
        print_json(shapes.RetriedBatches.of(done))
    else:
        print_retried(done)


def _retry_one(
    batch: str,
    workflow: str | None,
    error_class: str | None,
    provider: str | None,
    since: datetime | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    from enrichment_assets.cli.retried import print_retry
    from enrichment_assets.services.operations.retrying import retry as retried
    from enrichment_assets.services.shapes import operations as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    report = retried(
        hq,
        settings,
        batch,
        workflow=workflow,
        error_class=error_class,
        provider=provider,
        since=since,
        actor=actor(),
        dry_run=dry_run,
    )
    if as_json:
        print_json(shapes.Retry.of(report))
        return
    print_retry(report, dry_run=dry_run)


def resolve(
    batch: BatchKey,
    retry_: Annotated[bool, typer.Option("--retry", help="Call again; it may be billed a second time.")] = False,
    accept_miss: Annotated[bool, typer.Option("--accept-miss", help="Take them as not found; call nobody.")] = False,
    workflow: Workflow = None,
    item: Annotated[int | None, typer.Option("--item", min=1, max=LARGEST_ID, help="Only this item id.")] = None,
    cost: Annotated[
        str | None, typer.Option("--cost", help="With --accept-miss: what each call did cost (default: its estimate).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Decide about calls whose fate nobody knows (AMBIGUOUS). Without a decision: list them.

    Look the call up in the provider's dashboard, if it has one; then say whether to call again.

    Examples: enrich resolve acme-1-apollo-basic-1, then: enrich resolve acme-1-apollo-basic-1 --accept-miss --cost 0
    """
    from enrichment_assets.domain.money import shown_sum
    from enrichment_assets.services.operations import recovery
    from enrichment_assets.services.shapes import operations as shapes
    from enrichment_assets.settings import Settings

    if retry_ and accept_miss:
        raise typer.BadParameter("choose one: --retry or --accept-miss")
    settings = Settings.from_environment()
    hq = opened_hq(settings)
    if not retry_ and not accept_miss:
        if cost is not None:
            raise typer.BadParameter("--cost goes with --accept-miss")
        _list_ambiguous(hq, batch, workflow, item, as_json=as_json)
        return
    decision: Literal["retry", "accept-miss"] = "retry" if retry_ else "accept-miss"
    report = recovery.resolve(hq, batch, decision, workflow=workflow, item_id=item, cost=cost, actor=actor())
    if as_json:
        print_json(shapes.Resolution.of(report))
        return
    if decision == "retry":
        say(f"{report.states} item(s), {report.calls} call(s): will be called again")
        if report.reopened:
            say(f"{report.reopened} later step(s) that were skipped because of it will run too")
    else:
        say(f"{report.states} item(s), {report.calls} call(s): not found; {shown_sum(report.costs)} booked")
    if report.left:
        say(f"{report.left} item(s) left: an answer to their call came meanwhile; the next run applies it")
    say(f"next: {worded(report.next_step)}")


def replay(
    batch: BatchKey,
    workflow: Annotated[str, typer.Option("--workflow", "-w", help="The workflow whose mapping was mended.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read stored answers again with the workflow's current mapping. No provider is called, nothing is billed.

    Mend the mapping first (enrich workflow add FILE, or enrich client config), look with --dry-run, then replay.

    Example: enrich replay acme-1-apollo-basic-1 --workflow match-person-via-apollo --dry-run
    """
    from enrichment_assets.services.operations.replaying import replay as read_again
    from enrichment_assets.services.shapes import operations as shapes
    from enrichment_assets.settings import Settings

    settings = Settings.from_environment()
    hq = opened_hq(settings)
    report = read_again(hq, settings, batch, workflow, dry_run=dry_run, actor=actor())
    if as_json:
        print_json(shapes.Replay.of(report))
        return
    print_replay(report)


def print_replay(report: ReplayReport) -> None:
    """Print what reading again came to."""
    would = "would be " if report.dry_run else ""
    say(
        f"{report.answers} stored answer(s) {would}read again: {report.found} found, {report.not_found} not found, "
        f"{report.failed} failed; {report.changed} differ from before, {report.recovered} could not be read before"
    )
    if report.gone:
        say(f"{report.gone} answer(s) cannot be read again: retention took their bodies out; what they said stays")
    if report.left:
        say(f"{report.left} stored answer(s) decide nothing (an error status, an acknowledgement) and stay")
    if not report.new_mapping:
        say("the registry reads this workflow's answers as the batch did already")
    if report.reopened:
        say(f"{report.reopened} later step(s) that were skipped will run too")
    if report.emitted:
        say(f"{report.emitted} child item(s) {would}added")
    if report.removed:
        say(f"{report.removed} row(s) taken out of the destination table")
    say(f"next: {worded(report.next_step)}")


def _list_ambiguous(hq: Hq, batch: str, workflow: str | None, item: int | None, *, as_json: bool) -> None:
    from enrichment_assets.cli.tables import print_table
    from enrichment_assets.domain.money import Money
    from enrichment_assets.services.batches import status as batch_status
    from enrichment_assets.services.operations import recovery
    from enrichment_assets.services.shapes import operations as shapes

    found = recovery.list_ambiguous(hq, batch, workflow=workflow, item_id=item)
    currencies = batch_status.currencies(hq, batch)
    if as_json:
        print_json(shapes.AmbiguousState.of(row, currencies.get(row.workflow, "")) for row in found)
        return
    rows = [
        (
            row.item_id,
            row.row_number,
            row.workflow,
            row.since,
            None if row.shared else Money(row.estimated_cost, currencies.get(row.workflow, "")),
            f"{row.reason} (shares its company's call)" if row.shared else row.reason,
        )
        for row in found
    ]
    print_table(
        ("item", "row", "workflow", "since", "estimated cost", "why"),
        rows,
        title=f"batch {batch}",
        empty="nothing is ambiguous",
        total=("estimated cost",),
    )
    if found:
        say(f"decide: `enrich resolve {batch} --retry` (may be billed again), or --accept-miss [--cost AMOUNT]")
