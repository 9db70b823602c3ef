"""A job for each phase of a system, and one for all of them in their order: selections of the assets of every batch.

Which phases there are, and which steps are theirs, stands in the system's file (`registry/systems`). A run of a phase
works on its steps, and makes the batch's tables as they then are: a phase that is materialised by hand, backfilled over
batches or asked for by its schedule is the same run of the same assets.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from enrichment_assets.assets.selection import tables_of_a_batch
from enrichment_assets.assets.steps import step_key
from enrichment_assets.assets.uploads import BATCH_ITEMS, RAW_UPLOADS
from enrichment_assets.domain.system import SystemDefinition
from enrichment_assets.registry.loader import systems


@dataclass(frozen=True, slots=True)
class PhaseJob:
    """The job of one phase.

    Attributes:
        steps: Slugs of the phase that are shown as assets.
        before: Slugs of the phases before it.
        is_first: It lays the batch out.
    """

    system: str
    job: UnresolvedAssetJobDefinition
    steps: tuple[str, ...]
    before: tuple[str, ...]
    is_first: bool


def phase_jobs(shown: Collection[str]) -> list[PhaseJob]:
    """The jobs of all phases that have a step among `shown` (slugs of workflows with an asset), system by system."""
    found = []
    for system in systems().values():
        before: list[str] = []
        for number, phase in enumerate(system.phases):
            steps = tuple(slug for slug in phase.steps if slug in shown)
            if steps:
                keys = [*([RAW_UPLOADS, BATCH_ITEMS] if number == 0 else []), *map(step_key, steps)]
                job = _job(system, phase.slug, keys, f"{system.title}, phase {number + 1}: {phase.title}.")
                found.append(PhaseJob(system.slug, job, steps, tuple(before), is_first=number == 0))
            before += steps
    return found


def whole_jobs(shown: Collection[str]) -> list[UnresolvedAssetJobDefinition]:
    """For each system with phases the job of all: an item goes on as soon as what it waits for is there."""
    found = []
    for system in systems().values():
        steps = [slug for phase in system.phases for slug in phase.steps if slug in shown]
        if steps:
            keys = [RAW_UPLOADS, BATCH_ITEMS, *map(step_key, steps)]
            found.append(_job(system, "all-phases", keys, f"{system.title}: all phases in their order."))
    return found


def _job(
    system: SystemDefinition, name: str, keys: Collection[dg.AssetKey], description: str
) -> UnresolvedAssetJobDefinition:
    return dg.define_asset_job(
        f"{system.slug}_{name}".replace("-", "_"),
        selection=dg.AssetSelection.assets(*keys, *tables_of_a_batch(system.slug)),
        description=f"{description} For the batches of one system; a batch of another one has none of these steps.",
        tags={"enrich/system": system.slug},
    )
