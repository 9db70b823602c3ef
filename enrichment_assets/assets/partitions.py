"""The batch as Dagster's partition: every asset of a batch shares this definition."""

from __future__ import annotations

import dagster as dg

from enrichment_assets.services.partitions import PARTITIONS_NAME

batches = dg.DynamicPartitionsDefinition(name=PARTITIONS_NAME)
"""One key a batch; keys are added by launching and never deleted (a finished batch is retired in the database)."""

OWNERS = ["team:enrichment"]
