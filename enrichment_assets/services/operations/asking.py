"""Chosen steps for chosen leads: what that would ask and cost, what is left alone and why, and having it done.

Nothing here calls a provider. States become PENDING in one transaction, and the batch is handed to whoever runs it.
What failed goes back under its own key, as a retry does it; what has an answer is left alone, unless somebody says
`again`: then it is another call, by another key, and is paid again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.conditions import parse_conditions
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.pipeline import BlueprintStep
from enrichment_assets.domain.prompts.settlement import reserved_for
from enrichment_assets.domain.statuses import CallState, Status
from enrichment_assets.domain.suppression import hasher_of
from enrichment_assets.domain.workflow import Entity
from enrichment_assets.services.batches.extracting import NotStartedError
from enrichment_assets.services.batches.foresight import after_retry
from enrichment_assets.services.deliveries.lead_rows import lead_rows
from enrichment_assets.services.operations.asking_plan import Asking, StepAsking, Wanted
from enrichment_assets.services.operations.kept_out import KeptOut, kept_out_of
from enrichment_assets.services.operations.recovery import in_transaction, no_such_workflow, wake_again
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
_BEHIND = "the step before it in the waterfall is asked anew"


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
    behind = asking.fallbacks_of(connection, chosen, _fallback_pairs(batch, chosen))
    steps = tuple(
        _step(step, stand.get(step.slug, {}), put_back.get(step.slug, 0), behind.get(step.slug))
        for step in batch.blueprint.steps
        if step.slug in stand or step.slug in behind
    )
    asked = [step.workflow for step in steps if step.asked]
    again = [step.workflow for step in steps if "again" in step.asked]
    after = {later for slug in again for later in batch.blueprint.dependents(slug)} - {*chosen.workflows, *behind}
    later = asking.answered_after(connection, batch.batch_id, sorted(after), chosen.items) if after else {}
    hindrances = after_retry(connection, settings, batch.batch_id, batch.blueprint, asked)
    phases: tuple[str, ...] = ()
    if batch.blueprint.by_phase:
        of_steps = (step.phase for step in batch.blueprint.steps if step.slug in asked)
        phases = tuple(dict.fromkeys(phase for phase in of_steps if phase is not None))
    plan = Asking(batch_key, len(ids), chosen.anew, steps, later, 0, tuple(hindrances), batch.running, started=False)
    return replace(plan, phases=phases)


def _fallback_pairs(batch: HeldBatch, chosen: Chosen) -> list[tuple[str, str]]:
    """(chosen step, its fallback): what was not asked because that step had found it, and may be asked after all."""
    steps = batch.blueprint.steps if chosen.anew else ()
    return [(member, step.slug) for step in steps for member in step.fallback_of if member in chosen.workflows]


def _step(
    step: BlueprintStep, stand: Mapping[str, asking.Standing], put_back: int, behind: asking.Standing | None
) -> StepAsking:
    asked = {verdict: stand[verdict].states for verdict in ASKED if verdict in stand}
    shared = put_back - (sum(asked.values()) - asked.get("waiting", 0))
    left = {name: one.states for name, one in stand.items() if name not in (*ASKED, "asked")}
    if behind is not None:
        asked[behind.verdict] = behind.states
    calls = 0
    if step.workflow.provider != "local":
        of_company = step.workflow.entity is Entity.COMPANY
        counted = [one for one in (stand.get("asked"), behind) if one is not None]
        calls = sum(one.companies if of_company else one.states for one in counted)
    price, prompt = step.workflow.price, step.workflow.prompt
    estimate = price.estimate if prompt is None else reserved_for(price, prompt, 0)
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
    found = [one for one in picked if one.status == Status.COMPLETED]
    pairs = _fallback_pairs(batch, chosen)
    behind = [(one.item_id, slug, member) for one in found for member, slug in pairs if member == one.workflow]
    reopening.reopen_fallbacks(connection, behind, facts, _BEHIND)
    states = [(one.item_id, one.workflow) for one in picked]
    reopened = reopening.reopen_dependents(connection, states, facts)
    slugs = [step.workflow for step in report.steps]
    called = {batch.blueprint.step(slug).workflow.provider for slug in slugs} - {"local"}
    recovery.lift_provider_pauses(connection, sorted(called))
    lift_stops(connection, batch.batch_id, LIFTED, slugs)
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


__all__ = ["MOST", "Asking", "StepAsking", "Wanted", "ask_chosen", "plan_asking"]
