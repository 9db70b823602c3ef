"""What is old goes by itself, where somebody has switched the schedule on."""

import dagster as dg

from enrichment_assets.assets.failures import values_withheld
from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.resources.platform import PlatformResource


@dg.op(description="Takes out old runs, events, bodies of answers, files of lists, leads that were told. Figures stay.")
def take_out_what_is_old(context: dg.OpExecutionContext, platform: PlatformResource) -> None:
    """As `enrich retention`."""
    from enrichment_assets.installation.databases import open_databases
    from enrichment_assets.services.operations.retention import retain

    with values_withheld(), platform.open_hq() as hq:
        settings = platform.settings()
        url = open_databases(settings).dagster
        actor = Actor(ActorKind.SCHEDULE, "retention")
        done = retain(hq, settings, url, settings.retention_days, dry_run=False, actor=actor)
    context.log.info(
        f"older than {done.days} days: {done.history.runs} runs, {done.history.events} events, "
        f"{done.answers.bodies} bodies of answers, {done.callbacks.bodies} of callbacks, "
        f"{done.uploads.bodies} kept files of uploads, {done.told_leads.bodies} leads that webhooks were told of"
    )


@dg.job(name="retention", description="Takes out what is old and needed by nobody.")
def retention_job() -> None:
    """One op."""
    take_out_what_is_old()


retention_schedule = dg.ScheduleDefinition(
    name="retention_schedule",
    job=retention_job,
    cron_schedule="30 3 * * 0",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Every Sunday night, once it is switched on: nothing is deleted that nobody asked for.",
)
