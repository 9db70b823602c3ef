"""One writer at a time for a batch's files: what is written later was read later.

A batch is extracted by its Dagster run, and on demand by whoever asks for rows that are done
(`services.batches.extracting`). Each reads HQ and writes its sources under this lock, and builds its models under it.
So a build sees sources of one snapshot, and a later build never an older one. Between machines that share an object
store, the swap of the manifest sees to the same (`warehouse.copies`).
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from enrichment_assets.domain.batch_keys import checked_batch_key
from enrichment_assets.warehouse.files import Layout


# opens files of ours: the home's
@contextmanager
def locked_batch(layout: Layout, batch_key: str) -> Iterator[None]:
    """Hold the batch's files until the block ends; waits for whoever holds them. The system frees a dead one's."""
    with locked(layout, f"{checked_batch_key(batch_key)}.lock"):
        yield


@contextmanager
def locked(layout: Layout, name: str) -> Iterator[None]:
    """Hold a lock file of this name until the block ends."""
    with _lock_file(layout, name).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def locked_if_free(layout: Layout, name: str) -> Iterator[bool]:
    """Hold a lock file of this name until the block ends, without waiting for it; yields whether it is held."""
    with _lock_file(layout, name).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def _lock_file(layout: Layout, name: str) -> Path:
    folder = layout.root / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name
