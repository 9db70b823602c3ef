"""Launches: what one would do, what one did, and giving a batch up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from enrichment_assets.services.shapes.shape import Shape

if TYPE_CHECKING:
    from enrichment_assets.services.batches import launch_plan, launching, step_plans
    from enrichment_assets.services.freshness import gathering
    from enrichment_assets.store.batches import giving_up


@dataclass(frozen=True, slots=True)
class Launch(Shape):
    """A batch that was launched, or was there already.

    Attributes:
        batch: Its key.
        client: Whose it is.
        pipeline: The pipeline's slug.
        upload_id: The upload.
        items: Rows of the upload that it has.
        steps: Slugs of its workflows, in order.
        created: False where it was there already.
        replaced: Pairs of workflow and configured address: the simulator is called instead.
        limit: It is a pilot of so many rows; null: it has all.
        added: Rows that a pilot got by this launch.
        beside: Batches of the same upload and pipeline that were there before, the newest first.
    """

    batch: str
    client: str
    pipeline: str
    upload_id: int
    items: int
    steps: tuple[str, ...]
    created: bool
    replaced: tuple[tuple[str, str], ...]
    limit: int | None
    added: int
    beside: tuple[str, ...]

    @classmethod
    def of(cls, done: launching.Launched) -> Launch:
        """From what the services return."""
        return cls(
            batch=done.batch_key,
            client=done.client,
            pipeline=done.pipeline,
            upload_id=done.upload_id,
            items=done.items,
            steps=done.steps,
            created=done.created,
            replaced=done.replaced,
            limit=done.limit,
            added=done.added,
            beside=done.beside,
        )


@dataclass(frozen=True, slots=True)
class KeyUse(Shape):
    """A variable whose value leaves with a workflow's requests.

    Attributes:
        purpose: What it is for, like `api_key`.
        variable: Its name; never its value.
        host: Where it goes.
        foreign: That is not the address of the provider whose key it is.
    """

    purpose: str
    variable: str
    host: str
    foreign: bool


@dataclass(frozen=True, slots=True)
class PlannedStep(Shape):
    """One step of a launch that is planned.

    Attributes:
        workflow: Its slug.
        title: What it does.
        provider: Who would be called.
        operation: Which of the provider's.
        mode: `local`, `sync` or `async`.
        entity: `person` or `company`: a company is asked about once.
        after: Workflows that it waits for.
        fallback_of: It is asked only where these missed.
        calls_at_most: For the rows of the upload.
        cost_each: What one call costs at most.
        cost_at_most: What all of them cost at most.
        currency: Of both.
        simulated: The simulator is called.
        problems: What keeps it from being called.
        reuse_for: Seconds that an answer of an earlier batch may be old to be taken; null: none is.
        also_for: Pairs of a workflow and how many items one of its answers emits at most, which take this step too.
        keys: Which variables go to which host.
        replaced: Configured addresses that are not called, but the simulator.
        by_rows: The costs of a prompt are those of its rows; false: of the largest request that it lets through.
    """

    workflow: str
    title: str
    provider: str
    operation: str
    mode: str
    entity: str
    after: tuple[str, ...]
    fallback_of: tuple[str, ...]
    calls_at_most: int
    cost_each: Decimal
    cost_at_most: Decimal
    currency: str
    simulated: bool
    problems: tuple[str, ...]
    reuse_for: float | None
    also_for: tuple[tuple[str, int], ...]
    keys: tuple[KeyUse, ...]
    replaced: tuple[str, ...]
    by_rows: bool

    @classmethod
    def of(cls, step: step_plans.StepPlan) -> PlannedStep:
        """From what the services return."""
        return cls(
            workflow=step.slug,
            title=step.title,
            provider=step.provider,
            operation=step.operation,
            mode=step.mode.value,
            entity=step.entity.value,
            after=step.after,
            fallback_of=step.fallback_of,
            calls_at_most=step.calls_at_most,
            cost_each=step.cost_each,
            cost_at_most=step.cost_at_most,
            currency=step.currency,
            simulated=step.simulated,
            problems=step.problems,
            reuse_for=step.reuse_for,
            also_for=step.also_for,
            keys=tuple(KeyUse(key.purpose, key.variable, key.host, key.foreign) for key in step.keys),
            replaced=step.replaced,
            by_rows=step.by_rows,
        )


@dataclass(frozen=True, slots=True)
class LackingInput(Shape):
    """Rows of a list that a step is certain to skip, for want of a field that it requires.

    Attributes:
        workflow: The step.
        fields: Any one of these would do.
        rows: How many rows have none of them.
        of: How many rows were looked at: all where a company step reads them, else the first 10,000.
        after: Earlier steps that would give one, and are skipped for such rows themselves.
    """

    workflow: str
    fields: tuple[str, ...]
    rows: int
    of: int
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LaunchPlan(Shape):
    """What a launch would do; it may be launched when `problems` is empty.

    Attributes:
        batch: The key that the batch would have.
        client: Whose it would be.
        pipeline: The pipeline's slug.
        upload_id: The upload.
        filename: Of the upload.
        rows: Data rows of the upload.
        rejected: Rows of it that could not be read.
        items: Rows that the launch would add.
        rows_before: Rows that the batch has already: a pilot that goes on.
        companies: Companies among the rows; null: not counted.
        steps: Its steps, in order.
        left_out: Workflows that are switched off for the client.
        cost_at_most: Currency to what it costs at most, for the rows of the upload.
        children: Pairs of a workflow and how many items it can make of them at most.
        cost_with_children: Currency to what it costs at most for the rows and all of these.
        problems: What is in the way.
        known: `skip` or `refresh`: what becomes of leads that the client has already; null: nobody looks.
        known_rows: How many of the rows the client has from earlier batches.
        not_spent: Currency to what the skipped ones would have cost at most.
        lacking: What steps need and rows have not: they are skipped there.
        unread: Columns of the upload that are no field, by their names.
    """

    batch: str
    client: str
    pipeline: str
    upload_id: int
    filename: str
    rows: int
    rejected: int
    items: int
    rows_before: int
    companies: int | None
    steps: tuple[PlannedStep, ...]
    left_out: tuple[str, ...]
    cost_at_most: Mapping[str, Decimal]
    children: tuple[tuple[str, int], ...]
    cost_with_children: Mapping[str, Decimal]
    problems: tuple[str, ...]
    known: str | None
    known_rows: int
    not_spent: Mapping[str, Decimal]
    lacking: tuple[LackingInput, ...]
    unread: tuple[str, ...]

    @classmethod
    def of(cls, plan: launch_plan.LaunchPlan) -> LaunchPlan:
        """From what the services return."""
        return cls(
            batch=plan.batch_key,
            client=plan.client,
            pipeline=plan.pipeline,
            upload_id=plan.upload_id,
            filename=plan.filename,
            rows=plan.rows,
            rejected=plan.rejected,
            items=plan.items,
            rows_before=plan.rows_before,
            companies=plan.companies,
            steps=tuple(map(PlannedStep.of, plan.steps)),
            left_out=plan.left_out,
            cost_at_most=plan.cost_at_most,
            children=plan.children,
            cost_with_children=plan.cost_with_children,
            problems=plan.problems,
            known=None if plan.known is None else plan.known.value,
            known_rows=plan.known_rows,
            not_spent=plan.not_spent,
            lacking=tuple(LackingInput(one.workflow, one.fields, one.rows, one.of, one.after) for one in plan.lacking),
            unread=plan.unread,
        )


@dataclass(frozen=True, slots=True)
class GivenUp(Shape):
    """What giving a batch up came to.

    Attributes:
        batch: Its key.
        skipped: States that are never asked.
        under_way: Calls whose answers are still taken.
        ambiguous: Calls of which nobody knows what became.
    """

    batch: str
    skipped: int
    under_way: int
    ambiguous: int

    @classmethod
    def of(cls, batch: str, done: giving_up.GivenUp) -> GivenUp:
        """From what the services return."""
        return cls(batch, done.skipped, done.under_way, done.ambiguous)


@dataclass(frozen=True, slots=True)
class FreshnessPlan(Shape):
    """What a client's freshness batch of this month would ask.

    Attributes:
        client: Whose leads.
        batch: The key that it has, or would have.
        exists: It is there already: nothing more is asked this month.
        leads: People who were not verified since.
        until: The last day on which they were.
        steps: What each step would call at most.
        cost_at_most: By currency.
        problems: What keeps it from being launched.
    """

    client: str
    batch: str
    exists: bool
    leads: int
    until: date
    steps: tuple[PlannedStep, ...]
    cost_at_most: Mapping[str, Decimal]
    problems: tuple[str, ...]

    @classmethod
    def of(cls, plan: gathering.FreshnessPlan) -> FreshnessPlan:
        """From what the services return."""
        return cls(
            plan.client,
            plan.batch,
            plan.exists,
            plan.leads,
            plan.until,
            tuple(map(PlannedStep.of, plan.steps)),
            plan.cost_at_most,
            plan.problems,
        )
