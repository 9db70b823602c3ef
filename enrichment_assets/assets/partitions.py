"""The batch as Dagster's partition: every asset of a batch shares this definition."""

from __future__ import annotations

import dagster as dg

PARTITIONS_NAME = "batches"
"""Name of the dynamic partitions definition; its keys are `batches.batch_key`."""

batches = dg.DynamicPartitionsDefinition(name=PARTITIONS_NAME)
"""One key a batch; keys are added by launching and never deleted (a finished batch is retired in the database)."""

OWNERS = ["team:enrichment"]
