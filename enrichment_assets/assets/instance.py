"""The Dagster instance of an installation, and the batches that are partitions in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import dagster as dg
from dagster._core.instance.ref import InstanceRef

from enrichment_assets.assets.partitions import PARTITIONS_NAME
from enrichment_assets.domain.batch_keys import checked_batch_key
from enrichment_assets.installation.stack import render_dagster_home
from enrichment_assets.settings import Settings

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
