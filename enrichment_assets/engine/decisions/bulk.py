"""What one answer to a bulk call does to each of its members. Pure: an answer in, a `Decision` for each member out.

An answer that is about the call as a whole (a refused key, a rate limit, a page of a gateway) is everybody's. Else each
member has its part, and that is decided like an answer that had come alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal

from enrichment_assets.domain.bodies import BodyEncodingError, plain_body
from enrichment_assets.domain.bulk_answers import Missing, Part, Place
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.statuses import CallState, ErrorClass, InboxStatus, Outcome, Status
from enrichment_assets.domain.workflow import Mode
from enrichment_assets.engine.decisions.decision import (
    Decision,
    completed,
    cost_of,
    decide,
    money_of,
    refused_input,
    unreadable,
)
from enrichment_assets.engine.decisions.lines import decide_line
from enrichment_assets.engine.decisions.reading import LARGE, decided, decided_callback
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.store.runs.contexts import Callback

_SHARE = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class MembersDecided:
    """A decision for each member, in the order of the request. `is_whole`: all the same, about the call itself."""

    decisions: Sequence[Decision]
    is_whole: bool


async def decided_members(step: Step, answer: Answer, place: Place) -> MembersDecided:
    """`decide_members`, off the event loop where the body is large."""
    if len(answer.body) < LARGE:
        return decide_members(step, answer, place)
    return await asyncio.to_thread(decide_members, step, answer, place)


async def decided_again(step: Step, answer: Answer, place: Place | None) -> Decision:
    """How a kept answer reads for the call whose place it is, its share of the cost included; None: it is the whole."""
    if place is None:
        return await decided(step, answer)
    return (await decided_members(step, answer, place)).decisions[place.index]


async def decided_delivery(step: Step, callback: Callback, body: bytes) -> tuple[Decision, InboxStatus]:
    """`decided_callback`, for a callback that answers one call or many."""
    if callback.place is None:
        return await decided_callback(step, callback, body)
    encoding, content_type = callback.headers.get("content-encoding"), callback.headers.get("content-type", "")
    return await asyncio.to_thread(decide_member_callback, step, body, encoding, content_type, callback.place)


# crash point: bulk-answer-is-read
def decide_members(step: Step, answer: Answer, place: Place) -> MembersDecided:
    """Take an answer apart and read each part. Never raises: what cannot be read is FAILED(contract)."""
    if is_about_the_call(step, answer):
        return MembersDecided([decide(step, answer)] * place.count, is_whole=True)
    price = step.workflow.price
    try:
        parts = step.bulk_reader.parts(answer, place)
    except ContractError as error:
        return MembersDecided([unreadable(str(error))] * place.count, is_whole=True)
    decisions = [decide_part(step, part) for part in parts]
    units = step.bulk_reader.cost_units(answer)
    if units is None and step.provider is not None:
        units = step.provider.classify(step.workflow.operation, answer).cost_units
    total = money_of(price, units)
    return MembersDecided(decisions if total is None else _with_shares(decisions, total), is_whole=False)


def decide_member(step: Step, answer: Answer, place: Place) -> Decision:
    """The same of one member, at its own price: for an answer that is read again."""
    if is_about_the_call(step, answer):
        return decide(step, answer)
    try:
        return decide_part(step, step.bulk_reader.part(answer, place))
    except ContractError as error:
        return unreadable(str(error))


# crash point: bulk-callback-is-read
def decide_member_callback(
    step: Step, body: bytes, encoding: str | None, content_type: str, place: Place
) -> tuple[Decision, InboxStatus]:
    """What a callback that answers many calls does to one of them. What cannot be read is a dead letter."""
    try:
        plain = step.echo.without_secrets(plain_body(body, encoding))
        decision = _delivered(step, Answer(200, {"content-type": content_type}, plain), place)
    except (ContractError, BodyEncodingError) as error:
        return unreadable(str(error)), InboxStatus.DEAD
    return decision, InboxStatus.DEAD if decision.status is Status.FAILED else InboxStatus.APPLIED


def decide_member_poll(step: Step, answer: Answer, place: Place) -> Decision | None:
    """The same of an answer to a poll; None: not ready yet. Raises `ContractError` where it is no answer."""
    if step.batch_api is not None:
        return decide_line(step, answer, place)
    delivered = step.reader.polled(answer, [])
    if delivered is None:
        return None
    return _delivered(step, Answer(200, {"content-type": "application/json"}, json_bytes(delivered[0])), place)


def _delivered(step: Step, whole: Answer, place: Place) -> Decision:
    """A member's part of what was delivered later for all, and its share of what that cost."""
    parts = step.bulk_reader.parts(whole, place)
    total = money_of(step.workflow.price, step.bulk_reader.cost_units(whole))
    if total is None:
        return _decide_delivered(step, parts[place.index])
    return _with_shares([_decide_delivered(step, part) for part in parts], total)[place.index]


def _decide_delivered(step: Step, part: Part) -> Decision:
    """A part is read as if it had been delivered alone."""
    if isinstance(part, Missing):
        return decide_part(step, part)
    price = step.workflow.price
    try:
        return completed(price, step.reader.read_callback(part.body, part.headers["content-type"]))
    except ContractError as error:
        return unreadable(str(error))


def decide_part(step: Step, part: Part) -> Decision:
    """One member's part of an answer."""
    if not isinstance(part, Missing):
        return decide(step, part)
    price = step.workflow.price
    if part.is_refused:
        return refused_input(part.why)
    if not part.is_miss:
        return unreadable(part.why)
    cost = cost_of(price, Outcome.NOT_FOUND, None)
    return Decision(
        Status.COMPLETED, CallState.APPLIED, Outcome.NOT_FOUND, part.why, cost=cost, as_reserved=cost is None
    )


def is_about_the_call(step: Step, answer: Answer) -> bool:
    """Whether an answer says something about the call and nothing about its members."""
    if step.workflow.mode is Mode.ASYNC or step.provider is None or not 200 <= answer.status < 300:
        return True
    verdict = step.provider.classify(step.workflow.operation, answer)
    return verdict.error is not None or verdict.not_found or verdict.suppress


def ask_alone(decision: Decision, count: int) -> bool:
    """Whether one member may have spoilt the call for all: each is asked again by itself."""
    is_refused = decision.status is Status.SKIPPED and decision.call_state in (CallState.APPLIED, CallState.FAILED)
    return count > 1 and is_refused


def again_alone(decision: Decision) -> Decision:
    """The refused call, to be made again for one member; nothing was done or billed."""
    reason = f"one call for all was refused ({decision.reason}); asked again by itself"
    return Decision(Status.PENDING, CallState.READY, None, reason, ErrorClass.RETRYABLE, again_in=0.0)


def _with_shares(decisions: Sequence[Decision], total: Decimal) -> list[Decision]:
    """What the whole call cost, shared by the members that were found (else by all): to the last fraction."""
    payers = [n for n, decision in enumerate(decisions) if decision.outcome is Outcome.FOUND] or [
        *range(len(decisions))
    ]
    share = (total / len(payers)).quantize(_SHARE, rounding=ROUND_DOWN)
    costs = dict.fromkeys(payers, share)
    costs[payers[0]] += total - share * len(payers)
    return [replace(decision, cost=costs.get(n, Decimal(0)), as_reserved=False) for n, decision in enumerate(decisions)]
