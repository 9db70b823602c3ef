"""Places for servers that a test starts, kills and removes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from enrichment_assets.installation.embedded import LocalPostgres


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may pass through (pytest's own are private)."""
    folder = Path(tempfile.mkdtemp(prefix="enrich-platform-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def local_postgres(open_folder: Path) -> Iterator[Callable[[Path], LocalPostgres]]:
    """Makes servers that are stopped at the end of the test."""
    made: list[LocalPostgres] = []

    def make(data_dir: Path) -> LocalPostgres:
        made.append(LocalPostgres(data_dir, state_dir=open_folder / "state"))
        return made[-1]

    yield make
    for server in made:
        server.stop()
