"""An answer to a prompt that is not as asked is asked for once more: a call of its own, with its own key.

The first ask has the subject's key, each later one a key that follows from it. So nothing else has to be remembered: a
run that begins anew comes to the first ask, finds in the ledger that it ended with such an answer, and goes on to the
next with what was wrong. Of two asks one is never lost and none is made twice.
"""

from __future__ import annotations

from dataclasses import replace

from enrichment_assets.domain.prompts.answers import INVALID
from enrichment_assets.domain.statuses import CallState, ErrorClass, Status
from enrichment_assets.engine.calls.subject import Subject
from enrichment_assets.engine.decisions.decision import MAX_REASON, Decision
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.store.calls.intents import IntentVerdict


def may_ask_again(step: Step, subject: Subject) -> bool:
    """Whether this ask is not the last one."""
    return step.workflow.prompt is not None and subject.ask <= step.workflow.retry.invalid_answers


def as_asked_again(step: Step, subject: Subject, decision: Decision) -> Decision:
    """An answer that is not as asked ends its call; the step goes on to the next ask, if there is one."""
    if not decision.is_invalid or not may_ask_again(step, subject):
        return decision
    return replace(decision, status=Status.PENDING, again_in=0.0)


def is_asked_again(decision: Decision) -> bool:
    """Whether the next ask follows."""
    return decision.is_invalid and decision.status is Status.PENDING


def after(step: Step, subject: Subject, decision: Decision) -> Subject:
    """The subject of the ask that follows a decision of `as_asked_again`."""
    return subject.next_ask((decision.reason or INVALID)[:MAX_REASON])


def after_verdict(step: Step, subject: Subject, verdict: IntentVerdict) -> Subject | None:
    """The next ask, where the ledger says that this one was answered with what is not as asked; None: it does not."""
    is_invalid = (
        verdict.state == CallState.FAILED
        and verdict.error_class == ErrorClass.CONTRACT
        and (verdict.error or "").startswith(INVALID)
    )
    return subject.next_ask(verdict.error or INVALID) if is_invalid and may_ask_again(step, subject) else None


def ask_of(step: Step, subject: Subject, call_key: str) -> Subject | None:
    """The ask that a call of the ledger is; None: it is none of this subject's, the subject has changed."""
    asks = [subject]
    while may_ask_again(step, asks[-1]):
        asks.append(asks[-1].next_ask(INVALID))
    return next((ask for ask in asks if ask.key == call_key), None)
