"""Chosen steps for chosen leads: what that would ask and cost, what is left alone and why, and having it done.

Nothing here calls a provider. States become PENDING in one transaction, and the batch is handed to whoever runs it.
What failed goes back under its own key, as a retry does it; what has an answer is left alone, unless somebody says
`again`: then it is another call, by another key, and is paid again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.conditions import parse_conditions
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.money import Money, sums
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.pipeline import BlueprintStep
from enrichment_assets.domain.prompts.settlement import reserved_for
from enrichment_assets.domain.statuses import CallState, Status
from enrichment_assets.domain.suppression import hasher_of
from enrichment_assets.domain.workflow import Entity
from enrichment_assets.services.batches.extracting import NotStartedError
from enrichment_assets.services.batches.foresight import Hindrance, after_retry
from enrichment_assets.services.deliveries.lead_rows import lead_rows
from enrichment_assets.services.operations.kept_out import KeptOut, kept_out_of
from enrichment_assets.services.operations.recovery import in_transaction, no_such_workflow, wake_again, what_next
from enrichment_assets.services.operations.remedies import hold_remedy
from enrichment_assets.services.operations.retrying import LIFTED
from enrichment_assets.services.people.pepper import pepper_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.batches.holds import Gate, HeldBatch, held_batch
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.states import asking, recovery, reopening
from enrichment_assets.store.states.asking import ASKED, Asked, Chosen
from enrichment_assets.store.states.stops import lift_stops
from enrichment_assets.store.states.transitions import StepFacts

MOST = 500_000
"""States that are put back at once."""

_SAID, _AGAIN = "asked by a person", "asked anew by a person"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be asked.

    Attributes:
        workflows: Slugs of the steps.
        items: Ids of the items; None: all of the batch.
        where: Conditions over the leads as they were last extracted, which hold besides (`domain.conditions`).
        again: Also what has an answer: it is paid once more.
    """

    workflows: Sequence[str]
    items: Collection[int] | None = None
    where: Sequence[str] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class StepAsking:
    """What is asked of one step.

    Attributes:
        asked: Why it can be asked -> chosen items: `waiting` (it was not asked yet), `failed`, `cancelled`, `skipped`
            (for want of what may be there by now), `again` (it has an answer).
        left: Why it is left alone -> chosen items: `found`, `not_found`, `under_way`, `ambiguous`, `suppressed`,
            `erased`, or why it was skipped.
        shared: Items besides that share a call with them, and go back with them.
        calls_at_most: A company is asked about once.
        cost_at_most: Of these calls.
    """

    workflow: str
    asked: Mapping[str, int]
    left: Mapping[str, int]
    shared: int
    calls_at_most: int
    cost_at_most: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Asking:
    """What was asked, or would be.

    Attributes:
        batch: Its key.
        items: Chosen items.
        again: What has an answer is asked anew.
        steps: In the order of the pipeline.
        later: Later steps that have used these answers -> chosen items: they stay as they are, unless chosen too.
        reopened: Later steps that were skipped for want of these answers, and are PENDING again; of a plan 0.
        hindrances: Why steps would stand still, whoever runs the batch next.
        running: Labels of the runs that work on the batch.
        started: It was done.
    """

    batch: str
    items: int
    again: bool
    steps: tuple[StepAsking, ...]
    later: Mapping[str, int]
    reopened: int
    hindrances: tuple[Hindrance, ...]
    running: tuple[str, ...]
    started: bool

    @property
    def asked(self) -> int:
        """Questions: a step of an item each."""
        return sum(sum(step.asked.values()) for step in self.steps)

    @property
    def answered(self) -> int:
        """Answers that are left alone, and could be asked for anew."""
        return sum(step.left.get(outcome, 0) for step in self.steps for outcome in ("found", "not_found"))

    @property
    def calls_at_most(self) -> int:
        """Of all steps."""
        return sum(step.calls_at_most for step in self.steps)

    @property
    def costs(self) -> list[Money]:
        """At most, one for each currency."""
        return sums(Money(step.cost_at_most, step.currency) for step in self.steps)

    @property
    def next_step(self) -> Hint:
        """What to do now."""
        return what_next(self.batch, self.running) if self.asked else Hint(Action.NOTHING_CHANGED)


def plan_asking(hq: Hq, settings: Settings, batch_key: str, wanted: Wanted) -> Asking:
    """What asking the chosen steps about the chosen items would come to. Writes nothing.

    Raises:
        NotFoundError: No such batch, or it has no such step or item.
        ConfigurationError: It, or one of the steps, is paused, cancelled, given up or archived; a step of which
            something is to be asked again makes rows of its own; a condition is none; nothing is chosen.
        NotStartedError: Nothing of the batch was laid out yet.
    """
    hasher = hasher_of(pepper_of(hq, settings))
    with hq.transaction() as connection:
        batch = _batch(connection, batch_key, wanted, is_locked=False)
    ids = _items(hq, settings, batch_key, batch, wanted)
    kept_out = kept_out_of(hq, batch, ids, hasher)
    with hq.transaction() as connection:
        return _plan(connection, settings, batch_key, batch, ids, _chosen(batch, wanted, ids, kept_out))


def ask_chosen(
    hq: Hq, settings: Settings, batch_key: str, wanted: Wanted, *, actor: Actor, seen: int | None = None
) -> Asking:
    """Have the chosen steps asked about the chosen items; the plan of it as it was done.

    Args:
        hq: The databases.
        settings: The installation.
        batch_key: The batch.
        wanted: What is asked.
        actor: Who says so.
        seen: Calls at most that somebody has seen before and said yes to; None: nobody was shown any.

    Raises:
        NotFoundError, ConfigurationError, NotStartedError: As `plan_asking`; also where it would be more calls than
            were seen, or more states than `MOST`.
    """
    hasher = hasher_of(pepper_of(hq, settings))
    with hq.transaction() as connection:
        batch = _batch(connection, batch_key, wanted, is_locked=False)
    ids = _items(hq, settings, batch_key, batch, wanted)
    kept_out = kept_out_of(hq, batch, ids, hasher)

    def change(connection: Connection) -> tuple[Asking, int]:
        batch = _batch(connection, batch_key, wanted, is_locked=True)
        chosen = _chosen(batch, wanted, ids, kept_out)
        report = _plan(connection, settings, batch_key, batch, ids, chosen)
        _refuse_more(report, seen)
        if not report.asked:
            return report, batch.batch_id
        return _put_back(connection, batch_key, batch, chosen, report, actor), batch.batch_id

    report, batch_id = in_transaction(hq, change)
    if report.running and report.started:
        wake_again(hq, [batch_id])
    return report


def _batch(connection: Connection, batch_key: str, wanted: Wanted, *, is_locked: bool) -> HeldBatch:
    batch = held_batch(connection, batch_key, is_locked=is_locked)
    if batch is None:
        raise no_such_batch(connection, batch_key)
    if batch.is_over:
        raise ConfigurationError(
            f"batch {batch_key} was given up or archived: nothing of it is asked any more", code="ask.batch_over"
        )
    slugs = [step.slug for step in batch.blueprint.steps]
    for slug in wanted.workflows:
        if slug not in slugs:
            raise no_such_workflow(batch_key, slug, slugs)
        if (hold := Gate(False, batch.holds).hold_on(slug)) is not None:
            raise ConfigurationError(
                f"nothing of {slug} is asked in batch {batch_key}: it is {hold.sentence}",
                hold_remedy(hold),
                code="ask.held",
            )
        if wanted.again and batch.blueprint.step(slug).workflow.emits is not None:
            raise ConfigurationError(
                f"{slug} makes rows of its own, and those that it made stay: it is not asked again",
                code="ask.makes_rows",
            )
    if not wanted.workflows:
        raise ConfigurationError("no step is chosen", code="ask.no_step")
    return batch


def _items(hq: Hq, settings: Settings, batch_key: str, batch: HeldBatch, wanted: Wanted) -> list[int]:
    """The chosen items, by id."""
    with hq.transaction() as connection:
        there = asking.items_of(connection, batch.batch_id, wanted.items)
    if wanted.items is None and not there:
        raise NotStartedError(f"batch {batch_key} has no items yet: nothing of it was laid out")
    if wanted.items is not None and (unknown := set(wanted.items) - set(there)):
        raise NotFoundError(f"batch {batch_key} has no item {min(unknown)}", code="ask.item_not_found")
    if not wanted.where:
        return there
    conditions = parse_conditions(wanted.where)
    columns = {condition.field for condition in conditions}
    meant = {
        lead.item_id
        for leads in lead_rows(settings, batch.blueprint.client, batch_key, columns, ", ".join(wanted.workflows))
        for lead in leads
        if all(condition.holds(lead.values) for condition in conditions)
    }
    return [item for item in there if item in meant]


def _chosen(batch: HeldBatch, wanted: Wanted, ids: Sequence[int], kept_out: KeptOut) -> Chosen:
    steps = [step for step in batch.blueprint.steps if step.slug in wanted.workflows]
    everybody = wanted.items is None and not wanted.where
    return Chosen(
        batch.batch_id,
        [step.slug for step in steps],
        None if everybody else ids,
        wanted.again,
        kept_out.persons,
        kept_out.companies,
        [step.slug for step in steps if step.workflow.entity is not Entity.PERSON],
        [step.slug for step in steps if step.workflow.provider == "local"],
    )


def _plan(
    connection: Connection, settings: Settings, batch_key: str, batch: HeldBatch, ids: Sequence[int], chosen: Chosen
) -> Asking:
    stand: dict[str, dict[str, asking.Standing]] = {slug: {} for slug in chosen.workflows}
    for one in asking.standings(connection, chosen):
        stand[one.workflow][one.verdict] = one
    put_back = asking.put_back_of(connection, chosen)
    steps = tuple(_step(batch.blueprint.step(slug), stand[slug], put_back.get(slug, 0)) for slug in chosen.workflows)
    asked = [step.workflow for step in steps if step.asked]
    again = [step.workflow for step in steps if "again" in step.asked]
    after = {later for slug in again for later in batch.blueprint.dependents(slug)} - set(chosen.workflows)
    later = asking.answered_after(connection, batch.batch_id, sorted(after), chosen.items) if after else {}
    hindrances = after_retry(connection, settings, batch.batch_id, batch.blueprint, asked)
    return Asking(batch_key, len(ids), chosen.anew, steps, later, 0, tuple(hindrances), batch.running, started=False)


def _step(step: BlueprintStep, stand: Mapping[str, asking.Standing], put_back: int) -> StepAsking:
    asked = {verdict: stand[verdict].states for verdict in ASKED if verdict in stand}
    left = {name: one.states for name, one in stand.items() if name not in (*ASKED, "asked")}
    calls = 0
    if step.workflow.provider != "local" and "asked" in stand:
        of_company = step.workflow.entity is Entity.COMPANY
        calls = stand["asked"].companies if of_company else stand["asked"].states
    price, prompt = step.workflow.price, step.workflow.prompt
    estimate = price.estimate if prompt is None else reserved_for(price, prompt, 0)
    shared = put_back - (sum(asked.values()) - asked.get("waiting", 0))
    return StepAsking(step.slug, asked, left, shared, calls, calls * estimate, price.currency)


def _refuse_more(report: Asking, seen: int | None) -> None:
    if seen is not None and report.calls_at_most > seen:
        raise ConfigurationError(
            f"it would be {report.calls_at_most:,} calls at most by now, and {seen:,} were shown: look again",
            code="ask.more_than_seen",
        )
    if report.asked > MOST:
        raise ConfigurationError(
            f"{report.asked:,} questions are more than the {MOST:,} that are asked at once: choose fewer rows or steps",
            code="ask.too_many",
        )


# crash point: chosen-states-are-asked
def _put_back(
    connection: Connection, batch_key: str, batch: HeldBatch, chosen: Chosen, report: Asking, actor: Actor
) -> Asking:
    """Make the chosen states PENDING, with what hangs on them, and write down who had it done."""
    facts = StepFacts.of(batch.blueprint)
    picked = asking.lock_put_back(connection, chosen)
    for status in (Status.FAILED, Status.CANCELLED, Status.SKIPPED):
        reopening.reopen_states(connection, _states(picked, status), status, facts, _SAID)
    reopening.reopen_answered(connection, _states(picked, Status.COMPLETED), facts, _AGAIN)
    kept = [recovery.Picked(one.item_id, one.workflow, one.call_id) for one in picked if one.status != Status.COMPLETED]
    recovery.ready_calls(connection, kept, CallState.FAILED)
    states = [(one.item_id, one.workflow) for one in picked]
    reopened = reopening.reopen_dependents(connection, states, facts)
    called = {batch.blueprint.step(slug).workflow.provider for slug in chosen.workflows} - {"local"}
    recovery.lift_provider_pauses(connection, sorted(called))
    lift_stops(connection, batch.batch_id, LIFTED, list(chosen.workflows))
    recovery.wake_batch(connection, batch.batch_id)
    asked: Counter[str] = Counter()
    for step in report.steps:
        asked.update(step.asked)
    said = {
        "workflows": list(chosen.workflows),
        "items": report.items,
        "asked": dict(asked),
        "calls_at_most": report.calls_at_most,
        "again": chosen.anew,
    }
    note_action(
        connection, actor, Code.BATCH_ASK, batch_key, client_id=batch.client_id, batch_id=batch.batch_id, after=said
    )
    return replace(report, reopened=reopened, started=True)


def _states(picked: Sequence[Asked], status: Status) -> list[tuple[int, str]]:
    return [(one.item_id, one.workflow) for one in picked if one.status == status]
