"""Whom a call is about, and what it asks: worked out once, when a step's turn has come, and passed along from there.

What belongs here: the subject, the question and the call's key, which follow from the item and the blueprint. What is
done with them (sharing, reuse, the ledger) is elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import orjson

from enrichment_assets.domain.call_keys import key_of_call
from enrichment_assets.domain.delivery_keys import key_of_delivery_call
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.workflow import Entity, Mode
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.store.calls.questions import Question
from enrichment_assets.store.runs.contexts import LoadedItem

_NAMELESS = {"id": 0, "row_number": 0, "batch": "-"}
"""What a question says where a request names our row: no answer depends on it, and it differs for every item."""

_CALLBACK_URL = "callback-url"
_AGAIN, _ASK = ";again:", ";ask:"
"""Behind a subject's key: how often a person had it asked anew, and which ask of a prompt it is."""


def question_of(batch: Batch, item: LoadedItem, step: Step, fields: Mapping[str, Any] | None = None) -> str | None:
    """Hash of what the step asks about this item, None where it cannot be put into a request.

    Client and account are no part of it: the lookup keeps to one client. How the answer is read is none either.
    Whether the answer comes from the simulator is. `fields`: as if the step saw these values (default: what it sees).
    """
    if step.renderer is None:
        return None
    context = batch.item_context(item, step, callback_url=_CALLBACK_URL, **(fields or {}))
    context["item"] = {**context["item"], **_NAMELESS}
    try:
        request = step.renderer.render(context)
    except ContractError:
        return None
    workflow = step.workflow
    material = [
        workflow.slug,
        workflow.provider,
        workflow.operation,
        workflow.mode.value,
        batch.blueprint.simulated,  # guard: simulated-answers-stay-apart
        step.simulated,
        step.base_url(),
        request.method,
        request.url,
        sorted(request.query.items()),
        sorted(request.spelled_headers().items()),
        None if request.content is None else hashlib.sha256(request.content).hexdigest(),
    ]
    return hashlib.sha256(orjson.dumps(material)).hexdigest()


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom one call is about, and what it asks.

    Attributes:
        key: Stable key of the logical call (`domain.call_keys`).
        subject_key: The company of the batch, the question whose answer may be reused, or else the item.
        asked: The question, and how long its answer may be old or be waited for; None: it is not to be reused.
        ask: Which ask of a prompt it is, from 1.
        again: What was wrong with the answer to the ask before it.
        key_of: Subject key -> key of the call.
    """

    key: str
    subject_key: str
    asked: Question | None = None
    ask: int = 1
    again: str | None = None
    key_of: Callable[[str], str] = field(default=str, compare=False, repr=False)

    def next_ask(self, again: str) -> Subject:
        """The same prompt asked once more, as a call of its own."""
        number = self.ask + 1
        subject_key = f"{self.subject_key.partition(_ASK)[0]}{_ASK}{number}"
        key = self.key_of(subject_key)
        asked = None if self.asked is None else replace(self.asked, call_key=key)
        return replace(self, key=key, subject_key=subject_key, asked=asked, ask=number, again=again)

    @property
    def question(self) -> str | None:
        """Hash of what is asked, where its answer may be reused."""
        return None if self.asked is None else self.asked.question


def subject_of(batch: Batch, item: LoadedItem, step: Step) -> Subject:
    """The subject of this step's call about this item.

    A delivery is about its lead at the destination.
    A step without `reuse_for` has no question. Nor has one whose request cannot be rendered; its call says why.
    What a person has asked anew is another call, and no answer that is known answers it.
    """
    if (planned := item.planned.get(step.slug)) is not None:
        generation = planned.there.generation if planned.there is not None else 0
        return Subject(key_of_delivery_call(planned.key, generation), f"delivery:{planned.key}")
    question = question_of(batch, item, step) if step.workflow.reuse_for is not None else None
    state = item.states.get(step.slug)
    again = 0 if state is None else state.asked_again
    subject_key = _subject_key(item, step, question) + (f"{_AGAIN}{again}" if again else "")
    key_of = partial(key_of_call, batch.batch_key, step.slug, step.version)
    key = key_of(subject_key)
    asked = None if question is None else _asked(step, question, key, anew=again > 0)
    return Subject(key, subject_key, asked, key_of=key_of)


def _subject_key(item: LoadedItem, step: Step, question: str | None) -> str:
    if step.workflow.entity is Entity.COMPANY and item.company_key:  # guard: company-is-one-subject
        return f"company:{item.company_key}"
    return f"question:{question}" if question else f"item:{item.item_id}"  # guard: question-is-one-subject


def _asked(step: Step, question: str, key: str, *, anew: bool) -> Question:
    """As long as a step would wait for a call of its own it waits for another batch's, unless it is to ask anew."""
    workflow = step.workflow
    patience = workflow.deadline if workflow.mode is Mode.ASYNC else workflow.retry.total
    keyed = workflow.idempotency_header is not None
    waits = patience if workflow.reuse_for else None  # guard: asking-anew-waits-for-nobody
    return Question(question, key, workflow.reuse_for or 0.0, waits, keyed, anew=anew)
