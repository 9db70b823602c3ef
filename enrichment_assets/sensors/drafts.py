"""Workflows that were written down by SQL are registered, or refused. Without any: one statement."""

import dagster as dg

from enrichment_assets.assets.failures import texts_withheld
from enrichment_assets.resources.platform import PlatformResource


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Registers workflows that were inserted or changed by SQL, or says in their rows why they are refused.",
)
@texts_withheld()
def draft_sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SkipReason:
    """One look at the drafts. It starts no run and calls nobody."""
    from enrichment_assets.services.catalog.drafts import settle_drafts

    with platform.open_hq() as hq:
        settled = settle_drafts(hq, platform.settings())
    for one in settled:
        context.log.info(f"{one.workflow} is active" if one.refused is None else f"{one.workflow} was refused")
    return dg.SkipReason("nothing was started: workflows that were written by SQL are registered here")
