"""One call for many items: one intent that lists them, one request, one raw answer, and a fate for each member.

The order is that of `engine.calls.call`: the intents of all members and the list of them are committed together, the
request leaves, its answer is committed, and only then is it taken apart. What becomes of a member after that (its
retries, its result, its cost) is its own affair, in the task of its item.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from enrichment_assets.domain.bulk_answers import Place
from enrichment_assets.domain.bulk_requests import RenderedMember
from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.prompts.batch_api import Line
from enrichment_assets.domain.prompts.batch_rendering import PromptBatchRenderer
from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.statuses import CallState, ErrorClass, SkipReason, Status
from enrichment_assets.domain.workflow import Mode
from enrichment_assets.engine.calls.attempt import Attempt, Exchange, Made, addressed, callback_url, exchange
from enrichment_assets.engine.calls.gathering import Gathering
from enrichment_assets.engine.calls.orders import search, submit
from enrichment_assets.engine.calls.subject import Subject
from enrichment_assets.engine.decisions.bulk import MembersDecided, again_alone, ask_alone, decided_members
from enrichment_assets.engine.decisions.decision import MAX_REASON, Decision, dump
from enrichment_assets.engine.decisions.outcome import ItemLost
from enrichment_assets.engine.deliveries.intending import intended
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.engine.throttle.admission import CallAdmission, NotNow
from enrichment_assets.engine.throttle.backoff import delay_before
from enrichment_assets.engine.throttle.rates import Closed
from enrichment_assets.store.calls.bulk import BulkIntent, BulkReceived
from enrichment_assets.store.calls.intents import Intent, IntentVerdict
from enrichment_assets.store.runs.contexts import LoadedItem

Fate = Made | IntentVerdict | ItemLost
"""What became of a member: an attempt was made, none could be, or its item is another run's."""


@dataclass(slots=True)
class Member:
    """One item's part in a call.

    Attributes:
        reserved: Money that is to be set aside for it.
        kind: With whom it can share a request: of a delivery those of the same target.
        future: What became of it: the attempt that was made, or why none was.
    """

    item: LoadedItem
    subject: Subject
    rendered: RenderedMember
    reserved: Decimal
    kind: str = ""
    future: asyncio.Future[Made | IntentVerdict] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @property
    def item_id(self) -> int:
        """Whose it is."""
        return self.item.item_id

    @property
    def name(self) -> str | None:
        """Its id in the request."""
        return self.rendered.name

    def tell(self, what: Fate) -> None:
        """Let its item go on."""
        if self.future.done():
            return
        if isinstance(what, ItemLost):
            self.future.set_exception(what)
        else:
            self.future.set_result(what)


async def call_in_bulk(
    run: Run,
    item: LoadedItem,
    step: Step,
    subject: Subject,
    gathering: Gathering[Member],
    *,
    alone: bool = False,
) -> Made | IntentVerdict:
    """One attempt of this item's call, together with others that are ready, or `alone`.

    Raises:
        ContractError: The item cannot be put into the request.
        Closed, NotNow: Nothing is sent now.
        ItemLost: The item was taken over.
    """
    rendered = _rendered(run, item, step, subject)
    planned = item.planned.get(step.slug)
    member = Member(item, subject, rendered, _reserved(step, rendered), "" if planned is None else planned.target)

    async def make(members: Callable[[], Sequence[Member]]) -> None:
        async with CallAdmission(run, step) as admission:
            call = await _intended(run, step, members())
            await call.attempt(admission)
        with suppress(Closed, NotNow):  # nothing leaves now: the fate of what has left stays unknown
            while call.may_be_repeated:
                await run.clock.sleep(delay_before(call.attempts + 1, step.workflow.retry))
                async with CallAdmission(run, step) as admission:
                    await call.attempt(admission)
        call.tell(is_down=admission.is_down)

    fate: Made | IntentVerdict = await gathering.ask(run.crowd, member, make, alone=alone)
    return fate


def _rendered(run: Run, item: LoadedItem, step: Step, subject: Subject) -> RenderedMember:
    """This item's part of the request."""
    context = run.request_context(item, step)
    if isinstance(step.renderer, PromptBatchRenderer):
        return step.renderer.line(context, subject.key, subject.again)
    return step.bulk_renderer.member(context)


@dataclass(slots=True)
class _Call:
    """A request whose intents are durable, and what came of it.

    Attributes:
        going: Its members, with their verdicts.
        attempts: How often it was sent. It is sent again only under its key, as the same request: a provider that
            honours keys does and bills it once.
    """

    run: Run
    step: Step
    bulk_id: UUID
    token: str | None
    going: Sequence[tuple[Member, IntentVerdict]]
    attempts: int = 0
    outcome: Answer | Decision | None = None
    duration_ms: int | None = None
    decided: MembersDecided | None = None
    kept: set[int | None] = field(default_factory=set)

    @property
    def may_be_repeated(self) -> bool:
        """Whether nobody knows what became of it, and asking again under its key tells."""
        workflow = self.step.workflow
        if self.decided is None or workflow.idempotency_header is None or workflow.free_or_idempotent:
            return False
        is_unknown = self.decided.decisions[0].error_class is ErrorClass.AMBIGUOUS
        return is_unknown and self.attempts < workflow.retry.attempts and not self.run.stopping

    # crash point: bulk-attempt-is-made
    async def attempt(self, admission: CallAdmission) -> None:
        """Send the request; raw answer, then decisions."""
        if not self.going:
            return
        self.attempts += 1
        members = [member for member, _ in self.going]
        exchanged = await _exchange(self, members, admission)
        self.outcome, self.duration_ms = exchanged.outcome, exchanged.duration_ms
        if isinstance(self.outcome, Decision) and self.outcome.error_class is ErrorClass.AMBIGUOUS:
            found = await search(self.run, self.step, self.bulk_id) if self.step.batch_api is not None else None
            self.outcome = found if isinstance(found, Answer) else self.outcome
        if isinstance(self.outcome, Decision):
            self.kept = {verdict.call_id for _, verdict in self.going}
            self.decided = MembersDecided([self.outcome] * len(members), is_whole=True)
            admission.decided(self.outcome, None)
        else:
            self.kept = await _keep(self.run, self.bulk_id, self.outcome)
            self.decided = await decided_members(self.step, self.outcome, Place(0, len(members), _names(members)))
            _learn(admission, self.decided, self.outcome)

    def tell(self, *, is_down: bool) -> None:
        """Let every member go on with what became of it."""
        if self.decided is None:
            return
        heard = _Heard(self.decided.is_whole)
        status = self.outcome.status if isinstance(self.outcome, Answer) else None
        for (member, verdict), decision in zip(self.going, self.decided.decisions, strict=True):
            if verdict.call_id not in self.kept:
                member.tell(ItemLost(member.item_id))
                continue
            attempt = Attempt(verdict.call_id or 0, verdict.attempt, member.reserved, status, self.duration_ms)
            is_order = self.step.batch_api is not None
            if self.decided.is_whole and not is_order and ask_alone(decision, len(self.going)):
                member.tell(Made(attempt, again_alone(decision), is_down, is_heard=False, alone=True))
            else:
                member.tell(Made(attempt, decision, is_down, is_heard=heard.first(decision)))


async def _intended(run: Run, step: Step, members: Sequence[Member]) -> _Call:
    """The call for those whose intents are granted; the others are told why theirs is not."""
    bulk_id = uuid4()
    token = secrets.token_urlsafe(32) if step.workflow.mode is Mode.ASYNC else None
    verdicts = await _intend(run, step, bulk_id, token, members)
    for member, verdict in zip(members, verdicts, strict=True):
        if not verdict.granted:
            member.tell(verdict)
    going = [(member, verdict) for member, verdict in zip(members, verdicts, strict=True) if verdict.granted]
    return _Call(run, step, bulk_id, token, going)


# crash point: bulk-call-is-intended
async def _intend(
    run: Run, step: Step, bulk_id: UUID, token: str | None, members: Sequence[Member]
) -> list[IntentVerdict]:
    workflow = step.workflow
    intents = [
        Intent(
            item_id=member.item_id,
            fence=member.item.fence,
            workflow_slug=step.slug,
            call_key=member.subject.key,
            subject_key=member.subject.subject_key,
            provider=workflow.provider,
            operation=workflow.operation,
            estimated_cost=member.reserved,
            asked=member.subject.asked,
            bulk_id=bulk_id,
            who=run.suppressing.who(member.item, step),
            suppressions=run.suppressing.version,
            inputs=_inputs(member),
            delivery=intended(run, member.item, step),
        )
        for member in members
    ]
    seconds = workflow.deadline + workflow.callback.keep_open if token else None
    return await run.writer.intend_bulk(BulkIntent(bulk_id, step.slug, intents, _names(members), token, seconds))


def _reserved(step: Step, rendered: RenderedMember) -> Decimal:
    line = rendered.value
    return step.reserves(line.request) if isinstance(line, Line) else step.workflow.price.estimate


def _inputs(member: Member) -> bytes | None:
    line = member.rendered.value
    return json_bytes(line.request.inputs) if isinstance(line, Line) and line.request.inputs is not None else None


def _names(members: Sequence[Member]) -> tuple[str, ...] | None:
    """Their ids in the request; None where they are found by their place."""
    names = tuple(member.name for member in members if member.name is not None)
    return names if len(names) == len(members) else None


async def _exchange(call: _Call, members: Sequence[Member], admission: CallAdmission) -> Exchange:
    """Send the request for those whose intents are durable."""
    run, step = call.run, call.step
    if step.batch_api is not None:
        lines = [member.rendered.value for member in members]
        return await submit(run, step, step.batch_api, call.bulk_id, lines, admission)
    try:
        context: dict[str, Any] = {
            "parameters": step.workflow.parameters,
            "callback_url": callback_url(run, call.token),
        }
        if step.delivering is not None:
            context |= {"lookups": step.delivering.lookups or {}, "target": members[0].kind}
        rendered = step.bulk_renderer.render_call([member.rendered for member in members], context)
        request = addressed(run, step, rendered, str(call.bulk_id))
    except ContractError as error:  # together they make no request: nothing left
        reason = f"{SkipReason.INVALID_INPUT.value}: {error}"
        return Exchange(Decision(Status.SKIPPED, CallState.FAILED, reason=reason[:MAX_REASON]), None)
    async with admission.wire():
        return await exchange(run, step, request, admission.turn)


async def _keep(run: Run, bulk_id: UUID, answer: Answer) -> set[int | None]:
    """Commit the raw answer, once, before anybody reads it. Ids of the calls that are still ours."""
    headers = dump(dict(answer.headers))
    return {*await run.writer.receive_bulk(BulkReceived(bulk_id, answer.status, headers, answer.body))}


def _learn(admission: CallAdmission, decided: MembersDecided, answer: Answer) -> None:
    """What the call says of the provider: it has failed where it failed for all."""
    failing = [decision for decision in decided.decisions if decision.error_class is ErrorClass.RETRYABLE]
    if len(failing) == len(decided.decisions):
        admission.decided(failing[0], answer)
    else:
        admission.decided(next(d for d in decided.decisions if d not in failing), answer)


@dataclass(slots=True)
class _Heard:
    """Who of the members says to others what the answer means for them: one for the call, or for each refusal."""

    is_whole: bool
    _said: set[ErrorClass | None] = field(default_factory=set)

    def first(self, decision: Decision) -> bool:
        """Whether this one is to be heard."""
        if not self.is_whole and not decision.stops_provider and not decision.again_in:
            return True
        is_first = decision.error_class not in self._said
        self._said.add(decision.error_class)
        return is_first
