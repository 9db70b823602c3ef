"""A call about a delivery that may not leave: what the ledger said, and what becomes of the lead."""

from __future__ import annotations

from enrichment_assets.domain.delivery_courses import Left
from enrichment_assets.domain.statuses import CallState, Status
from enrichment_assets.engine.calls.single_flight import WAIT_FOR_OTHER, follow
from enrichment_assets.engine.decisions.decision import MAX_REASON, Decision, Ending
from enrichment_assets.engine.decisions.outcome import Move, conclude
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.store.calls.intents import IntentVerdict
from enrichment_assets.store.runs.contexts import LoadedItem


class Moved(Exception):
    """More was done about the lead there than this run knew: what stands there is to be read again."""


_MOVED = frozenset({"moved", CallState.APPLIED, CallState.FAILED, CallState.AMBIGUOUS})
_UNDER_WAY = frozenset({"busy", CallState.INTENT, CallState.RECEIVED, CallState.SENT})

WITHDRAWN = "somebody has decided otherwise about a draft since it was planned"
ANOTHER = "it is delivered under another of its addresses or profiles; planned again, it is known by that"


async def heed(run: Run, item: LoadedItem, step: Step, verdict: IntentVerdict) -> Ending:
    """End or put off a lead's turn by the verdict on its intent.

    Raises:
        Moved: It is to be looked at again.
        ItemLost: The item was taken over.
    """
    if verdict.state in _MOVED:
        raise Moved
    if verdict.state in _UNDER_WAY:
        return await _put_off(run, item, step, "another run has a call about this lead under way", WAIT_FOR_OTHER)
    if verdict.state == "stopped" and verdict.again_in is not None:
        return await _put_off(run, item, step, f"{Left.STOPPED.value}: {verdict.error}", verdict.again_in)
    refused = {
        "stopped": (Left.STOPPED, verdict.error),
        "known": (Left.DOUBLE, ANOTHER),
        "withdrawn": (Left.NOT_APPROVED, WITHDRAWN),
    }.get(verdict.state)
    if refused is None:
        return await follow(run, item, step, verdict)
    reason = f"{refused[0].value}: {refused[1]}"[:MAX_REASON]
    return await conclude(run, item, step, Decision(Status.SKIPPED, CallState.FAILED, reason=reason), Move())


async def _put_off(run: Run, item: LoadedItem, step: Step, reason: str, seconds: float) -> Ending:
    decision = Decision(Status.PENDING, CallState.READY, None, reason[:MAX_REASON])
    ending = await conclude(run, item, step, decision, Move(retry_in=seconds))
    return Ending(ending.decision, deferred=True, retry_in=seconds)
