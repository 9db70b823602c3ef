"""Retrying what failed, and taking back what was cancelled: the service behind `enrich retry`.

Nothing here calls a provider: states become PENDING, their calls may be taken over under the same stable key, and the
batch is handed to whoever runs it next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.statuses import CallState, ErrorClass, Status
from enrichment_assets.domain.suggestions import did_you_mean
from enrichment_assets.domain.workflow import Mode
from enrichment_assets.services.batches.foresight import Hindrance, after_retry
from enrichment_assets.services.operations.recovery import (
    RETRIED,
    in_transaction,
    locked,
    note_change,
    wake_again,
    what_next,
)
from enrichment_assets.services.operations.remedies import hold_remedy
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.holds import ALL, Hold, read_holds, write_holds
from enrichment_assets.store.database import Connection
from enrichment_assets.store.deliveries.over import wake_cancelled
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.states import recovery, reopening
from enrichment_assets.store.states.batch_states import workflow_counts
from enrichment_assets.store.states.recovery import LockedBatch
from enrichment_assets.store.states.stops import lift_stops
from enrichment_assets.store.states.transitions import StepFacts

LIFTED = ("auth", "quota", "payment", "quiet", "breaker")
"""Stops that end with their providers' pauses."""


@dataclass(frozen=True, slots=True)
class RetryReport:
    """What a retry put back.

    Attributes:
        batch: Key of the batch.
        retried: Workflow slug -> FAILED states that are PENDING again.
        uncancelled: Workflow slug -> CANCELLED states that are PENDING again.
        calls: Ledger rows that the next attempt takes over.
        reopened: Steps PENDING again that were skipped because a retried step had not answered.
        pauses_lifted: Provider keys that may be called again at once.
        resumed: The batch has something PENDING and is continued.
        running: Labels of the runs that work on the batch at this moment.
        pending: Workflow slug -> states that are PENDING now, the retried ones among them.
        hindrances: Why steps would stand still again, whoever runs the batch next.
        let_go: It was cancelled, and is not any more: what of its leads was to be delivered leaves after all.
    """

    batch: str
    retried: Mapping[str, int]
    uncancelled: Mapping[str, int]
    calls: int
    reopened: int
    pauses_lifted: int
    resumed: bool
    running: tuple[str, ...]
    pending: Mapping[str, int]
    hindrances: tuple[Hindrance, ...]
    let_go: bool

    @property
    def next_step(self) -> Hint:
        """What to do now."""
        return what_next(self.batch, self.running) if self.resumed else Hint(Action.NOTHING_LEFT)


@dataclass(frozen=True, slots=True)
class Which:
    """Which states of a batch a retry is about; what is None does not matter.

    Attributes:
        workflow: Slug of the only workflow.
        provider: The only provider.
        error_class: The only class of failures; then nothing that was cancelled is meant.
        since: Only what came to stand there at this time or later.
    """

    workflow: str | None = None
    provider: str | None = None
    error_class: str | None = None
    since: datetime | None = None

    def slugs(self, blueprint: Blueprint) -> list[str]:
        """The workflows of a blueprint that are meant."""
        return [
            step.slug
            for step in blueprint.steps
            if self.workflow in (None, step.slug) and self.provider in (None, step.workflow.provider)
        ]


def retry(
    hq: Hq,
    settings: Settings,
    batch_key: str,
    *,
    actor: Actor,
    workflow: str | None = None,
    error_class: str | None = None,
    provider: str | None = None,
    since: datetime | None = None,
    dry_run: bool = False,
) -> RetryReport:
    """Make FAILED and CANCELLED states PENDING again, all or those that match; lift their providers' pauses.

    With `dry_run` it is done and taken back before anybody sees it: what is told is what would be.

    Raises:
        NotFoundError: no such batch, or it has no such workflow or provider.
        ConfigurationError: no such error class, or the batch is retired.
    """
    check_class(error_class)
    which = Which(workflow, provider, error_class, since)
    report, batch_id = in_transaction(
        hq, lambda connection: put_back(connection, settings, batch_key, which, actor=actor, dry_run=dry_run)
    )
    if report.running and not dry_run:
        wake_again(hq, [batch_id])
    return report


def check_class(error_class: str | None) -> None:
    """Raise `ConfigurationError` for an error class that does not exist."""
    if error_class is not None and error_class not in set(ErrorClass):
        known = ", ".join(member.value for member in ErrorClass)
        raise ConfigurationError(
            f"there is no error class {error_class!r} (known: {known})", code="error_class.not_found"
        )


def put_back(
    connection: Connection, settings: Settings, batch_key: str, which: Which, *, actor: Actor, dry_run: bool
) -> tuple[RetryReport, int]:
    """Do `retry` in a transaction of the caller's, which is rolled back here where it is a dry run.

    Returns the report and the batch's id. Raises as `retry`.
    """
    batch, blueprint = locked(connection, batch_key, which.workflow)
    slugs = which.slugs(blueprint)
    if not slugs:
        raise _no_such_provider(batch_key, blueprint, which.provider or "")
    facts = StepFacts.of(blueprint)
    picked = recovery.pick_states(
        connection, batch.batch_id, Status.FAILED, workflows=slugs, error_class=which.error_class, since=which.since
    )
    states = [(p.item_id, p.workflow) for p in picked]
    reopening.reopen_states(connection, states, Status.FAILED, facts, RETRIED)
    calls = recovery.ready_calls(connection, picked, CallState.FAILED)
    counts = Counter(p.workflow for p in picked)
    let_go, taken_back = (False, []) if which.error_class else _taken_back(connection, batch, facts, slugs, which.since)
    uncancelled = dict(Counter(slug for _, slug in taken_back))
    reopened = reopening.reopen_dependents(connection, states + taken_back, facts)
    called = _called(blueprint, slugs)
    lifted = recovery.lift_provider_pauses(connection, called)
    lifted_at = [step.slug for step in blueprint.steps if step.workflow.provider in called]
    lift_stops(connection, batch.batch_id, LIFTED, lifted_at)
    resumed = recovery.wake_batch(connection, batch.batch_id)
    pending = {c.slug: c.pending for c in workflow_counts(connection, batch.batch_id) if c.pending}
    hindrances = _held(batch, batch_key, pending)
    hindrances += after_retry(connection, settings, batch.batch_id, blueprint, pending)
    report = RetryReport(
        batch_key,
        dict(counts),
        uncancelled,
        len(calls),
        reopened,
        lifted,
        resumed,
        batch.runners,
        pending,
        tuple(hindrances),
        let_go,
    )
    if counts or uncancelled or reopened or lifted or let_go:
        said = {"retried": dict(counts), "calls": len(calls), "reopened": reopened, "pauses_lifted": lifted}
        said |= {"uncancelled": uncancelled} if uncancelled else {}
        note_change(connection, actor, Code.BATCH_RETRY, batch_key, batch, said)
    if dry_run:
        connection.rollback()
    return report, batch.batch_id


# crash point: cancellation-is-taken-back
def _taken_back(
    connection: Connection, batch: LockedBatch, facts: StepFacts, slugs: Sequence[str], since: datetime | None
) -> tuple[bool, list[tuple[int, str]]]:
    """Let workflows be called again that were cancelled.

    Returns whether the batch as a whole was cancelled and is not any more, and (item id, workflow slug) of what is
    PENDING again.
    """
    holds = read_holds(batch.holds)
    kept = _without_cancellations(holds, list(facts.providers), slugs)
    if kept != holds:
        write_holds(connection, batch.batch_id, kept)
    picked = recovery.pick_states(connection, batch.batch_id, Status.CANCELLED, workflows=slugs, since=since)
    states = [(p.item_id, p.workflow) for p in picked]
    reopening.reopen_states(connection, states, Status.CANCELLED, facts, RETRIED)
    let_go = ALL in holds and holds[ALL].kind == "cancelled" and ALL not in kept
    if let_go:
        wake_cancelled(connection, batch.batch_id)
    return let_go, states


def _without_cancellations(
    holds: Mapping[str, Hold], all_slugs: Sequence[str], slugs: Sequence[str]
) -> dict[str, Hold]:
    """The holds that are left; a cancellation of the whole batch stays with the workflows that are not meant."""
    whole = holds.get(ALL)
    kept = {name: hold for name, hold in holds.items() if hold.kind != "cancelled" or name not in (ALL, *slugs)}
    if whole is not None and whole.kind == "cancelled":
        kept |= {slug: whole for slug in all_slugs if slug not in slugs}
    return kept


def _held(batch: LockedBatch, batch_key: str, pending: Mapping[str, int]) -> list[Hindrance]:
    """The pauses that keep what is PENDING from being asked."""
    paused = {name: hold for name, hold in read_holds(batch.holds).items() if hold.kind == "paused"}
    if ALL in paused and pending:
        return [Hindrance(None, paused[ALL].sentence, (hold_remedy(paused[ALL]),))]
    return [Hindrance(name, hold.sentence, (hold_remedy(hold),)) for name, hold in paused.items() if name in pending]


def _no_such_provider(batch_key: str, blueprint: Blueprint, provider: str) -> NotFoundError:
    known = sorted({step.workflow.provider for step in blueprint.steps})
    return NotFoundError(
        f"batch {batch_key} asks no provider {provider!r}{did_you_mean(provider, known)} (it has: {', '.join(known)})",
        code="provider.not_in_batch",
    )


def _called(blueprint: Blueprint, slugs: Sequence[str]) -> list[str]:
    """Providers that these workflows of the batch call."""
    return sorted(
        {
            step.workflow.provider
            for step in blueprint.steps
            if step.workflow.mode is not Mode.LOCAL and step.slug in slugs
        }
    )
