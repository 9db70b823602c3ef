"""What services need of whoever shows batches as partitions: Dagster, which no service knows."""

from __future__ import annotations

from typing import Protocol


class Partitions(Protocol):
    """Batches as partitions, by their keys (`assets.instance.InstancePartitions`)."""

    def add(self, batch_key: str) -> None:
        """Add a batch; nothing happens when it is there. Raises `ConfigurationError` for a key that cannot be one."""

    def remove(self, batch_key: str) -> None:
        """Take a batch out; nothing happens when it is not there."""
