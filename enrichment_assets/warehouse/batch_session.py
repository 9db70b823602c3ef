"""One DuckDB session for all that is made of a batch: its models are built, tested, published and counted in it.

Every statement of a new session reads the footers of the files and plans the views anew: of a small list that is nearly
all of the time. So a small batch is read into memory once and each model becomes a table there before it is written;
a large one is read from its files. How a model is built is in `building.py`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from enrichment_assets.settings import Settings
from enrichment_assets.warehouse.chunks import ITEMS_A_CHUNK, Chunked, ranges_of
from enrichment_assets.warehouse.copies import brought
from enrichment_assets.warehouse.files import Layout
from enrichment_assets.warehouse.lead_columns import project_of
from enrichment_assets.warehouse.project import Model, Project
from enrichment_assets.warehouse.session import attach, attach_model, connect, create_view, files_of, spill_folder

SMALL_BYTES = 1_000_000
"""Of all source files of a batch, compressed: one up to this size is held in memory, some tens of megabytes."""


@dataclass
class BatchSession:
    """The session of one batch.

    Attributes:
        connection: The DuckDB session; closed with the block that opened it.
        project: The models that the batch has (`system`), with the columns that are in force.
        is_small: Whether the batch is held in memory.
        system: The batch's, by its pipeline; None: it is of none.
        items_a_chunk: Models that are `per_item` are built, and published, for so many items at a time.
        scratch: A folder of this session alone, made when it is needed and gone with the session.
        counted: What was counted in two ways (`warehouse.testing`) since the models were built, by its macro.
        held: Views of a large batch whose rows this session has worked out, and the files that they are in.
    """

    connection: duckdb.DuckDBPyConnection
    project: Project
    layout: Layout
    client: str
    batch_key: str
    items_a_chunk: int
    is_small: bool
    system: str | None
    scratch: Path
    has_read: bool = field(default=False, init=False)
    counted: dict[str, tuple[int, int]] = field(default_factory=dict, init=False)
    held: dict[str, Path] = field(default_factory=dict, init=False)

    def read_sources(self) -> None:
        """Show the batch's sources: read into memory, where it is small."""
        self._attach(models=())

    def read_all(self) -> None:
        """Show sources and models as their files are; nothing is read again that this session has built."""
        if not self.has_read:
            self._attach(models=None)

    def read_model(self, model: Model) -> None:
        """Show one model as its file is, or by its own SQL."""
        attach_model(
            self.connection,
            model,
            self.layout,
            client_slug=self.client,
            batch_key=self.batch_key,
            in_memory=self.is_small,
        )

    def chunked(self, model: Model) -> Chunked:
        """The batch, to be shown in the ranges in which this model is built."""
        ranges = ranges_of(self.connection, model, self.items_a_chunk)
        return Chunked(self.connection, self.project, self.layout, self.client, self.batch_key, ranges, self.held)

    def file_to_hold(self, model: Model) -> Path:
        """Where the rows of a view are written, to be shown by `hold`."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        return self.scratch / f"{model.name}.parquet"

    def hold(self, model: Model, path: Path) -> None:
        """Show a view from now on as its rows were written, not by its SQL."""
        self.held[model.name] = path
        create_view(self.connection, model.name, model.columns, [path])

    def _attach(self, models: tuple[()] | None) -> None:
        attach(
            self.connection,
            self.project,
            self.layout,
            client_slug=self.client,
            batch_key=self.batch_key,
            models=models,
            in_memory=self.is_small,
        )
        self.has_read = True


@contextmanager
def open_session(settings: Settings, batch_key: str, *, items_a_chunk: int = ITEMS_A_CHUNK) -> Iterator[BatchSession]:
    """A session of a batch in which nothing is read yet.

    Raises:
        NotFoundError: Nothing was published for the batch.
    """
    layout = brought(settings, batch_key=batch_key)
    client = layout.client_of(batch_key)
    system = system_of(layout, client, batch_key)
    project = project_of(layout).of_system(system)
    is_small = _is_small(layout, project, client, batch_key, items_a_chunk)
    connection = connect(layout)
    scratch = spill_folder(layout)
    try:
        if is_small:
            connection.execute("set threads = 1")  # handing small work to threads costs more than it saves
        yield BatchSession(connection, project, layout, client, batch_key, items_a_chunk, is_small, system, scratch)
    finally:
        connection.close()
        shutil.rmtree(scratch, ignore_errors=True)


def system_of(layout: Layout, client: str, batch_key: str) -> str | None:
    """The system of a batch, by its pipeline at launch; None too for one that was extracted before there were any."""
    with pq.ParquetFile(layout.source("batches", client, batch_key)) as file:
        if "system" not in file.schema_arrow.names:
            return None
        found: list[str | None] = file.read(["system"])["system"].to_pylist()
    return found[0] if found else None


def _is_small(layout: Layout, project: Project, client: str, batch_key: str, items_a_chunk: int) -> bool:
    files = [path for name in project.sources for path in files_of(layout, "sources", name, client, batch_key)]
    if sum(path.stat().st_size for path in files) > SMALL_BYTES:
        return False
    items = files_of(layout, "sources", "batch_items", client, batch_key)
    return all(pq.read_metadata(path).num_rows <= items_a_chunk for path in items)
