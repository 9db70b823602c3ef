"""Giving a batch up, and launching another in its place that takes what it has paid for."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.batch_keys import checked_batch_key
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.known_policy import Known
from enrichment_assets.domain.money import checked_amount
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.pipeline import Blueprint, reusing
from enrichment_assets.domain.priorities import Priority
from enrichment_assets.engine.calls.past_questions import remember_questions
from enrichment_assets.providers import build_providers
from enrichment_assets.services.batches.advancing import load_batch
from enrichment_assets.services.batches.launch_plan import draft_launch
from enrichment_assets.services.batches.launching import Launched, created, refuse_unready, relaunched
from enrichment_assets.services.batches.partitions import Partitions
from enrichment_assets.services.batches.simulation import calls_simulator, refuse_other_world
from enrichment_assets.services.batches.step_plans import step_plans
from enrichment_assets.services.catalog.archiving import put_out_of_sight
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.services.operations.budgeting import budget_of_batch
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.batches import launching as store
from enrichment_assets.store.batches.giving_up import GivenUp, give_up
from enrichment_assets.store.catalog.archiving import set_archived
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.sources.gathering import close_now

_AND_THEN = 30 * 86_400.0
"""Seconds after the launch for which an answer of the replaced batch is still taken, however late the new one runs."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """The new batch, what giving up the old one came to, and how many of its calls now say what they asked."""

    launched: Launched
    given_up: GivenUp
    questions: int


def give_up_batch(hq: Hq, batch_key: str, *, actor: Actor) -> GivenUp:
    """See that nothing of a batch is sent any more; answers under way are still taken. Again, it changes nothing.

    Raises:
        NotFoundError: There is no such batch.
    """
    with hq.transaction() as connection:
        given_up = give_up(connection, batch_key)
        if given_up is None:
            raise no_such_batch(connection, batch_key)
        if not given_up.again:
            said = {"skipped": given_up.skipped, "under_way": given_up.under_way, "ambiguous": given_up.ambiguous}
            note_action(
                connection,
                actor,
                Code.BATCH_GIVE_UP,
                batch_key,
                client_id=given_up.client_id,
                batch_id=given_up.batch_id,
                after=said,
            )
    return given_up


def launch_instead(
    hq: Hq,
    settings: Settings,
    old_key: str,
    upload: int | str,
    pipeline: str,
    *,
    actor: Actor,
    partitions: Partitions,
    client: str | None = None,
    batch_key: str | None = None,
    limit: int | None = None,
    priority: Priority | None = None,
    known: Known | None = None,
    budget: Decimal | str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Replaced:
    """Give a batch up, launch another of the same client, and archive the first. Other arguments as in `launch`.

    What the new batch asks word for word as the old one did is taken from there, also what is still under way, and
    whatever `reuse_for` says; it is as urgent as the old one, unless `priority` says otherwise. A launch that was
    interrupted can be repeated.

    Raises:
        NotFoundError: No such upload, client, pipeline or batch.
        ConfigurationError: The pipeline cannot run, a key is missing, or the batch is another client's or of the other
            world (simulator or real). Then the old batch is as it was.
    """
    key = checked_batch_key(batch_key) if batch_key else None
    most = None if budget is None else checked_amount(budget)
    with registry(hq) as connection:
        old = store.get_batch(connection, old_key)
        if old is None:
            raise no_such_batch(connection, old_key)
        draft = replace(draft_launch(connection, upload, pipeline, client, known=known), limit=limit, budget=most)
        if old["client_id"] != draft.upload["client_id"]:
            raise ConfigurationError(
                f"batch {old_key} is of client {old['client']}, and upload {upload} is not",
                code="batch.of_other_client",
            )
        refuse_unready(draft, step_plans(settings, draft, None, environment))
        refuse_other_world(settings, old_key, Blueprint.model_validate(old["blueprint"]))
        there = store.replacement_of(connection, old["id"], draft.pipeline.slug)
    given_up = give_up_batch(hq, old_key, actor=actor)
    questions = _remember(hq, settings, old_key)
    with registry(hq) as connection:
        if there is not None:
            launched = relaunched(there, draft.upload, draft.pipeline.slug, known)
            if most is not None:
                budget_of_batch(connection, there["client_id"], there["id"], most, actor=actor)
        else:
            blueprint = _taking_from(old, draft.blueprint)
            blueprint = blueprint.model_copy(update={"simulated": calls_simulator(settings)})
            inherited = priority or Priority.of_rank(old["priority"])
            draft = replace(draft, blueprint=blueprint, priority=inherited)
            launched = created(connection, draft, key, old["id"], actor=actor)
            close_now(connection, draft.upload["id"])
        set_archived(connection, "batch", old["id"], archived=True)
        if old["retired_at"] is None:
            note_action(
                connection,
                actor,
                Code.BATCH_ARCHIVE,
                old_key,
                client_id=old["client_id"],
                batch_id=old["id"],
                before={"archived": False},
                after={"archived": True, "replaced_by": launched.batch_key},
            )
    partitions.add(launched.batch_key)
    put_out_of_sight(hq, settings, old_key, old["client"], partitions)
    return Replaced(launched, given_up, questions)


def _taking_from(old: dict[str, Any], blueprint: Blueprint) -> Blueprint:
    """The blueprint whose steps take answers as old as the batch that is replaced."""
    age = (datetime.now(UTC) - old["created_at"]).total_seconds() + _AND_THEN
    return reusing(blueprint, lambda workflow: max(workflow.reuse_for or 0.0, age))


def _remember(hq: Hq, settings: Settings, old_key: str) -> int:
    providers = build_providers(settings.sandbox_url)
    hq_url = hq.url
    return asyncio.run(remember_questions(hq_url, load_batch(hq, old_key), providers, settings.sandbox_url))
