"""Advancing a batch, as the entry points do. The engine does the work."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

import uvloop

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.domain.provider import Provider
from enrichment_assets.domain.statuses import StopCause
from enrichment_assets.engine.run.advance import EngineOptions, Progress, RunReport, advance, own_label
from enrichment_assets.engine.run.context import Batch
from enrichment_assets.engine.run.event_log import open_log
from enrichment_assets.engine.tracing import span, tracing
from enrichment_assets.installation.running_stack import is_of_the_stack
from enrichment_assets.services.batches import known
from enrichment_assets.services.batches.simulation import refuse_other_world
from enrichment_assets.services.operations.remedies import ENRICH_UP
from enrichment_assets.services.people.pepper import pepper_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches import extracted
from enrichment_assets.store.batches.launching import get_batch
from enrichment_assets.store.catalog.missing import no_such_batch
from enrichment_assets.store.database import connect
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.states.stops import KeptStop, keep_stops_now


def load_batch(hq: Hq, batch_key: str) -> Batch:
    """The batch or try as the engine takes it; raises `NotFoundError`."""
    with hq.transaction() as connection:
        row = get_batch(connection, batch_key)
        if row is None:
            raise no_such_batch(connection, batch_key)
    blueprint = Blueprint.model_validate(row["blueprint"])
    return Batch(row["id"], batch_key, row["client_id"], row["client"], blueprint, is_try=row["is_try"])


# crash point: batch-is-marked-extracted
def mark_extracted(hq: Hq, batch_key: str) -> None:
    """Note that the batch's tables hold what is known of it now."""
    with hq.transaction() as connection:
        extracted.mark_extracted(connection, batch_key)


# crash point: batch-is-advanced
def advance_batch(
    hq: Hq,
    settings: Settings,
    batch_key: str,
    providers: Mapping[str, Provider],
    selection: set[str] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    stop: threading.Event | None = None,
    options: EngineOptions | None = None,
    only: frozenset[int] | None = None,
    batch: Batch | None = None,
) -> RunReport:
    """Do everything that can be done for a batch now; see `engine.run.advance`. Blocks until then.

    `only`: nothing is asked for other items than these. `batch`: as it is to be advanced, where that is not as it was
    launched: with deliveries.

    Raises:
        ConfigurationError: also when the batch was launched for the simulator and would now call real providers, or
            the reverse.
    """
    open_log(settings.log)
    hq_url = hq.url
    batch = batch or load_batch(hq, batch_key)
    try:
        refuse_other_world(settings, batch_key, batch.blueprint)
    except ConfigurationError as error:
        _keep_refusal(hq_url, batch, str(error))
        raise
    if batch.blueprint.skips_known:
        known.ready(hq, settings, batch_key)  # for what its answers emit
    chosen = options or EngineOptions(receiver_url=settings.receiver_url, sandbox_url=settings.sandbox_url)
    pepper = chosen.pepper or pepper_of(hq, settings)
    chosen = replace(chosen, process=chosen.process or process_name(), pepper=pepper, only=only)
    with tracing(on=settings.traces), span("run", batch=batch.batch_key, client=batch.client_slug) as told:
        report = uvloop.run(advance(hq_url, batch, providers, chosen, selection, on_progress, stop))
        told.told("finished", report.finished)
    return report


def process_name() -> str:
    """What a person knows this process by."""
    return ENRICH_UP if is_of_the_stack() else own_label()


def _keep_refusal(hq_url: str, batch: Batch, reason: str) -> None:
    """Every step of a batch for the other world stands still, and says why."""
    slugs = [step.slug for step in batch.blueprint.steps]
    stops = [KeptStop(slug, StopCause.OTHER_WORLD.value, reason) for slug in slugs]
    with connect(hq_url) as connection:
        keep_stops_now(connection, batch.batch_id, slugs, stops, process_name())
