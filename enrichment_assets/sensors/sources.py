"""Tables of the workspace bring leads by themselves. Where there is no source: one statement."""

import dagster as dg

from enrichment_assets.assets.failures import texts_withheld
from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.resources.platform import PlatformResource
from enrichment_assets.store.sources.waking import Ears

TICK_SECONDS = 25.0
"""Sources that are left after this time wait for the next tick: Dagster gives a sensor a minute."""

_ears = Ears()
"""Of this process: what a table says between two ticks is heard at the second one."""


@dg.sensor(
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Takes new rows of the tables that are sources into open batches, and tells their tables how rows ended. "
        "Starts no run: the sequencer does."
    ),
)
@texts_withheld()
def source_sensor(context: dg.SensorEvaluationContext, platform: PlatformResource) -> dg.SkipReason:
    """Look at the sources whose time has come, or of which word came."""
    from enrichment_assets.store.sources.table_sources import due_sources

    with platform.open_hq() as hq:
        woken = _ears.heard(lambda: hq.workspace.url) if _ears.is_open else []
        with hq.transaction() as connection:
            due = due_sources(connection, woken)
        if due.any and not _ears.is_open:
            _ears.heard(lambda: hq.workspace.url)
        if not due.names:
            return dg.SkipReason("no source is due")
        from enrichment_assets.services.sources.looking import look_at_due

        looks = list(
            look_at_due(hq, platform.settings(), due.names, TICK_SECONDS, actor=Actor(ActorKind.SENSOR, "sources"))
        )
    for look in looks:
        (context.log.warning if look.problem else context.log.info)(look.sentence())
    taken, ended = sum(look.taken for look in looks), sum(sum(look.ended.values()) for look in looks)
    return dg.SkipReason(f"{len(looks)} sources looked at, {taken} rows taken, {ended} ended")
