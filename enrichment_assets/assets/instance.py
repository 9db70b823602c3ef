"""The Dagster instance of an installation, and the batches that are partitions in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg
from dagster._core.instance.ref import InstanceRef

from enrichment_assets.assets.jobs import BATCH_JOB
from enrichment_assets.assets.partitions import PARTITIONS_NAME
from enrichment_assets.assets.run_queue import BATCH_TAG, RunQueue
from enrichment_assets.assets.selection import ALL_STEPS, assets_of_run
from enrichment_assets.assets.steps import step_key
from enrichment_assets.domain.batch_keys import checked_batch_key
from enrichment_assets.installation.dagster_graphql import CODE_LOCATION, REPOSITORY, asked
from enrichment_assets.installation.stack import render_dagster_home
from enrichment_assets.services.access.signing import Signing
from enrichment_assets.settings import Settings
from enrichment_assets.store.batches.urgency import urgency_of
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.states.groups import outlooks

_NO_COPIES = {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}


@contextmanager
def open_instance(settings: Settings, *, keep_output: bool = True) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance of this installation: `DAGSTER_HOME` where it is set, else the one of `enrich up`.

    `keep_output=False` keeps no copy of what runs in this process print: Dagster's copying takes processes of its own
    for each step, which a Ctrl-C meets too.
    """
    home = os.environ.get("DAGSTER_HOME") or str(render_dagster_home(settings).parent)
    overrides = {} if keep_output else {"compute_logs": _NO_COPIES}
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(home, overrides=overrides)) as instance:
        yield instance


@dataclass(frozen=True, slots=True)
class InstancePartitions:
    """The batches of an installation as partitions of its Dagster instance (`batches.partitions.Partitions`)."""

    settings: Settings

    def add(self, batch_key: str) -> None:
        """Add a batch's partition to the instance; nothing happens when it is there.

        Raises:
            ConfigurationError: Dagster could not name such a partition.
        """
        checked_batch_key(batch_key)
        with open_instance(self.settings) as instance:
            instance.add_dynamic_partitions(PARTITIONS_NAME, [batch_key])

    def remove(self, batch_key: str) -> None:
        """Take a batch's partition out of the instance; what it materialised stays in Dagster's history."""
        with open_instance(self.settings) as instance:
            if instance.has_dynamic_partition(PARTITIONS_NAME, batch_key):
                instance.delete_dynamic_partition(PARTITIONS_NAME, batch_key)


_LAUNCH = """
    mutation Launch($run: ExecutionParams!) {
      launchRun(executionParams: $run) { __typename ... on PythonError { message } }
    }
"""
_ASK_SECONDS = 20.0


def start_run(hq: Hq, settings: Settings, webserver: str, batch_key: str) -> bool:
    """Have the running stack queue the first run of a batch now, instead of at the sequencer's next look.

    Args:
        hq: Where the batch is.
        settings: The installation, whose runs under way say where in the queue this one comes.
        webserver: Base URL of Dagster's web server; empty where there is none to ask.
        batch_key: A batch whose partition is there.

    Returns:
        False: it was not to be had, for whatever reason; the sequencer starts the batch. One that goes phase by phase
        nobody starts.
    """
    if not webserver:
        return False
    with hq.transaction() as connection:
        outlook = outlooks(connection, [batch_key])[batch_key]
        if outlook.by_phase:
            return False
        urgency = urgency_of(connection, [batch_key])[batch_key]
    with open_instance(settings) as instance:
        place = RunQueue.of(instance).enter(urgency)
    assets = assets_of_run(outlook, [step_key(slug) for slug in outlook.planned])
    tags = {"dagster/partition": batch_key, BATCH_TAG: batch_key, "enrich/reason": "launch", **place, **ALL_STEPS}
    run = {
        "selector": {
            "repositoryLocationName": CODE_LOCATION,
            "repositoryName": REPOSITORY,
            "jobName": BATCH_JOB,
            "assetSelection": [{"path": list(key.path)} for key in assets],
        },
        "mode": "default",
        "runConfigData": {},
        "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
    }
    answer = asked(webserver, Signing.of(settings).program(), _LAUNCH, {"run": run}, _ASK_SECONDS)
    return ((answer or {}).get("launchRun") or {}).get("__typename") == "LaunchRunSuccess"
