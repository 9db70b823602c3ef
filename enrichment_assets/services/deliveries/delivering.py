"""Leads of a batch to where they belong: planned, written down, and carried out by the engine.

`enrich deliver`, the assets of group `delivery` and their sensor come here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.conditions import parse_conditions
from enrichment_assets.domain.deliveries import DELIVERY_POSITION
from enrichment_assets.domain.delivery_courses import Left
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.pipeline import Blueprint, BlueprintStep, ClientWorkflowConfig
from enrichment_assets.domain.provider import Provider
from enrichment_assets.engine.deliveries.delivering import contacts_people
from enrichment_assets.engine.run.advance import EngineOptions, Progress
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.providers import PROVIDERS
from enrichment_assets.services.batches.advancing import advance_batch
from enrichment_assets.services.batches.extracting import bring_up_to_date
from enrichment_assets.services.batches.simulation import refuse_other_world
from enrichment_assets.services.deliveries.destinations import Destinations, destinations_of, with_deliveries
from enrichment_assets.services.deliveries.gate import Gate, passing_of
from enrichment_assets.services.deliveries.planning import Planner
from enrichment_assets.services.deliveries.plans import DeliveryPlan
from enrichment_assets.services.deliveries.refusing import refusals
from enrichment_assets.services.mail.outcomes import believe_proofs, settle_mails
from enrichment_assets.services.mail.placing import mail_providers, place_mails
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.database import Row
from enrichment_assets.store.deliveries import batches as store
from enrichment_assets.store.deliveries.over import why_over
from enrichment_assets.store.deliveries.planned import free_items, write_plan
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.mail.places import now_of

MAILS_LINGER_SECONDS = 5.0
"""A run with mails waits so long at most for the next one. Mails get their places as a run begins, and what became of
them is seen as it ends: one that waited for each next mail of a busy day would end in the evening, and a mailbox whose
mails bounce would stop only then. The sensor begins another run for what is due later."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a delivery came to: the plan, and how its leads stand after the run."""

    plans: Sequence[DeliveryPlan]
    stands: Sequence[store.Counts]
    stopped: Mapping[str, str]


def plan_deliveries(
    hq: Hq,
    settings: Settings,
    batch_key: str,
    to: Sequence[str],
    where: Sequence[str] = (),
    *,
    over: Mapping[str, ClientWorkflowConfig] | None = None,
) -> list[DeliveryPlan]:
    """What `deliver` would do, without doing or writing any of it; the warehouse is brought up to date.

    Raises:
        NotFoundError: There is no such batch, or no such delivery.
        ConfigurationError: Nothing says where to, or a destination is switched off.
    """
    work = _Work(hq, settings, batch_key, to, where, over)
    plans = []
    for step in work.steps():
        plan = DeliveryPlan(step.slug, work.simulated)
        with work.planning(step, goes=False) as planner:
            for planned in planner.plan():
                for one in planned:
                    plan.count(one)
        plans.append(plan)
    return plans


def order(
    hq: Hq,
    settings: Settings,
    batch_key: str,
    to: Sequence[str],
    where: Sequence[str] = (),
    *,
    actor: Actor,
    over: Mapping[str, ClientWorkflowConfig] | None = None,
) -> list[DeliveryPlan]:
    """Plan the leads of a batch for these destinations, and leave it to the running platform to take them there.

    For who has no keys of providers: the plan is due at once, and the platform looks for what is due.

    Raises as `plan_deliveries`.
    """
    work = _Work(hq, settings, batch_key, to, where, over)
    return [_written(work, step, actor) for step in work.steps()]


def deliver(
    hq: Hq,
    settings: Settings,
    batch_key: str,
    to: Sequence[str],
    where: Sequence[str] = (),
    *,
    actor: Actor,
    providers: Mapping[str, Provider],
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    over: Mapping[str, ClientWorkflowConfig] | None = None,
) -> Delivered:
    """Plan the leads of a batch for these destinations, and take them there as far as that can be done now.

    Args:
        hq: The databases.
        settings: The installation.
        batch_key: The batch; only its finished leads go.
        to: Slugs of deliveries; none: those that its pipeline names.
        where: Conditions that a lead has to meet besides; others stay as they were.
        actor: Who asks.
        providers: By name.
        on_progress: Called about twice a second.
        stop: When set, calls under way end and nothing more leaves.
        over: Slug -> settings that count over the client's this time.

    Raises:
        NotFoundError: As `plan_deliveries`.
        ConfigurationError: Also where the batch belongs to the simulator and this process to the providers, or the
            reverse.
        Interrupted: `stop` was set.
    """
    work = _Work(hq, settings, batch_key, to, where, over)
    steps = work.steps()
    # Before anything is planned: what is planned is due, and would wait for a process of the other world.
    refuse_other_world(settings, batch_key, work.batch(steps).blueprint)
    plans = [_written(work, step, actor) for step in steps]
    slugs = [plan.destination for plan in plans]
    report = run_deliveries(hq, settings, batch_key, slugs, providers=providers, on_progress=on_progress, stop=stop)
    with hq.transaction() as connection:
        stands = store.counts_of(connection, work.row["id"], slugs)
    return Delivered(plans, stands, report)


def run_deliveries(
    hq: Hq,
    settings: Settings,
    batch_key: str,
    slugs: Sequence[str],
    *,
    providers: Mapping[str, Provider],
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
) -> Mapping[str, str]:
    """Take what is planned and due to its destinations; slug -> why a destination was stopped.

    Raises:
        Interrupted: `stop` was set.
    """
    batch = batch_with_deliveries(hq, settings, batch_key)
    there = {step.slug for step in batch.blueprint.steps if step.position >= DELIVERY_POSITION}
    if not (selection := there & set(slugs)):
        return {}
    mails = mail_providers(step.workflow.provider for step in batch.blueprint.steps if step.slug in selection)
    if mails:
        believe_proofs(hq, batch.client_id)
        with hq.transaction() as connection:
            place_mails(connection, batch.client_id, mails, now_of(connection))
    report = advance_batch(
        hq, settings, batch_key, providers, selection, on_progress, stop, _options(settings, mails), batch=batch
    )
    if mails:
        settle_mails(hq, settings, batch.client_id)
    return report.stopped


def _options(settings: Settings, mails: Sequence[str]) -> EngineOptions | None:
    """How the engine runs; None: as it does for everything."""
    if not mails:
        return None
    return EngineOptions(
        receiver_url=settings.receiver_url,
        sandbox_url=settings.sandbox_url,
        linger_seconds=MAILS_LINGER_SECONDS,
    )


def batch_with_deliveries(hq: Hq, settings: Settings, batch_key: str) -> Batch:
    """The batch as the engine takes it, with the deliveries that were planned, as they were planned."""
    with hq.transaction() as connection:
        row = get_batch(connection, batch_key)
        if row is None:
            raise no_such_batch(connection, batch_key)
        found = [one for one in store.deliveries_of(connection, row["id"]) if one.step is not None]
    steps = [BlueprintStep.model_validate(one.step) for one in found]
    profile = destinations_of(hq, row["client"], row["client_id"]).profile if steps else None
    return _batch(settings, row, steps, profile)


def _batch(settings: Settings, row: Row, steps: Sequence[BlueprintStep], profile: object) -> Batch:
    blueprint = with_deliveries(
        Blueprint.model_validate(row["blueprint"]),
        steps,
        profile,  # type: ignore[arg-type]
        here_simulated=settings.sandbox_url is not None,
    )
    return Batch(row["id"], row["batch_key"], row["client_id"], row["client"], blueprint, is_try=row["is_try"])


class _Work:
    """A batch whose leads are to be delivered, with what it is asked for."""

    def __init__(
        self,
        hq: Hq,
        settings: Settings,
        batch_key: str,
        to: Sequence[str],
        where: Sequence[str],
        over: Mapping[str, ClientWorkflowConfig] | None,
    ) -> None:
        self.hq, self.settings, self.where = hq, settings, list(where)
        self.conditions = parse_conditions(where)
        with hq.transaction() as connection:
            row = get_batch(connection, batch_key)
            if row is None:
                raise no_such_batch(connection, batch_key)
            if (why := why_over(connection, row["id"])) is not None:
                raise ConfigurationError(
                    f"nothing of batch {batch_key} is delivered: {why}",
                    *([Hint(Action.RETRY_CANCELLED)] if why.startswith("cancelled") else []),
                    code="delivery.of_batch_that_is_over",
                )
            self.began = now_of(connection)
        self.destinations: Destinations = destinations_of(hq, row["client"], row["client_id"], over)
        self.slugs = list(dict.fromkeys(to or Blueprint.model_validate(row["blueprint"]).deliver))
        if not self.slugs:
            raise ConfigurationError(
                f"the pipeline of batch {batch_key} names no delivery: say where its leads go",
                Hint(Action.DELIVER_TO, {"batch": batch_key}),
                code="delivery.nowhere",
            )
        for slug in self.slugs:
            self.destinations.get(slug)
        bring_up_to_date(hq, settings, batch_key)
        with hq.transaction() as connection:
            self.row: Row = get_batch(connection, batch_key) or row
            self._known = {one.workflow_slug: one.position for one in store.deliveries_of(connection, row["id"])}
        self.automatic = set(self.row["blueprint"].get("deliver") or ())

    def steps(self) -> list[BlueprintStep]:
        """The deliveries, each at the place that it has among those of the batch."""
        taken = iter(range(max(self._known.values(), default=DELIVERY_POSITION - 1) + 1, DELIVERY_POSITION + 10_000))
        places = {slug: self._known.get(slug) or next(taken) for slug in self.slugs}
        return [self.destinations.step(slug, places[slug] - DELIVERY_POSITION) for slug in self.slugs]

    @property
    def simulated(self) -> bool:
        """Whether its leads go to the simulator."""
        return bool(self.batch([]).blueprint.simulated)

    def batch(self, steps: Sequence[BlueprintStep]) -> Batch:
        """The batch with these deliveries behind its steps."""
        return _batch(self.settings, self.row, steps, self.destinations.profile)

    @contextmanager
    def planning(self, step: BlueprintStep, *, goes: bool) -> Iterator[Planner]:
        """What plans one of them; `goes`: its leads are going, and is no dry run."""
        batch = self.batch([step])
        contacts = contacts_people(step.workflow, PROVIDERS.get(step.workflow.provider))
        refusing = refusals(self.hq, self.settings, batch, contacts=contacts)
        if not contacts:
            yield Planner(self.hq, self.settings, batch, step, self.conditions, refusing)
            return
        with Gate(self.hq, self.settings, passing_of(batch, step, reserves=goes)) as gate:
            yield Planner(self.hq, self.settings, batch, step, self.conditions, refusing, gate)


def _written(work: _Work, step: BlueprintStep, actor: Actor) -> DeliveryPlan:
    """Write how every lead stands at a destination; those that a run works on stay as they are."""
    plan, hq = DeliveryPlan(step.slug, work.simulated), work.hq
    batch_id, client_id = work.row["id"], work.row["client_id"]
    with hq.transaction() as connection:
        store.note_delivery(
            connection,
            batch_id,
            client_id,
            step.slug,
            step.position,
            step=step.model_dump(mode="json", by_alias=True),
            conditions=work.where,
            asked_by=str(actor),
            automatic=step.slug in work.automatic,
            planned_at=work.began,
            planned_for=work.row["extracted_at"],
        )
    with work.planning(step, goes=True) as planner:
        for planned in planner.plan():
            chosen = [one for one in planned if one.course.why is not Left.NOT_CHOSEN]
            with hq.transaction() as connection:
                free = free_items(connection, batch_id, step.slug, [one.lead.item_id for one in chosen])
                rows = [one.row for one in chosen if one.lead.item_id in free]
                if rows:
                    write_plan(connection, client_id, batch_id, step.slug, step.position, rows)
            for one in planned:
                if one.course.why is Left.NOT_CHOSEN or one.lead.item_id in free:
                    plan.count(one)
                else:
                    plan.leads += 1
                    plan.under_way += 1
    with hq.transaction() as connection:
        note_action(
            connection,
            actor,
            Code.DELIVERY_START,
            f"{work.row['batch_key']}/{step.slug}",
            client_id=client_id,
            after={"created": plan.created, "updated": plan.updated, "refused": plan.refused.total()},
        )
    return plan
