"""What a retry came to, in words: of one batch, and of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from enrichment_assets.cli.hints import worded
from enrichment_assets.cli.sentences import say
from enrichment_assets.cli.standing import print_hindrances
from enrichment_assets.cli.tables import print_table

if TYPE_CHECKING:
    from enrichment_assets.services.operations.retrying import RetryReport
    from enrichment_assets.services.operations.retrying_many import RetriedBatches


def print_retry(report: RetryReport, *, dry_run: bool) -> None:
    """Print what was put back of one batch, what would stand still again, and what to do next."""
    for slug, states in report.retried.items():
        say(f"{slug}: {states} failed item(s) will be tried again")
    for slug, states in report.uncancelled.items():
        say(f"{slug}: {states} cancelled item(s) will be asked after all")
    if report.let_go:
        say("it is not cancelled any more: what of its leads was to be delivered leaves after all")
    elif not report.retried and not report.uncancelled:
        say("nothing that matches has failed")
    if report.reopened:
        say(f"{report.reopened} later step(s) that were skipped because of it will run too")
    if report.pauses_lifted:
        say(f"{report.pauses_lifted} provider pause(s) lifted")
    hindered = {hindrance.workflow for hindrance in report.hindrances}
    for slug, states in report.pending.items():
        if not hindered & {slug, None}:
            say(f"{slug}: {states} item(s) are pending and go on")
    if report.hindrances:
        say("These would stand still again:")
        print_hindrances(report.hindrances)
    say("nothing was changed: without --dry-run it is" if dry_run else f"next: {worded(report.next_step)}")


def print_retried(done: RetriedBatches) -> None:
    """Print a line for each batch, and which were left and why."""
    rows = [
        (
            report.batch,
            sum(report.retried.values()),
            sum(report.uncancelled.values()),
            report.reopened,
            report.calls,
            "; ".join(dict.fromkeys(one.reason for one in report.hindrances)),
        )
        for report in done.batches
    ]
    columns = ("batch", "failed", "cancelled", "later steps", "calls", "would stand still")
    print_table(columns, rows, empty="nothing that matches has failed")
    for one in done.left:
        say(f"{one.batch} is left: {one.reason}")
    if done.more:
        say(f"{done.more} more batches match: the same command again takes them")
    if done.dry_run:
        say("nothing was changed: without --dry-run it is")
    elif done.batches:
        say("next: with `enrich up` running the sequencer continues them by itself; else: enrich run BATCH")
