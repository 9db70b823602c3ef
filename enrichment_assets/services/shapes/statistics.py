"""What each workflow of a batch did: found rate, time, money, tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from enrichment_assets.services.shapes.batches import ReasonCount
from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.store.results import statistics


@dataclass(frozen=True, slots=True)
class TokensUsed(Shape):
    """What the language model of a workflow used in one batch.

    Attributes:
        input: Tokens that went in, all of them.
        cached_input: Of these, read from the vendor's cache.
        cache_write: Of these, written to it.
        output: Tokens that came out.
        searches: Web searches.
        untold: Calls that are booked at what was reserved, since no answer says what they used.
    """

    input: int
    cached_input: int
    cache_write: int
    output: int
    searches: int
    untold: int


@dataclass(frozen=True, slots=True)
class WorkflowStatistics(Shape):
    """What one workflow did in one batch.

    Attributes:
        workflow: Its slug.
        provider: Who was called.
        found_rate: Found answers of all answers; null without any.
        success_rate: Answers, misses among them, of all attempts that ended; null without any.
        calls: Attempts that were answered or timed.
        cost: What they cost.
        p50_ms: Half of them took at most so many milliseconds.
        p95_ms: 95 of 100 took at most so many milliseconds.
        p99_ms: 99 of 100 took at most so many milliseconds.
        busy_seconds: From the first attempt to the last.
        errors: Error class to attempts that ended with it.
        reused: Answers of other batches that were taken instead of a call.
        saved: What those calls would have cost.
        bottleneck: It held the batch up for longest.
        held_up: What held the batch up there, for how much of the time, and what to change; null: not there.
        spent_seconds: What it waited for to seconds: `rate`, `slots`, `provider`, `callbacks`, `rests`, `ours`.
        currency: Of all its money.
        answers: Calls that brought an answer, whatever it was worth.
        accepted: Those whose answer was found and is valid.
        cost_per_answer: Money for each answer; null without any.
        cost_per_accepted: Money for each that is accepted, the others' money included; null without any.
        tokens: Of a language model; null: none was asked.
        reasons: Why its states stand where they stand, the commonest first.
    """

    workflow: str
    provider: str
    found_rate: float | None
    success_rate: float | None
    calls: int
    cost: Decimal
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    busy_seconds: float
    errors: Mapping[str, int]
    reused: int
    saved: Decimal
    bottleneck: bool
    held_up: str | None
    spent_seconds: Mapping[str, float]
    currency: str
    answers: int
    accepted: int
    cost_per_answer: Decimal | None
    cost_per_accepted: Decimal | None
    tokens: TokensUsed | None
    reasons: tuple[ReasonCount, ...]

    @classmethod
    def of(cls, row: statistics.WorkflowStatistics) -> WorkflowStatistics:
        """From what the services return."""
        reasons = (
            ReasonCount(one.workflow, one.status, one.error_class, one.reason, one.states) for one in row.reasons
        )
        return cls(
            workflow=row.workflow,
            provider=row.provider,
            found_rate=row.found_rate,
            success_rate=row.success_rate,
            calls=row.calls,
            cost=row.cost,
            p50_ms=row.p50_ms,
            p95_ms=row.p95_ms,
            p99_ms=row.p99_ms,
            busy_seconds=row.busy_seconds,
            errors=row.errors,
            reused=row.reused,
            saved=row.saved,
            bottleneck=row.bottleneck,
            held_up=row.held_up,
            spent_seconds={spent_on.value: round(seconds, 1) for spent_on, seconds in row.spent.items()},
            currency=row.currency,
            answers=row.answers,
            accepted=row.accepted,
            cost_per_answer=row.cost_per_answer,
            cost_per_accepted=row.cost_per_accepted,
            tokens=None if row.tokens is None else TokensUsed(**asdict(row.tokens)),
            reasons=tuple(reasons),
        )
