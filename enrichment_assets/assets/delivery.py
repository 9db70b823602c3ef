"""Each delivery as an asset of a batch: its leads at one destination, downstream of `final_leads`.

A run of it plans the leads that are there now and takes them where they belong; asked again, it goes on. What is due by
itself (leads of a pipeline that says `deliver`, retries, steps of sequences) the delivery sensor asks for.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from enrichment_assets.assets.descriptions import plain
from enrichment_assets.assets.extraction import model_key
from enrichment_assets.assets.failures import values_withheld
from enrichment_assets.assets.partitions import OWNERS, batches
from enrichment_assets.assets.run_queue import UNDER_WAY
from enrichment_assets.assets.steps import step_key
from enrichment_assets.domain.actors import Actor, ActorKind
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.resources.platform import PlatformResource

GROUP = "delivery"
DELIVERY_JOB = "deliver"
LOOK_SECONDS = 3.0
"""How often it is asked whether the run was stopped."""


def build_delivery_assets(workflows: Sequence[WorkflowDefinition]) -> list[dg.AssetsDefinition]:
    """One asset for each delivery."""
    return [_delivery(workflow) for workflow in sorted(workflows, key=lambda w: (w.step, w.slug))]


def delivery_jobs(workflows: Sequence[WorkflowDefinition]) -> list[UnresolvedAssetJobDefinition]:
    """The job of which the sensor asks; none where there is no delivery."""
    if not workflows:
        return []
    selection = dg.AssetSelection.assets(*(step_key(workflow.slug) for workflow in workflows))
    told = "Leads of a batch to where they belong."
    return [dg.define_asset_job(DELIVERY_JOB, selection=selection, description=told)]


def _delivery(workflow: WorkflowDefinition) -> dg.AssetsDefinition:
    follows = workflow.delivery.follows if workflow.delivery is not None else None

    @dg.asset(
        key=step_key(workflow.slug),
        deps=[model_key("final_leads") if follows is None else step_key(follows.delivery)],
        partitions_def=batches,
        group_name=GROUP,
        owners=OWNERS,
        kinds={workflow.provider},
        description=plain("\n\n".join(filter(None, [f"{workflow.title.rstrip('.')}.", workflow.description]))),
        tags={"enrich/mode": workflow.mode.value},
        metadata={"workflow": workflow.slug, "provider": workflow.provider},
    )
    def deliver(context: dg.AssetExecutionContext, platform: PlatformResource) -> dg.MaterializeResult:
        """Plan the leads of the batch, and take them there."""
        from enrichment_assets.services.deliveries.due import deliver_due

        with values_withheld(), platform.open_hq() as hq, _stopped(context) as stop:
            done = deliver_due(
                hq,
                platform.settings(),
                context.partition_key,
                workflow.slug,
                actor=Actor(ActorKind.SCHEDULE, "delivery"),
                providers=platform.providers(),
                stop=stop,
            )
        return dg.MaterializeResult(metadata={name: dg.MetadataValue.int(number) for name, number in done.items()})

    return deliver


@contextmanager
def _stopped(context: dg.AssetExecutionContext) -> Iterator[threading.Event]:
    """An event that is set when somebody ends the run: calls under way are finished, and nothing more leaves."""
    stop, done = threading.Event(), threading.Event()

    def watch() -> None:
        while not done.wait(LOOK_SECONDS):
            run = context.instance.get_run_by_id(context.run.run_id)
            if run is None or run.status not in UNDER_WAY:
                stop.set()
                return

    watching = threading.Thread(target=watch, name=f"watch {context.run.run_id[:8]}", daemon=True)
    watching.start()
    try:
        yield stop
    finally:
        done.set()
        watching.join()
