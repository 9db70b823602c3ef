"""One request on the wire and what became of it: an answer, nothing sent, or a fate unknown. Nothing is stored here."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.provider import Answer, RenderedRequest
from enrichment_assets.domain.statuses import NO_ANSWER, CallState, ErrorClass, SkipReason, Status
from enrichment_assets.engine.decisions.decision import MAX_REASON, Decision, unreadable
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.event_log import log_event
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.engine.throttle.rates import Closed, Turn, TurnMissed
from enrichment_assets.engine.tracing import span
from enrichment_assets.wire.conversations import converse
from enrichment_assets.wire.gmail_sending import GmailRequest, submit_by_gmail
from enrichment_assets.wire.simulator import RECEIVER_HEADER
from enrichment_assets.wire.smtp import MailRequest, submit
from enrichment_assets.wire.transport import AnswerTooLarge, FateUnknown, NotSent, NotTheSimulator, send

CALLBACKS = "/callbacks/"
"""Below the receiver's address: where callbacks go, before the token that names the call."""


PUT_TO_PEOPLE = Answer(202, {}, b"{}")
"""What the ledger has of a question that people see as soon as it stands there: nothing leaves."""


# Not frozen, for each call makes one of each: a frozen one takes several times as long to make.


@dataclass(slots=True)
class Attempt:
    """One attempt that may have left: which ledger row it is, and what is kept there of the exchange.

    Attributes:
        reserved: Money that was set aside for it.
        http_status: None where there was no answer.
        duration_ms: See `Exchange`.
    """

    call_id: int
    number: int
    reserved: Decimal
    http_status: int | None = None
    duration_ms: int | None = None


@dataclass(slots=True)
class Made:
    """An attempt that was made, and what is decided about it.

    Attributes:
        is_down: The provider is; that uses up no item's attempts.
        is_heard: What it says of the provider is for others too. Of the members of one call, one says it.
        alone: It is to be made again, without company.
    """

    attempt: Attempt
    decision: Decision
    is_down: bool = False
    is_heard: bool = True
    alone: bool = False


@dataclass(slots=True)
class Exchange:
    """What came of one request: the provider's answer, or what is decided where there is none.

    `duration_ms` is the provider's time: from the first byte that left to the whole answer, or to giving it up. None
    where nothing left.
    """

    outcome: Answer | Decision
    duration_ms: int | None


@dataclass(slots=True)
class Departure:
    """The last question before a request leaves (does the lease still hold?), and when that was."""

    may_leave: Callable[[], None]
    at: float | None = None

    def __call__(self) -> None:
        """Ask, then note the time. Raises `LeaseLost`."""
        self.may_leave()  # guard: lease-is-asked-at-departure
        self.at = time.perf_counter()

    def milliseconds(self) -> int | None:
        """Since it left; None: it did not. What it waited for before, our own rate included, is not in it."""
        return None if self.at is None else round((time.perf_counter() - self.at) * 1000)


def callback_url(run: Run, token: str | None) -> str | None:
    """Where the answer to an asynchronous call is to be sent; None: it comes at once."""
    return f"{run.receiver_url}{CALLBACKS}{token}" if token else None


def addressed(run: Run, step: Step, rendered: RenderedRequest, key: str) -> RenderedRequest:
    """The request as it leaves: authorised, and under the key by which the provider knows its repetition."""
    request = step.authorised(rendered)
    # guard: repeated-call-has-its-key
    added = {step.workflow.idempotency_header: key} if step.workflow.idempotency_header else {}
    if step.only_simulator is not None:
        added[RECEIVER_HEADER] = run.receiver_url
    return replace(request, headers={**request.headers, **added}) if added else request


async def send_in_turn(
    run: Run, step: Step, request: RenderedRequest, turn: Turn, departure: Departure | None = None
) -> Answer:
    """Send a request at its turn, if this run's lease still holds at that moment; no secret of ours comes back.

    Raises:
        LeaseLost: Nothing was sent: this process was stopped for longer than its lease.
        Closed: Nothing was sent: the provider asked for quiet meanwhile.
        NotSent, FateUnknown, AnswerTooLarge, ContractError: see `transport.send`.
    """
    answer = await _sent(run, step, request, turn, departure or run.lease.check)
    answer, repeated = step.echo.clean(answer)
    if repeated:
        log_event(run, "secret_repeated", step)
    return answer


async def _sent(run: Run, step: Step, request: RenderedRequest, turn: Turn, may_leave: Callable[[], None]) -> Answer:
    gate = step.gate
    if gate is None or not step.is_paced:
        return await _spoken(run, step, request, may_leave)
    while True:
        try:
            return await _spoken(run, step, request, may_leave, partial(gate.acquire, turn))
        except TurnMissed as missed:
            turn = await gate.turn_after(missed)


async def _spoken(
    run: Run,
    step: Step,
    request: RenderedRequest,
    may_leave: Callable[[], None],
    turn: Callable[[], Awaitable[None]] | None = None,
) -> Answer:
    """One request, or the several that are one call with this provider."""
    timeout = step.workflow.retry.timeout
    if isinstance(request, MailRequest):
        if step.only_simulator is not None and not request.stays_here:
            raise NotTheSimulator(
                "a batch for the simulator writes to nobody: its mailbox's server is elsewhere",
                code="mail.simulator_only",
            )
        return await submit(request.submission, timeout, turn=turn, may_leave=may_leave)
    if isinstance(request, GmailRequest):
        return await submit_by_gmail(
            run.client, request, timeout, simulator=step.only_simulator, turn=turn, may_leave=may_leave
        )
    several = None if step.provider is None else step.provider.conversation(request, step.secrets)
    if several is None:
        return await send(run.client, request, timeout, turn=turn, may_leave=may_leave)
    return await converse(run.client, several, timeout, turn=turn, may_leave=may_leave)


# crash point: attempt-is-made
async def exchange(run: Run, step: Step, request: RenderedRequest, turn: Turn) -> Exchange:
    """Send a request whose intent is durable.

    A request that the lease holds back leaves its intent as it is: whoever retired this run decides about it.
    """
    with span("call", workflow=step.slug, provider=step.workflow.provider) as told:
        exchanged = await _exchanged(run, step, request, turn)
        outcome = exchanged.outcome
        told.told("http_status", outcome.status if isinstance(outcome, Answer) else None)
        told.told("provider_ms", exchanged.duration_ms)
        told.told("error_class", outcome.error_class if isinstance(outcome, Decision) else None)
    return exchanged


async def _exchanged(run: Run, step: Step, request: RenderedRequest, turn: Turn) -> Exchange:
    outcome: Answer | Decision
    if step.provider is not None and step.provider.asks_people:
        return Exchange(PUT_TO_PEOPLE, None)
    departure = Departure(run.lease.check)
    try:
        outcome = await send_in_turn(run, step, request, turn, departure)
    except Closed as closed:
        outcome = _to_be_sent_again(str(closed), again_in=closed.seconds)
    except NotSent as error:
        outcome = _to_be_sent_again(f"the provider could not be reached: {error}")
    except FateUnknown as error:
        outcome = fate_unknown(step, _unanswered(step, error))
    except AnswerTooLarge as error:
        outcome = unreadable(str(error))
    except ContractError as error:  # an address or header that no request can have: nothing left
        reason = f"{SkipReason.INVALID_INPUT.value}: {error}"
        outcome = Decision(Status.SKIPPED, CallState.FAILED, reason=reason[:MAX_REASON])
    return Exchange(outcome, departure.milliseconds())


def _unanswered(step: Step, error: FateUnknown) -> str:
    """Who ended it matters: a provider, or a gateway that repeats by itself, may be at it still."""
    if error.timed_out:
        return f"{NO_ANSWER} within our own time-out of {step.workflow.retry.timeout:g} s (`retry.timeout`)"
    return f"{NO_ANSWER}: {error}"


def fate_unknown(step: Step, reason: str) -> Decision:
    """Nobody knows whether the provider did (and billed) it: ask a person, unless repeating is harmless."""
    workflow = step.workflow
    # A bulk call is repeated under its key as a whole (`engine.calls.bulk_call`): a member alone is another request.
    is_keyed = workflow.idempotency_header is not None and workflow.bulk is None
    if workflow.free_or_idempotent or is_keyed:  # guard: unknown-fate-is-not-resent
        return _to_be_sent_again(reason, may_be_billed=True)
    return Decision(Status.AMBIGUOUS, CallState.AMBIGUOUS, None, reason[:MAX_REASON], ErrorClass.AMBIGUOUS)


def _to_be_sent_again(reason: str, *, again_in: float = 0.0, may_be_billed: bool = False) -> Decision:
    return Decision(
        Status.PENDING,
        CallState.READY,
        None,
        reason[:MAX_REASON],
        ErrorClass.RETRYABLE,
        again_in=again_in,
        may_be_billed=may_be_billed,
    )
