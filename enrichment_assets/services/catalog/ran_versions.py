"""Which batches ran which version of a workflow: a batch keeps what it was launched with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.store.batches.ran_workflows import batches_that_ran
from enrichment_assets.store.hq import Hq

MOST_BATCHES = 200
"""Batches that are looked at, the newest first."""


@dataclass(frozen=True, slots=True)
class RanVersion:
    """A version of a workflow that batches ran.

    Attributes:
        version: Its hash; the settings of a client are in it.
        definition: The workflow as the newest of these batches has it.
        batches: (key, client) of the batches, the newest first.
        first_at: When the oldest of them was launched; `last_at`: the newest.
    """

    version: str
    definition: WorkflowDefinition
    batches: tuple[tuple[str, str], ...]
    first_at: datetime
    last_at: datetime


def versions_run(hq: Hq, slug: str, *, client: str | None = None) -> list[RanVersion]:
    """The versions of a workflow that the newest batches ran, of a client or of all, the latest first."""
    with hq.transaction() as connection:
        rows = batches_that_ran(connection, slug, client, MOST_BATCHES)
    found: dict[str, RanVersion] = {}
    for row in rows:
        definition = WorkflowDefinition.model_validate(row.workflow)
        version = definition.version()
        one = found.get(version) or RanVersion(version, definition, (), row.launched_at, row.launched_at)
        batches = (*one.batches, (row.batch, row.client))
        found[version] = RanVersion(version, one.definition, batches, row.launched_at, one.last_at)
    return list(found.values())
