"""What users change in the workspace by SQL is carried out. Where nobody asks for anything: a question or two."""

import dagster as dg

from enrichment_assets.assets.failures import texts_withheld
from enrichment_assets.resources.platform import PlatformResource


@dg.sensor(
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Carries out what users of the workspace ask for by SQL, or says why not. Starts no run.",
)
@texts_withheld()
def asked_changes_sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SkipReason:
    """One look."""
    from enrichment_assets.store.asked.changes import anything_waits

    with platform.open_hq() as hq:
        with hq.workspace.transaction() as workspace:
            waits = anything_waits(workspace)
        if not waits:
            return dg.SkipReason("nobody asks for anything")
        from enrichment_assets.services.review.asked import carry_out

        done = carry_out(hq)
    context.log.info(f"{done.done} changes asked for by SQL were carried out, {done.refused} refused")
    return dg.SkipReason("nothing was started: what was asked for is carried out from here")
