"""Retrying what failed in several batches by the same filters: the service behind `enrich retry --all-batches`.

Each batch is put back in a transaction of its own, so that no batch is locked for long and a command that is ended in
between has done whole batches; called again, it goes on with the others. What people hold, gave up or archived is
named and left: `enrich retry BATCH` is the word that takes a cancellation back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import EnrichError, NotFoundError
from enrichment_assets.services.operations.recovery import in_transaction, locked, wake_again
from enrichment_assets.services.operations.retrying import LIFTED, RetryReport, Which, check_class, put_back
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.holds import ALL, Hold, read_holds
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.states.retryable import Candidate, find_batches, unknown_batches

MOST_BATCHES = 1_000
"""Batches that one command puts back."""

_LEFT = frozenset({"batch.archived", "batch.busy"})
"""Errors of one batch that keep no other from being put back."""


@dataclass(frozen=True, slots=True)
class LeftBatch:
    """A batch that nothing was done about, and why."""

    batch: str
    reason: str


@dataclass(frozen=True, slots=True)
class RetriedBatches:
    """What a retry put back.

    Attributes:
        dry_run: Nothing was changed.
        batches: What it came to in each batch of which something matched, the oldest first.
        left: Batches that nothing was done about.
        more: Batches that match beyond the most that one command takes.
    """

    dry_run: bool
    batches: tuple[RetryReport, ...]
    left: tuple[LeftBatch, ...]
    more: int


def retry_batches(
    hq: Hq, settings: Settings, batches: Sequence[str] | None, which: Which, *, actor: Actor, dry_run: bool = False
) -> RetriedBatches:
    """Do `retry` for several batches, those that match.

    Args:
        hq: The databases.
        settings: The installation.
        batches: Keys of the batches; None: every batch.
        which: What of them is meant.
        actor: Who says so; one change is written down for each batch.
        dry_run: Say what it would come to, and change nothing.

    Raises:
        NotFoundError: One of these batches does not exist, or none of them has the workflow or provider.
        ConfigurationError: no such error class.
    """
    check_class(which.error_class)
    with hq.transaction() as connection:
        found = _found(connection, batches, which)
    matching = [one for one in found if one.matches]
    left = [LeftBatch(one.batch, why) for one in matching if (why := _over(one)) is not None]
    open_ones = [one.batch for one in matching if _over(one) is None]
    done: list[RetryReport] = []
    for batch in open_ones[:MOST_BATCHES]:
        outcome = _retried(hq, settings, batch, which, actor, dry_run=dry_run)
        if isinstance(outcome, RetryReport):
            done.append(outcome)
        else:
            left.append(outcome)
    idle = {*(batches or ())} - {one.batch for one in matching}
    left += [LeftBatch(batch, "nothing that matches has failed") for batch in sorted(idle)]
    return RetriedBatches(dry_run, tuple(done), tuple(left), len(open_ones[MOST_BATCHES:]))


def _found(connection: Connection, batches: Sequence[str] | None, which: Which) -> list[Candidate]:
    if unknown := unknown_batches(connection, batches or ()):
        raise no_such_batch(connection, unknown[0])
    found = find_batches(
        connection,
        batches,
        workflow=which.workflow,
        provider=which.provider,
        error_class=which.error_class,
        since=which.since,
        lifted=LIFTED,
    )
    if not found and (which.workflow or which.provider):
        meant = " of ".join(
            f"{word} {name!r}"
            for word, name in (("workflow", which.workflow), ("provider", which.provider))
            if name is not None
        )
        raise NotFoundError(f"none of these batches has a {meant}", code="retry.nothing_meant")
    return found


def _over(batch: Candidate) -> str | None:
    """Why a batch is left as it is; None: it is not."""
    if batch.archived:
        return "it is archived"
    return "it was given up" if batch.given_up else _held(read_holds(batch.holds), batch.workflows)


def _held(holds: Mapping[str, Hold], workflows: Sequence[str]) -> str | None:
    """Who holds the batch or one of these workflows, and why; None: nobody."""
    for name in (ALL, *workflows):
        if name in holds:
            return f"{'it' if name == ALL else name} is {holds[name].sentence}"
    return None


def _retried(
    hq: Hq, settings: Settings, batch_key: str, which: Which, actor: Actor, *, dry_run: bool
) -> RetryReport | LeftBatch:
    """Put one batch back, unless somebody holds what is meant of it."""

    def change(connection: Connection) -> tuple[RetryReport, int] | LeftBatch:
        batch, blueprint = locked(connection, batch_key, None)
        if (why := _held(read_holds(batch.holds), which.slugs(blueprint))) is not None:  # it is held since it was found
            return LeftBatch(batch_key, why)
        return put_back(connection, settings, batch_key, which, actor=actor, dry_run=dry_run)

    try:
        outcome = in_transaction(hq, change)
    except EnrichError as error:
        if error.code not in _LEFT:
            raise
        return LeftBatch(batch_key, str(error))
    if isinstance(outcome, LeftBatch):
        return outcome
    report, batch_id = outcome
    if report.running and not dry_run:
        wake_again(hq, [batch_id])
    return report
