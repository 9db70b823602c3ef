"""Pilots: a batch launched with the first rows of its upload, and given the rest when they came out well.

The rest goes into the same batch. Its ledger knows what the pilot asked, so nothing is asked or paid again, a company
of both is asked about once, and the list comes back whole.
"""

from __future__ import annotations

from typing import Any

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.hints import Action, Hint
from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.pipeline import Blueprint, reusing
from enrichment_assets.domain.suppression import Hasher
from enrichment_assets.services.batches.items import lay_out
from enrichment_assets.settings import Settings
from enrichment_assets.store.audit.operator_actions import note_action
from enrichment_assets.store.batches import items as items_store
from enrichment_assets.store.batches import launching as store
from enrichment_assets.store.catalog.uploads import get_upload
from enrichment_assets.store.database import Connection


def pilot_for(connection: Connection, upload: dict[str, Any], blueprint: Blueprint) -> dict[str, Any] | None:
    """The pilot that a launch of this upload and pipeline goes on with; None: there is none, the launch is a new batch.

    Raises:
        ConfigurationError: There is one, and it would not run as a launch would now.
    """
    pilot = store.pilot_of(connection, upload["id"], blueprint.pipeline)
    if pilot is None:
        return None
    if not same_work(Blueprint.model_validate(pilot["blueprint"]), blueprint):
        key = pilot["batch_key"]
        raise ConfigurationError(
            f"batch {key} is a pilot of {pilot['row_limit']:,} rows of this upload, and the pipeline, a workflow or "
            f"the client's settings have changed since",
            Hint(Action.CONTINUE_PILOT, {"batch": key}),
            Hint(Action.REPLACE_PILOT, {"batch": key}),
            code="batch.pilot_changed",
        )
    return pilot


def is_pilot_of(batch: dict[str, Any], upload: dict[str, Any], pipeline: str) -> bool:
    """Whether a batch has some rows of this upload in this pipeline, and can have the rest."""
    return batch["upload_id"] == upload["id"] and batch["pipeline_slug"] == pipeline and batch["row_limit"] is not None


def extend(
    connection: Connection,
    settings: Settings,
    batch_key: str,
    limit: int | None,
    *,
    actor: Actor,
    hasher: Hasher | None = None,
) -> int:
    """Let a batch have its upload's rows up to `limit` (None: all) and lay them out; how many are new. Caller commits.

    A limit that the batch has or is beyond changes nothing. `hasher`: of a batch that skips known leads.

    Raises:
        ConfigurationError: The batch was given up or archived.
    """
    batch = items_store.lock_batch(connection, batch_key)
    assert batch is not None  # noqa: S101
    before: int | None = batch["row_limit"]
    if before is None or (limit is not None and limit <= before):
        return 0
    if batch["given_up_at"] is not None:
        raise ConfigurationError(
            f"batch {batch_key} was given up", Hint(Action.REPLACE_BATCH, {"batch": batch_key}), code="batch.given_up"
        )
    upload = get_upload(connection, batch["upload_id"])
    assert upload is not None  # noqa: S101
    readable = int(upload["row_count"] - upload["rejected_count"])
    wanted = readable if limit is None else min(limit, readable)
    items_store.set_row_limit(connection, batch["id"], None if wanted == readable else wanted)
    if batch["items_created_at"] is not None:
        lay_out(connection, settings, {**batch, "row_limit": wanted}, upload, hasher)
    added = int(wanted - min(before, readable))
    note_action(
        connection,
        actor,
        Code.BATCH_EXTEND,
        batch_key,
        client_id=batch["client_id"],
        batch_id=batch["id"],
        before={"limit": before},
        after={"limit": None if wanted == readable else wanted, "added": added},
    )
    return added


def same_work(one: Blueprint, other: Blueprint) -> bool:
    """Whether two blueprints ask the same, whosever answers they may take instead, and in whichever world."""
    return _work(one) == _work(other)


def _work(blueprint: Blueprint) -> Blueprint:
    """What a blueprint asks, without whose answers it may take instead, of which leads, and in which world."""
    return reusing(blueprint, lambda _: None).model_copy(update={"simulated": None, "known": None})
