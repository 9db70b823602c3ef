"""What the results of an order to a vendor's batch API do to its lines. Pure: one answer in, a `Decision` out."""

from __future__ import annotations

from decimal import Decimal

from enrichment_assets.domain.bulk_answers import Place
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.prompts.batch_api import LineEnd, LineResult
from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.statuses import CallState, ErrorClass, Status
from enrichment_assets.engine.decisions.decision import Decision, decide_result, failed, unreadable
from enrichment_assets.engine.run.prepared_step import Step

_FREE = Decimal(0)
_JSON = {"content-type": "application/json"}
_AGAIN = {
    LineEnd.EXPIRED: "the batch expired before this line was asked; it is not billed",
    LineEnd.NOT_DONE: "the batch was refused for other lines of it",
}


# crash point: line-is-read
def decide_line(step: Step, answer: Answer, place: Place) -> Decision | None:
    """What the combined results mean for the line at a place; None: the order has not ended.

    Raises:
        ContractError: It is no answer of a batch API.
    """
    if not 200 <= answer.status < 300:
        raise ContractError(f"the batch could not be looked at: HTTP {answer.status}", code="batch.not_seen")
    lines = step.lines.lines(answer.body)
    if lines is None:
        return None
    if place.names is None:
        raise ContractError("the lines of this order have no names", code="answer.lines_nameless")
    name = place.names[place.index]
    if name not in lines:
        return unreadable("the batch has ended, and its results say nothing about this line")
    line = lines[name]
    if line is None:
        return unreadable("the batch has different results for this line")
    return _decided(step, line, answer)


def _decided(step: Step, line: LineResult, answer: Answer) -> Decision:
    if line.end is LineEnd.ANSWERED:
        return decide_result(step, Answer(line.status, _JSON, json_bytes(line.body), inputs=answer.inputs))
    if line.end in _AGAIN:
        reason = _AGAIN[line.end]
        return Decision(Status.PENDING, CallState.READY, None, reason, ErrorClass.RETRYABLE, again_in=0.0, cost=_FREE)
    if line.end is LineEnd.CANCELED:
        return failed(ErrorClass.CONTRACT, "the batch was cancelled at the provider before this line was asked", _FREE)
    return failed(ErrorClass.CONTRACT, f"the batch refused this line: {line.why}", _FREE)
