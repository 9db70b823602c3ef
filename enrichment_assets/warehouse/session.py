"""A DuckDB connection that sees the warehouse: a view per source, seed and model.

The database is in memory and belongs to one caller; the data are Parquet files that nobody changes in place. So any
number of readers and builders work at the same time.
"""

from __future__ import annotations

import os
import shutil
import socket
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from enrichment_assets.warehouse.compaction import scan_all
from enrichment_assets.warehouse.files import Layout, quoted
from enrichment_assets.warehouse.functions import add_functions
from enrichment_assets.warehouse.project import Column, Model, Project, Relation
from enrichment_assets.warehouse.scanning import scan

_LEAST_SPILL = 64 * 1024**2
BUILD_MEMORY = "1GB"
"""What one build may hold in memory; beyond it DuckDB spills to the warehouse's own disk."""


def connect(
    layout: Layout, *, memory: str = BUILD_MEMORY, for_questions: bool = False, functions: bool = True
) -> duckdb.DuckDBPyConnection:
    """An empty in-memory database with the settings that every session shares (UTC, bounded memory), and our functions.

    A session for questions keeps what it has read of files in memory, and DuckDB may draw its progress bar for somebody
    who waits; a build gains nothing by the one, and has nobody for the other. Each session spills to a folder of its
    own, which DuckDB makes when it needs it and removes when it is closed.
    """
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": memory,
            "temp_directory": str(spill_folder(layout)),
            "max_temp_directory_size": f"{_spill_bytes(layout)}B",
            "preserve_insertion_order": "false",
            "enable_external_file_cache": for_questions,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        },
    )
    connection.execute("set timezone = 'UTC'")
    if functions:
        add_functions(connection)
    if not for_questions:  # DuckDB takes any process without a main file, a spawned one say, for somebody at a terminal
        connection.execute("set enable_progress_bar = false")
    return connection


def give_memory_back(connection: duckdb.DuckDBPyConnection) -> None:
    """Return what a build has freed to the system: DuckDB's allocator keeps it, and what comes next adds its own.

    DuckDB flushes its allocator when it is told a memory limit, also the one that it has (at most some 40 ms).
    """
    connection.execute(f"set memory_limit = '{BUILD_MEMORY}'")


def _spill_bytes(layout: Layout) -> int:
    """How much one session may spill: half of what the disk has left, so that a question cannot fill it."""
    return max(shutil.disk_usage(layout.root).free // 2, _LEAST_SPILL)


def spill_folder(layout: Layout) -> Path:
    """A new path for one session, not made yet; what killed processes of this machine left is removed on the way."""
    spill = layout.root / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    host = socket.gethostname()
    for left in spill.glob(f"{host}@*"):
        pid = left.name.removeprefix(f"{host}@").partition("-")[0]
        if not _is_alive(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    return spill / f"{host}@{os.getpid()}-{uuid.uuid4().hex}"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def attach(
    connection: duckdb.DuckDBPyConnection,
    project: Project,
    layout: Layout,
    *,
    client_slug: str | None = None,
    batch_key: str | None = None,
    models: Iterable[str] | None = None,
    in_memory: bool = False,
) -> None:
    """Create the views: of one batch when `batch_key` is given (then with its client), else of all.

    `models` limits which models get one (a build creates the rest itself). `in_memory` reads the sources, and the
    models that are files, into tables.
    """
    connection.execute("create schema if not exists hq")
    for source in project.sources.values():
        query = _query(layout, "sources", source.name, source.columns, client_slug, batch_key)
        _create(connection, f"hq.{source.name}", query, in_memory=in_memory)
    for seed in project.seeds.values():
        _create_seed(connection, seed)
    wanted = None if models is None else set(models)
    for model in project.models.values():
        if wanted is None or model.name in wanted:
            attach_model(connection, model, layout, client_slug=client_slug, batch_key=batch_key, in_memory=in_memory)


def attach_model(
    connection: duckdb.DuckDBPyConnection,
    model: Model,
    layout: Layout,
    *,
    client_slug: str | None = None,
    batch_key: str | None = None,
    where: str | None = None,
    in_memory: bool = False,
) -> None:
    """Create one model's view: over its files (rows that meet `where`), or by its own SQL when it is never written."""
    if model.materialized == "view":
        connection.execute(f'create or replace view "{model.name}" as {model.sql}')
        return
    if model.partitioned:
        query = _query(layout, "models", model.name, model.columns, client_slug, batch_key)
    else:
        path = layout.analytics(model.name)
        query = scan(model.columns, [path] if path.exists() else [])
    _create(connection, model.name, _limited(query, where), in_memory=in_memory)


def create_view(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: Sequence[Column],
    files: Sequence[Path],
    *,
    where: str | None = None,
) -> None:
    """A view of exactly these columns over these files; without a file it is empty and still typed.

    A file written before a column existed shows null there. Of several files none is opened before the view is read:
    with many batches, reading every footer for every view would cost seconds.

    Args:
        connection: Where the view is made.
        name: Its name, with its schema when that is not the default one.
        columns: What it shows, in this order.
        files: Parquet files.
        where: SQL condition on the rows.
    """
    _create(connection, name, _limited(scan(columns, files), where))


def _query(
    layout: Layout, room: str, name: str, columns: Sequence[Column], client_slug: str | None, batch_key: str | None
) -> str:
    """A SELECT of what one batch has of a source or model, or of what all have (of a client)."""
    if batch_key is None:
        return scan_all(layout, room, name, columns, client_slug)
    return scan(columns, files_of(layout, room, name, client_slug, batch_key))


def _limited(query: str, where: str | None) -> str:
    return f"select * from ({query}) where {where}" if where else query


def _create(connection: duckdb.DuckDBPyConnection, name: str, query: str, *, in_memory: bool = False) -> None:
    """A view of a query; `in_memory`, a table of its rows: files are read now, and never again."""
    relation = ".".join(f'"{part}"' for part in name.split("."))
    connection.execute(f"create or replace {'table' if in_memory else 'view'} {relation} as {query}")


def files_of(layout: Layout, room: str, name: str, client_slug: str | None, batch_key: str) -> list[Path]:
    """The file of a source or model of one batch (with its client), if there is one."""
    path = (layout.source if room == "sources" else layout.model)(name, client_slug or "", batch_key)
    return [path] if path.exists() else []


def _create_seed(connection: duckdb.DuckDBPyConnection, seed: Relation) -> None:
    """A seed is small and part of the project: a table, typed as its `schema` says."""
    # Looking for the dialect would take longer than reading.
    types = ", ".join(f"'{c.name}': '{c.type}'" for c in seed.columns)
    path = quoted(str(seed.path))
    connection.execute(
        f'create or replace table "{seed.name}" as '
        f"select * from read_csv({path}, header = true, nullstr = '', columns = {{{types}}}, "
        "auto_detect = false, delim = ',', quote = '\"', escape = '\"')"
    )
