"""What an answer does to a workflow state. Pure: an answer and its verdict in, a `Decision` out; no I/O.

The same function serves a live answer, an answer found in the ledger after a crash, and `enrich replay`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from enrichment_assets.domain.bodies import BodyEncodingError, plain_body
from enrichment_assets.domain.cleaned import Reason
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.http_answers import RETRY_AFTER, asked_pace, classify_status, describe, is_web_page
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.prices import Price
from enrichment_assets.domain.prompts.neutral import Completion
from enrichment_assets.domain.prompts.reading import NoAnswer, PromptReader
from enrichment_assets.domain.prompts.settlement import UNTOLD, CostBasis, settled
from enrichment_assets.domain.prompts.usage import TokenUsage
from enrichment_assets.domain.provider import Answer, Reading, Verdict
from enrichment_assets.domain.statuses import CallState, ErrorClass, InboxStatus, Outcome, SkipReason, Status
from enrichment_assets.domain.workflow import Mode, WorkflowDefinition
from enrichment_assets.engine.run.prepared_step import Step

_NO_VALUE = Reason.PLACEHOLDER.value

MAX_REASON = 500
"""Characters of a reason that are kept."""

LEAST_PACE = 1.0
"""Seconds between two polls for one result, whatever a provider says."""

_SMALLEST = Decimal("0.000001")
_HIGHEST_EXPONENT = 9
"""A single call that costs 10 billion or more is a provider's mistake, and no column of ours holds it."""


@dataclass(frozen=True, slots=True)
class Used:
    """What a model's call used, as the ledger keeps it; `usage` None: the answer does not say, or there is none."""

    basis: CostBasis
    model: str | None = None
    usage: TokenUsage | None = None

    def as_json(self) -> str:
        """As `store.calls.ledger.Applied.used` has it."""
        return dump({"basis": self.basis.value, "model": self.model, **(asdict(self.usage) if self.usage else {})})


# Decisions and endings are not frozen, like what the ledger is given: a frozen one takes several times as long to make.


@dataclass(slots=True)
class Decision:
    """How a state and its call move.

    `cost` is what an answer says, or what the price says of it; `as_reserved`: neither says anything, and what was set
    aside for the attempt is booked.
    `again_in` is set when another attempt may follow (seconds the provider asked for, or 0); `may_be_billed`: if none
    does, the attempt is booked `as_reserved`: its fate is unknown, and the next one would have been the same;
    `rejected` is what of the answer is no value of its field, kept with the result, and `citations` is where grounded
    values stand; `stops_provider` says that further
    calls with this key are pointless for now; `poll_in`: seconds until an accepted submission is asked about;
    `completion` is what a model said and used, also where its answer does not count; `is_invalid`: it is not as asked,
    and may be asked for once more.
    """

    status: Status
    call_state: CallState
    outcome: Outcome | None = None
    reason: str | None = None
    error_class: ErrorClass | None = None
    reading: Reading | None = None
    cost: Decimal | None = None
    as_reserved: bool = False
    external_id: str | None = None
    again_in: float | None = None
    may_be_billed: bool = False
    stops_provider: bool = False
    poll_in: float | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    rejected: dict[str, Any] = field(default_factory=dict)
    citations: dict[str, Any] = field(default_factory=dict)
    completion: Completion | None = None
    is_invalid: bool = False

    def booked(self, reserved: Decimal) -> Decimal | None:
        """What an attempt cost for which this was `reserved`; None: nothing is known to be billed."""
        return reserved if self.as_reserved else self.cost

    def used(self, price: Price, booked: Decimal | None) -> Used | None:
        """What a model's call used, for the ledger; None: nothing was booked for it."""
        if booked is None:
            return None
        basis = CostBasis.RESERVED if self.as_reserved else None
        if self.completion is None:
            return None if basis is None else Used(basis)
        return Used(basis or settled(price, self.completion).basis, self.completion.model, self.completion.usage)

    @property
    def payload(self) -> str | None:
        """The payload as JSON text, None where there is none."""
        return None if self.reading is None else dump(self.reading.payload)


@dataclass(slots=True)
class Ending:
    """How a step ended for one item in this run: the decision, and the rows that it stands in.

    `deferred`: PENDING, and not to be tried again in this run before other work is done, nor before `retry_in` seconds.
    `fetched_at`: when an answer that was taken over was first fetched.
    """

    decision: Decision
    call_id: int | None = None
    result_id: int | None = None
    deferred: bool = False
    retry_in: float | None = None
    fetched_at: datetime | None = None

    def for_others(self) -> Ending:
        """What other items of the same company or question take over: no cost, and no payload that is kept for long."""
        said = self.decision
        decision = Decision(
            said.status, said.call_state, said.outcome, said.reason, said.error_class, fields=said.fields
        )
        return replace(self, decision=decision)


PUT_OFF = Ending(Decision(Status.PENDING, CallState.READY), deferred=True)
"""Nothing was sent; the step is tried again later."""


def dump(value: object) -> str:
    """JSON text of a payload or of fields."""
    return json_bytes(value).decode()


# crash point: answer-is-read
def decide(step: Step, answer: Answer) -> Decision:
    """Classify and read one raw answer. Never raises: what cannot be read is FAILED(contract)."""
    return _decided(step, answer, step.reader.read, is_accepted=step.workflow.mode is Mode.ASYNC)


def decide_poll(step: Step, answer: Answer) -> Decision | None:
    """How an answer to a poll ends the call; None: not ready yet.

    A model's background answer has a verdict of its own, also inside HTTP 200: it is decided like one at once.

    Raises:
        ContractError: It is no answer: of another status, or unreadable.
    """
    if isinstance(step.reader, PromptReader) and 200 <= answer.status < 300:
        if step.reader.polled(answer, []) is None:
            return None
        return _decided(step, answer, step.reader.read_result, is_accepted=False)
    reading = step.reader.read_poll(answer)
    return None if reading is None else completed(step.workflow.price, reading)


def decide_result(step: Step, answer: Answer) -> Decision:
    """What a model's answer that came later means, whatever its status. Never raises."""
    if not isinstance(step.reader, PromptReader):
        return failed(ErrorClass.CONTRACT, "the workflow asks no model")
    return _decided(step, answer, step.reader.read_result, is_accepted=False)


def _decided(step: Step, answer: Answer, read: Callable[[Answer], Reading], *, is_accepted: bool) -> Decision:
    if step.provider is None:
        return failed(ErrorClass.CONTRACT, "a local workflow has no answers")
    verdict = as_declared(step.workflow, answer, step.provider.classify(step.workflow.operation, answer))
    price = step.workflow.price
    if verdict.suppress:
        return _skipped(SkipReason.SUPPRESSED, verdict.message, cost=money_of(price, verdict.cost_units))
    if verdict.error is not None:
        return _error(verdict.error, verdict.message, verdict.retry_after, money_of(price, verdict.cost_units))
    if verdict.not_found:
        cost = cost_of(price, Outcome.NOT_FOUND, verdict.cost_units)
        if step.workflow.prompt is not None and answer.status >= 400:
            cost = Decimal(0)  # a filter that lets no request through is not billed
        reason = verdict.message or "not found"
        return Decision(
            Status.COMPLETED, CallState.APPLIED, Outcome.NOT_FOUND, reason, cost=cost, as_reserved=cost is None
        )
    try:
        reading = read(answer)
    except ContractError as error:
        return unread(price, error, cost_of(price, Outcome.FOUND, verdict.cost_units))
    if is_accepted:
        pace = poll_in(step.workflow, answer) if reading.external_id else None
        return Decision(
            Status.IN_PROGRESS, CallState.SENT, reading=reading, external_id=reading.external_id, poll_in=pace
        )
    return completed(price, reading, verdict.cost_units)


def poll_in(workflow: WorkflowDefinition, answer: Answer | None) -> float | None:
    """Seconds until a submission is asked about (again): the provider's word, else the workflow's; None: nobody's."""
    if workflow.poll is None:
        return None
    named = None if answer is None else asked_pace(answer)
    pace = workflow.poll.every if named is None else named
    return None if pace is None else max(pace, LEAST_PACE)


def without_pace(answer: Answer) -> Answer:
    """The answer without what it says of when to come back: said of one result, not of the provider."""
    if RETRY_AFTER.keys().isdisjoint(answer.headers):
        return answer
    return replace(answer, headers={name: text for name, text in answer.headers.items() if name not in RETRY_AFTER})


def as_declared(workflow: WorkflowDefinition, answer: Answer, verdict: Verdict) -> Verdict:
    """The provider's verdict, as the workflow's own words about statuses change it.

    A 404 to the request that starts an asynchronous workflow is never a miss: nobody has looked for anything yet. An
    HTML page is a server's or a gateway's, whatever its status: it says nothing about the row.
    """
    if workflow.mode is Mode.ASYNC:
        return classify_status(answer) if verdict.not_found and answer.status == 404 else verdict
    response = workflow.response
    if answer.status in response.not_found_status and (response.format in ("text", "page") or not is_web_page(answer)):
        return Verdict(
            not_found=True, message=describe(answer.status, "nothing is known"), cost_units=verdict.cost_units
        )
    return verdict


# crash point: callback-is-read
def decide_callback(
    step: Step, body: bytes, encoding: str | None = None, content_type: str = ""
) -> tuple[Decision, InboxStatus]:
    """Read a callback's body as it came (`encoding`: its Content-Encoding).

    What cannot be unpacked or read is a dead letter and FAILED(contract).
    """
    try:
        reading = step.reader.read_callback(step.echo.without_secrets(plain_body(body, encoding)), content_type)
    except (ContractError, BodyEncodingError) as error:
        return unreadable(str(error)), InboxStatus.DEAD
    return completed(step.workflow.price, reading), InboxStatus.APPLIED


def completed(price: Price, reading: Reading, header_units: Decimal | None = None) -> Decision:
    """The state is COMPLETED, found or not, at what the answer says it cost."""
    units = reading.cost_units if reading.cost_units is not None else header_units
    found = reading.outcome is Outcome.FOUND
    unusable = {name: entry["reason"] for name, entry in reading.rejected.items() if entry["reason"] != _NO_VALUE}
    # What is no value to us was one to the provider, and is billed like one.
    cost = cost_of(price, Outcome.FOUND if found or unusable else Outcome.NOT_FOUND, units)
    if reading.completion is not None:
        cost = settled(price, reading.completion).amount
    untold = UNTOLD if reading.completion is not None and cost is None else None
    said = [None if found else reading.reason or _why_not_found(unusable), reading.note, untold]
    return Decision(
        Status.COMPLETED,
        CallState.APPLIED,
        reading.outcome,
        "; ".join(filter(None, said)) or None,
        reading=reading,
        cost=cost,
        as_reserved=cost is None,
        fields=dict(reading.fields) if found else {},
        rejected=dict(reading.rejected),
        citations=dict(reading.cited),
        completion=reading.completion,
    )


def _why_not_found(unusable: Mapping[str, str]) -> str:
    if not unusable:
        return "the answer has none of the asked fields"
    return f"no value of its field: {', '.join(f'{name} ({reason})' for name, reason in unusable.items())}"


def failed(error_class: ErrorClass, reason: str, cost: Decimal | None = None) -> Decision:
    """The state is FAILED for good (until a person retries it)."""
    # guard: error-is-no-miss
    return Decision(Status.FAILED, CallState.FAILED, None, reason[:MAX_REASON], error_class, cost=cost)


def refused_input(reason: str) -> Decision:
    """SKIPPED(invalid_input): the provider would not have this one, and says why; nothing is billed."""
    return _skipped(SkipReason.INVALID_INPUT, reason)


def unreadable(reason: str, cost: Decimal | None = None) -> Decision:
    """FAILED(contract): what came could not be read, and may be billed: as reserved, where nothing says more."""
    return replace(failed(ErrorClass.CONTRACT, reason, cost), as_reserved=cost is None)


def unread(price: Price, error: ContractError, cost: Decimal | None = None) -> Decision:
    """The same by what was raised; a model's answer that does not count is billed by what it says that it used."""
    if not isinstance(error, NoAnswer):
        return unreadable(str(error), cost)
    # What was wrong with an answer that may be asked for again is told to the model, word for word.
    cost = settled(price, error.completion).amount
    decision = unreadable(str(error) if cost is not None or error.is_invalid else f"{error}; {UNTOLD}", cost)
    return replace(decision, completion=error.completion, is_invalid=error.is_invalid)


def cost_of(price: Price, outcome: Outcome, units: Decimal | None) -> Decimal | None:
    """Money for one call: what was reported, else the price of a miss; None: as was reserved."""
    reported = money_of(price, units)
    if reported is not None:
        return reported
    if outcome is Outcome.NOT_FOUND and price.not_found is not None:
        return price.not_found
    return None


def money_of(price: Price, units: Decimal | None) -> Decimal | None:
    """What was reported, in money; None where nothing was, or nothing that can be true (the estimate counts then)."""
    if units is None or price.per_unit is None or units.adjusted() > _HIGHEST_EXPONENT:
        return None
    money = (units * price.per_unit).quantize(_SMALLEST)
    return money if money.adjusted() <= _HIGHEST_EXPONENT else None


def _skipped(reason: SkipReason, detail: str, cost: Decimal | None = None) -> Decision:
    text = f"{reason.value}: {detail}" if detail else reason.value
    return Decision(Status.SKIPPED, CallState.APPLIED, None, text[:MAX_REASON], cost=cost)


def _error(error_class: ErrorClass, message: str, retry_after: float | None, cost: Decimal | None) -> Decision:
    if error_class is ErrorClass.INVALID_INPUT:
        return _skipped(SkipReason.INVALID_INPUT, message, cost)
    if error_class is ErrorClass.RETRYABLE or error_class.stops_provider:
        return Decision(
            Status.PENDING,
            CallState.READY,
            None,
            message[:MAX_REASON],
            error_class,
            cost=cost,
            again_in=retry_after or 0.0,
            stops_provider=error_class.stops_provider,
        )
    return failed(error_class, message, cost)
