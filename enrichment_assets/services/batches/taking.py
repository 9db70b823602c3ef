"""Taking in a batch's callbacks without a run, as the callback sensor does. The engine does the work."""

from __future__ import annotations

from collections.abc import Mapping

import uvloop

from enrichment_assets.domain.provider import Provider
from enrichment_assets.engine.run.advance import EngineOptions
from enrichment_assets.engine.run.event_log import open_log
from enrichment_assets.engine.run.taking import Taken, take_in
from enrichment_assets.services.batches.advancing import load_batch, process_name
from enrichment_assets.services.batches.simulation import refuse_other_world
from enrichment_assets.services.people.pepper import pepper_of
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq

LEASE_SECONDS = 30.0
"""A look that died leaves its items to the next one after this long; it takes a second or two."""


def take_in_callbacks(
    hq: Hq, settings: Settings, batch_key: str, providers: Mapping[str, Provider], seconds: float
) -> Taken:
    """Take in what waits of a batch, for about `seconds` at most; see `engine.run.taking`. Blocks until then.

    Raises:
        ConfigurationError: The batch was launched for the simulator and this process calls real providers, or the
            reverse; or a step cannot be prepared.
        InfrastructureError: The database failed; what is left waits in the inbox.
    """
    open_log(settings.log)
    batch = load_batch(hq, batch_key)
    refuse_other_world(settings, batch_key, batch.blueprint)
    options = EngineOptions(
        receiver_url=settings.receiver_url,
        sandbox_url=settings.sandbox_url,
        lease_seconds=LEASE_SECONDS,
        process=process_name(),
        pepper=pepper_of(hq, settings) if batch.blueprint.skips_known else None,  # for what its answers emit
    )
    return uvloop.run(take_in(hq.url, batch, providers, options, seconds))
