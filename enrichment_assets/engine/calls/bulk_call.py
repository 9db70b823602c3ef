"""One call for many items: one intent that lists them, one request, one raw answer, and a fate for each member.

The order is that of `engine.calls.call`: the intents of all members and the list of them are committed together, the
request leaves, its answer is committed, and only then is it taken apart. What becomes of a member after that (its
retries, its result, its cost) is its own affair, in the task of its item.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

from enrichment_assets.domain.bulk_answers import Place
from enrichment_assets.domain.bulk_requests import BulkRenderer, RenderedMember
from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.statuses import CallState, ErrorClass, SkipReason, Status
from enrichment_assets.engine.calls.attempt import Attempt, Exchange, Made, addressed, exchange
from enrichment_assets.engine.calls.subject import Subject
from enrichment_assets.engine.decisions.bulk import MembersDecided, again_alone, ask_alone, decided_members
from enrichment_assets.engine.decisions.decision import MAX_REASON, Decision, dump
from enrichment_assets.engine.decisions.outcome import ItemLost
from enrichment_assets.engine.run.context import Run
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.engine.throttle.admission import CallAdmission
from enrichment_assets.store.calls.bulk import BulkIntent, BulkReceived
from enrichment_assets.store.calls.intents import Intent, IntentVerdict
from enrichment_assets.store.runs.contexts import LoadedItem

Fate = Made | IntentVerdict | ItemLost
"""What became of a member: an attempt was made, none could be, or its item is another run's."""


@dataclass(slots=True)
class Member:
    """One item's part in a call. `future`: what became of it, the attempt that was made or why none was."""

    item: LoadedItem
    subject: Subject
    rendered: RenderedMember
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
    run: Run, item: LoadedItem, step: Step, subject: Subject, *, alone: bool = False
) -> Made | IntentVerdict:
    """One attempt of this item's call, together with others that are ready, or `alone`.

    Raises:
        ContractError, ConfigurationError: The item cannot be put into the request.
        Closed, NotNow: Nothing is sent now.
        ItemLost: The item was taken over.
    """
    if step.gathering is None:
        raise ConfigurationError(f"{step.slug}: has no `bulk`", code="workflow.no_bulk")
    member = Member(item, subject, _renderer(step).member(run.item_context(item, step)))

    async def make(members: Callable[[], Sequence[Member]]) -> None:
        async with CallAdmission(run, step) as admission:
            fates = await _attempt(run, step, members(), admission)
        for each, fate in fates:
            each.tell(replace(fate, is_down=True) if isinstance(fate, Made) and admission.is_down else fate)

    fate: Made | IntentVerdict = await step.gathering.ask(run.crowd, member, make, alone=alone)
    return fate


def _renderer(step: Step) -> BulkRenderer:
    if not isinstance(step.renderer, BulkRenderer):
        raise ConfigurationError(f"{step.slug}: has no `bulk`", code="workflow.no_bulk")
    return step.renderer


async def _attempt(
    run: Run, step: Step, members: Sequence[Member], admission: CallAdmission
) -> list[tuple[Member, Fate]]:
    """Intents, request, raw answer, decisions: what became of each member."""
    bulk_id = uuid4()
    verdicts = await _intend(run, step, bulk_id, members)
    fates: list[tuple[Member, Fate]] = [
        (member, verdict) for member, verdict in zip(members, verdicts, strict=True) if not verdict.granted
    ]
    going = [(member, verdict) for member, verdict in zip(members, verdicts, strict=True) if verdict.granted]
    if not going:
        return fates
    place = Place(0, len(going), _names([member for member, _ in going]))
    exchanged = await _exchange(run, step, bulk_id, [member for member, _ in going], admission)
    outcome, kept = exchanged.outcome, {verdict.call_id for _, verdict in going}
    if isinstance(outcome, Decision):
        decided = MembersDecided([outcome] * len(going), is_whole=True)
        admission.decided(outcome, None)
    else:
        kept = await _keep(run, bulk_id, outcome)
        decided = await decided_members(step, outcome, place)
        _learn(admission, decided, outcome)
    heard = _Heard(decided.is_whole)
    for (member, verdict), decision in zip(going, decided.decisions, strict=True):
        if verdict.call_id not in kept:
            fates.append((member, ItemLost(member.item_id)))
            continue
        status = outcome.status if isinstance(outcome, Answer) else None
        attempt = Attempt(verdict.call_id or 0, verdict.attempt, status, exchanged.duration_ms)
        is_alone = decided.is_whole and ask_alone(decision, len(going))
        made = Made(attempt, again_alone(decision), is_heard=False, alone=True) if is_alone else Made(attempt, decision)
        fates.append((member, made if is_alone or heard.first(decision) else replace(made, is_heard=False)))
    return fates


# crash point: bulk-call-is-intended
async def _intend(run: Run, step: Step, bulk_id: UUID, members: Sequence[Member]) -> list[IntentVerdict]:
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
            estimated_cost=workflow.price.estimate,
            asked=member.subject.asked,
            bulk_id=bulk_id,
        )
        for member in members
    ]
    return await run.writer.intend_bulk(BulkIntent(bulk_id, step.slug, intents, _names(members)))


def _names(members: Sequence[Member]) -> tuple[str, ...] | None:
    """Their ids in the request; None where they are found by their place."""
    names = tuple(member.name for member in members if member.name is not None)
    return names if len(names) == len(members) else None


# crash point: bulk-attempt-is-made
async def _exchange(
    run: Run, step: Step, bulk_id: UUID, members: Sequence[Member], admission: CallAdmission
) -> Exchange:
    """Send the request for those whose intents are durable."""
    try:
        context = {"parameters": step.workflow.parameters}
        rendered = _renderer(step).render_call([member.rendered for member in members], context)
        request = addressed(run, step, rendered, str(bulk_id))
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
