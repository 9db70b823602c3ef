"""Whoever was erased stays out, and an erasure that ended in between goes on. Where nobody was: one statement."""

import dagster as dg

from enrichment_assets.assets.failures import texts_withheld
from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.store.people.erasures import anybody


@dg.sensor(
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Finishes erasures of persons that ended in between, and erases again whom a late answer brought back.",
)
@texts_withheld()
def erasure_sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SkipReason:
    """One look. It starts no run."""
    settings = platform.settings()
    with platform.open_hq() as hq:
        with hq.transaction() as connection:
            known = anybody(connection)
        if not known and not settings.erasures_file.exists():
            return dg.SkipReason("nobody was erased")
        from enrichment_assets.installation.databases import open_databases
        from enrichment_assets.services.people.inventory import Scope
        from enrichment_assets.services.people.keeping_out import look_again

        scope = Scope(hq, settings, open_databases(settings).dagster)
        done = look_again(scope, actor=Actor(ActorKind.SENSOR, "erasures"))
    if done.finished or done.came_back or done.restored:
        context.log.info(
            f"{done.finished} erasures finished, {done.came_back} done again, {done.restored} told to this database"
        )
    return dg.SkipReason("nothing was started: persons are erased from here")
