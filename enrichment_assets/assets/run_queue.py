"""The order in which Dagster's run queue takes the runs of batches: clients in turn, an urgent batch before its others.

A run's `dagster/priority` falls with the number of runs that its client has queued or working already, by the client's
weight: the first of each client comes before the second of any. What a client has launched at once waits behind itself.
`dagster.yaml` bounds how many slots one client has, so that a list of another finds one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import dagster as dg
from dagster._core.storage.tags import PRIORITY_TAG

from enrichment_assets.store.batches.urgency import Urgency

BATCH_TAG = "enrich/batch"
"""Run tag with the batch key."""

CLIENT_TAG = "enrich/client"
"""Run tag with the client's slug; `dagster.yaml` bounds the runs of one value."""

RANK_TAG = "enrich/priority"
"""Run tag with the batch's priority as it is kept: -1, 0 or 1."""

UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

_A_TURN = 100
"""What one run of a client of weight 1 costs its next one: Dagster's priorities are whole numbers."""


class RunQueue:
    """The runs that are queued or work, as far as the order of further ones depends on them."""

    def __init__(self, tags: Iterable[Mapping[str, str]]) -> None:
        """From the tags of these runs."""
        self._runs = Counter((t[CLIENT_TAG], int(t.get(RANK_TAG, "0"))) for t in tags if CLIENT_TAG in t)

    @classmethod
    def of(cls, instance: dg.DagsterInstance, without: str | None = None) -> RunQueue:
        """The runs of an instance, those of the batch `without` left out."""
        runs = instance.get_runs(filters=dg.RunsFilter(statuses=UNDER_WAY))
        return cls(run.tags for run in runs if without is None or run.tags.get(BATCH_TAG) != without)

    def enter(self, urgency: Urgency) -> dict[str, str]:
        """The tags of one more run, which is in the queue from now on. Ask for the most urgent first."""
        ahead = sum(n for (who, rank), n in self._runs.items() if who == urgency.client and rank >= urgency.rank)
        self._runs[urgency.client, urgency.rank] += 1
        return {
            CLIENT_TAG: urgency.client,
            RANK_TAG: str(urgency.rank),
            PRIORITY_TAG: str(-round(_A_TURN * ahead / urgency.weight)),
        }


def reorder(instance: dg.DagsterInstance, batch_key: str, urgency: Urgency) -> None:
    """Give the queued run of a batch, if there is one, the place that its new priority has."""
    waiting = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.QUEUED], tags={BATCH_TAG: batch_key}
    )
    for run in instance.get_runs(filters=waiting):
        instance.add_run_tags(run.run_id, RunQueue.of(instance, without=batch_key).enter(urgency))
