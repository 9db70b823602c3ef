"""Launching a batch: the row with its blueprint first, then its Dagster partition.

Launching the same key for the same upload and pipeline again adds the partition that a crash left out, and changes
nothing else. What a launch would call and cost is in `services.batches.launch_plan`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.batch_keys import checked_batch_key
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.known_policy import Known
from enrichment_assets.domain.money import checked_amount
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.pipeline import Blueprint, going_by_phase, reusing
from enrichment_assets.domain.priorities import Priority
from enrichment_assets.services.batches.known import ready, skips_known
from enrichment_assets.services.batches.launch_plan import (
    Draft,
    LaunchPlan,
    default_key,
    draft_launch,
    find_upload,
    plan_launch,
    unrecognised,
)
from enrichment_assets.services.batches.pilots import extend, pilot_for
from enrichment_assets.services.batches.priorities import change_priority
from enrichment_assets.services.batches.simulation import calls_simulator
from enrichment_assets.services.batches.step_plans import StepPlan, step_plans
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.services.operations.budgeting import budget_of_batch
from enrichment_assets.services.uploads.upload import upload_again
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.batches import launching as store
from enrichment_assets.store.database import Connection
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.sources.gathering import close_now

_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Launched:
    """A batch that is there. `created` is False when it was there already and only its partition was seen to.

    `items` are the rows of the upload that it has; `limit`: it is a pilot of so many; `added`: it was, and got so many.

    `replaced`: in a batch for the simulator, (workflow, configured address) of what is not called.

    `beside`: keys of batches of the same upload and pipeline that were there before it, the newest first: what they
    have asked is asked and paid for again, except where a workflow reuses answers.
    """

    batch_key: str
    client: str
    pipeline: str
    upload_id: int
    items: int
    steps: tuple[str, ...]
    created: bool
    replaced: tuple[tuple[str, str], ...] = ()
    limit: int | None = None
    added: int = 0
    beside: tuple[str, ...] = ()


# crash point: batch-is-launched
def launch(
    hq: Hq,
    settings: Settings,
    upload: int | str,
    pipeline: str,
    *,
    actor: Actor,
    add_partition: Callable[[str], None],
    client: str | None = None,
    batch_key: str | None = None,
    fresh: bool = False,
    limit: int | None = None,
    priority: Priority | None = None,
    known: Known | None = None,
    environment: Mapping[str, str] | None = None,
    starts_in: timedelta = timedelta(0),
    target: int | None = None,
    budget: Decimal | str | None = None,
    by_phase: bool = False,
) -> Launched:
    """Create the batch with its blueprint, then its partition. Arguments as in `plan_launch`.

    `target`: a new batch has so many children at most of the step that its pipeline counts. `by_phase`: nothing of it
    goes on by itself; each phase of its system is asked for.

    `starts_in`: who calls this asks for the batch's run; the sequencer does after that time, where it was not.

    Of an upload whose rows come one by one a batch has those that are there: what comes later goes into another upload.

    A `fresh` batch takes no answer of an earlier one; later ones may take its. `known` goes before the pipeline's.
    Without a `priority` a new batch has the usual one, and one that is there keeps its own.

    `budget`: what the batch may spend at most; it is there with the batch, before any call of it can leave. One that is
    there gets it where it has none: who may launch changes no budget that somebody set.

    With a `batch_key` that exists for the same upload and pipeline, the batch stays as it is and only its partition is
    added again, so that a launch that was interrupted can be repeated. If it is a pilot (`limit`), it gets the rows up
    to the new limit, or all; so it does without a key, where the newest batch of this upload and pipeline is a pilot.

    Raises:
        NotFoundError: No such upload, client or pipeline.
        ConfigurationError: The pipeline cannot run, a key or an address is missing (names workflow and variable), or
            the batch key belongs to another launch, the budget is no amount, or the batch has another one.
    """
    key = checked_batch_key(batch_key) if batch_key else None
    most = None if budget is None else checked_amount(budget)
    again: dict[str, Any] | None = None
    with registry(hq) as connection:
        existing = store.get_batch(connection, key) if key else None
        draft = (
            None
            if existing
            else replace(draft_launch(connection, upload, pipeline, client, target, known), limit=limit, budget=most)
        )
        if draft is not None and key is None:
            existing = pilot_for(connection, draft.upload, draft.blueprint)
        if existing is not None or draft is None:
            assert existing is not None  # noqa: S101
            again = existing
            launched = relaunched(existing, find_upload(connection, upload, client), pipeline, known)
            if most is not None:
                budget_of_batch(connection, existing["client_id"], existing["id"], most, actor=actor)
        else:
            plans = step_plans(settings, draft, None, environment)
            refuse_unready(draft, plans)
            simulated = calls_simulator(settings)
            asked = _asking_anew(draft.blueprint) if fresh else draft.blueprint
            blueprint = going_by_phase(asked, by_phase).model_copy(update={"simulated": simulated})
            beside = store.batches_of(connection, draft.upload["id"], draft.pipeline.slug)
            draft = replace(draft, blueprint=blueprint, priority=priority or draft.priority)
            launched = created(connection, draft, key, actor=actor, starts_in=starts_in)
            close_now(connection, draft.upload["id"])
            replaced = tuple((plan.slug, url) for plan in plans for url in plan.replaced)
            launched = replace(launched, replaced=replaced, beside=tuple(beside))
    if again is not None:
        launched = _goes_on(hq, settings, launched, again, limit, priority, actor)
    add_partition(launched.batch_key)
    return launched


def _goes_on(
    hq: Hq,
    settings: Settings,
    launched: Launched,
    existing: dict[str, Any],
    limit: int | None,
    priority: Priority | None,
    actor: Actor,
) -> Launched:
    """The batch that is there with the rows up to the limit, where it is a pilot, and with its new priority."""
    key = launched.batch_key
    hasher = ready(hq, settings, key) if skips_known(existing) else None
    with hq.transaction() as connection:
        launched = _with_rows(launched, extend(connection, settings, key, limit, actor=actor, hasher=hasher))
        if priority is not None:
            change_priority(connection, key, priority, actor=actor)
    return launched


def map_columns(
    hq: Hq,
    settings: Settings,
    upload: int | str,
    mapping: Mapping[str, str],
    client: str | None = None,
    *,
    actor: Actor,
) -> int:
    """The id of an upload of the same bytes with columns mapped as said: `upload` itself stays as it is.

    Raises:
        NotFoundError: No such upload.
        ConfigurationError: The file has no such column, or there is no such field.
    """
    with registry(hq) as connection:
        row = find_upload(connection, upload, client)
    return upload_again(hq, settings, row["id"], mapping, actor=actor).upload_id


def _asking_anew(blueprint: Blueprint) -> Blueprint:
    """The blueprint with no step that takes an answer of another batch."""
    return reusing(blueprint, lambda workflow: None if workflow.reuse_for is None else 0.0)


def next_key(hq: Hq, upload: int | str, pipeline: str, client: str | None = None) -> str:
    """The key that `launch` would give a new batch of this upload and pipeline now. Raises as `launch`."""
    with registry(hq) as connection:
        return default_key(connection, draft_launch(connection, upload, pipeline, client))


def created(
    connection: Connection,
    draft: Draft,
    batch_key: str | None,
    replaces: int | None = None,
    *,
    actor: Actor,
    starts_in: timedelta = timedelta(0),
) -> Launched:
    """Insert the batch of a draft; `replaces`: id of the batch that was given up for it. The caller commits.

    Raises:
        ConfigurationError: The key belongs to another launch.
    """
    limit = None if replace(draft, limit=None).items == draft.items else draft.limit
    for _ in range(_ATTEMPTS):
        key = batch_key or default_key(connection, draft)
        rank = draft.priority.rank
        batch_id = store.insert_batch(connection, key, draft.upload, draft.blueprint, limit, replaces, rank, starts_in)
        if batch_id is not None:
            said = {"upload_id": draft.upload["id"], "pipeline": draft.pipeline.slug, "items": draft.items}
            if limit is not None:
                said["limit"] = limit
            if rank:
                said["priority"] = draft.priority.value
            client_id = draft.upload["client_id"]
            note_action(connection, actor, Code.BATCH_LAUNCH, key, client_id=client_id, batch_id=batch_id, after=said)
            if draft.budget is not None:
                budget_of_batch(connection, client_id, batch_id, draft.budget, actor=actor)
            return _launched(key, draft.upload, draft.blueprint, created=True, limit=limit)
        if batch_key and (existing := store.get_batch(connection, key)):  # somebody launched it in this moment
            return relaunched(existing, draft.upload, draft.pipeline.slug)
    raise ConfigurationError(
        "another launch took the batch key meanwhile: launch again", code="batch.key_taken_meanwhile"
    )


def relaunched(existing: dict[str, Any], upload: dict[str, Any], pipeline: str, known: Known | None = None) -> Launched:
    """The batch as it was launched, whatever has changed in the registry since."""
    key = existing["batch_key"]
    if existing["upload_id"] != upload["id"] or existing["pipeline_slug"] != pipeline:
        raise ConfigurationError(
            f"batch {key!r} exists already, for another upload or pipeline: choose another key", code="batch.key_taken"
        )
    if existing["retired_at"] is not None:
        raise ConfigurationError(f"batch {key!r} is archived: restore it, or choose another key", code="batch.archived")
    blueprint = Blueprint.model_validate(existing["blueprint"])
    if known not in (None, blueprint.known):
        was = "does not look whom the client knows" if blueprint.known is None else f"has `known: {blueprint.known}`"
        raise ConfigurationError(
            f"batch {key!r} {was}, and keeps what it was launched with: launch another", code="batch.known_differs"
        )
    return _launched(key, upload, blueprint, created=False, limit=existing["row_limit"])


def _with_rows(launched: Launched, added: int) -> Launched:
    """The batch after it got more rows: a pilot that has all of them is none any more."""
    return replace(launched, items=launched.items + added, added=added, limit=None) if added else launched


def _launched(
    key: str, upload: dict[str, Any], blueprint: Blueprint, *, created: bool, limit: int | None = None
) -> Launched:
    readable = int(upload["row_count"] - upload["rejected_count"])
    return Launched(
        batch_key=key,
        client=blueprint.client,
        pipeline=blueprint.pipeline,
        upload_id=upload["id"],
        items=readable if limit is None else min(limit, readable),
        steps=tuple(step.slug for step in blueprint.steps),
        created=created,
        limit=limit,
    )


def refuse_unready(draft: Draft, plans: Sequence[StepPlan]) -> None:
    """Raise `ConfigurationError` with all that keeps a draft from being launched."""
    problems = [*unrecognised(draft), *(problem for plan in plans for problem in plan.problems)]
    if problems:
        raise ConfigurationError(
            f"pipeline {draft.pipeline.slug} cannot be launched: " + "; ".join(problems), code="launch.not_ready"
        )


__all__ = ["LaunchPlan", "Launched", "StepPlan", "launch", "map_columns", "next_key", "plan_launch"]
