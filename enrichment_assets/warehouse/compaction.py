"""Compaction: the small files of many batches, copied into few, so that a question to all batches opens few files.

    compacted/<sources|models>/<name>/all/<id>.parquet                    of all clients
    compacted/<sources|models>/<name>/client_slug=<slug>/<id>.parquet     of a client with many batches

A batch's own file stays what counts. A compacted file says in its metadata of which files it has the rows, by batch,
size and time of writing; a reader takes from it what still is so, and the rest from the batches' own files. So it may
be deleted at any time, and a batch that is written anew, or removed, is at once what its own file says. What such a
batch left in a compacted file is cut out a day later at the latest; a batch that is removed takes the files that have
it along.
"""

from __future__ import annotations

import os
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import orjson

from enrichment_assets.warehouse.files import Layout, put_in_place, quoted
from enrichment_assets.warehouse.locking import locked_if_free
from enrichment_assets.warehouse.project import Column, Project
from enrichment_assets.warehouse.scanning import scan

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "compacted"
MEMBERS = b"enrich.members"
"""Key of the metadata of a compacted file: JSON, batch key -> [size in bytes, time of writing in ns]."""

LEAST_FILES = 64
"""So many files are worth a compacted one. Opening a file costs a question some 0.15 ms."""

LARGEST_BYTES = 1 << 20
"""A larger file stays alone: its rows cost more than opening it."""

SETTLED_SECONDS = 3_600
"""A batch whose file was written since then may well be written again."""

GRACE_SECONDS = 3_600
"""A compacted file that no reader needs any more stays so long, for who has begun to read."""

CUT_SHARE, CUT_SECONDS = 0.05, 86_400
"""Rows that do not count any more are cut out when they are a twentieth of a compacted file, or it is a day old."""

_JUDGED_BY = ("sources", "batches")

Member = tuple[int, int]
"""Size of a file in bytes, and when it was written, in ns."""


@dataclass(frozen=True, slots=True)
class Compacted:
    """A compacted file and what it has of which batch."""

    path: Path
    members: Mapping[str, Member]

    def current(self, files: Mapping[str, tuple[str, Member]]) -> set[str]:
        """Keys of its batches whose own file still is the one that was copied."""
        return {key for key, member in self.members.items() if key in files and files[key][1] == member}

    def is_due(self, old: int) -> bool:
        """Whether the rows of so many batches that do not count any more are to be cut out now: see `CUT_SECONDS`."""
        written = int(self.path.name.partition("-")[0])
        return old > 0 and (old > CUT_SHARE * len(self.members) or time.time_ns() - written > CUT_SECONDS * 10**9)


def scan_all(layout: Layout, room: str, name: str, columns: Sequence[Column], client_slug: str | None) -> str:
    """A SELECT of these columns of every batch (of one client, or of all), from as few files as there are."""
    files = _files(layout, room, name, client_slug)
    if len(files) < LEAST_FILES:
        return scan(columns, [Path(path) for path, _ in files.values()])
    selects, taken = [], set[str]()
    for compacted in _compacted(layout, room, name, client_slug, columns):
        current = compacted.current(files) - taken
        if not current:
            continue
        taken |= current
        selects.append(scan(columns, [compacted.path]) + _only(current, compacted.members))
    own = [Path(path) for key, (path, _) in files.items() if key not in taken]
    if own:
        selects.append(scan(columns, own))
    return " union all ".join(selects)


def compact(layout: Layout, project: Project, connection: duckdb.DuckDBPyConnection) -> int:
    """Compact what has become many files; the number of files written. Whoever comes while another compacts goes on.

    Each row is copied some log2(batches / `LEAST_FILES`) times in its life: a new file is merged with the one before
    only when that is not twice as large.
    """
    with locked_if_free(layout, "compaction.lock") as free:
        if not free:
            return 0
        written = 0
        for client_slug in _clients_with_much(layout):
            if not _is_due(layout, project, client_slug):
                continue
            for room, name, columns in _relations(project):
                written += _compact(layout, room, name, columns, client_slug, connection)
        return written


def forget(layout: Layout, batch_keys: Iterable[str]) -> None:
    """Delete every compacted file that has a row of one of these batches: what is removed leaves no copy behind."""
    gone = set(batch_keys)
    for path in (layout.root / FOLDER).glob("*/*/*/*.parquet"):
        if gone & _members(path).keys():
            path.unlink(missing_ok=True)


def _clients_with_much(layout: Layout) -> list[str | None]:
    """None (all clients) where all together have many batches, and the clients with many."""
    files = _files(layout, *_JUDGED_BY, None)
    counts = Counter(Path(path).parent.name for path, _ in files.values())
    many = [folder.removeprefix("client_slug=") for folder, count in sorted(counts.items()) if count >= LEAST_FILES]
    return [None, *many] if len(files) >= LEAST_FILES else []


def _is_due(layout: Layout, project: Project, client_slug: str | None) -> bool:
    """Whether one source, which every batch has and which is compacted last, has enough that is new or changed."""
    columns = project.sources[_JUDGED_BY[1]].columns
    plan = _plan(layout, *_JUDGED_BY, columns, client_slug)
    return len(plan.new) >= LEAST_FILES or bool(plan.stale)


def _relations(project: Project) -> Iterator[tuple[str, str, Sequence[Column]]]:
    """Room, name and columns of what is kept in a file per batch; what says whether it is time comes last."""
    for model in project.models.values():
        if model.partitioned and model.materialized != "view":
            yield "models", model.name, model.columns
    for source in sorted(project.sources.values(), key=lambda source: source.name == _JUDGED_BY[1]):
        yield "sources", source.name, source.columns


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is there of a source or model: the batches' own files, and the compacted ones that are still needed."""

    files: Mapping[str, tuple[str, Member]]
    needed: Sequence[Compacted]
    stale: Sequence[Compacted]  # those of the needed ones whose rows that do not count any more are to be cut out
    new: Mapping[str, Member]  # what no compacted file has


def _plan(layout: Layout, room: str, name: str, columns: Sequence[Column], client_slug: str | None) -> _Plan:
    files = _files(layout, room, name, client_slug)
    needed, stale, taken = list[Compacted](), list[Compacted](), set[str]()
    for compacted in _compacted(layout, room, name, client_slug, columns):
        current = compacted.current(files) - taken
        taken |= current
        if current:
            needed.append(compacted)
        if current and compacted.is_due(len(compacted.members) - len(current)):
            stale.append(compacted)
    before = time.time_ns() - SETTLED_SECONDS * 10**9
    members = {key: member for key, (_, member) in files.items() if key not in taken}
    new = {
        key: (size, written) for key, (size, written) in members.items() if size <= LARGEST_BYTES and written < before
    }
    return _Plan(files, needed, stale, new)


def _compact(
    layout: Layout,
    room: str,
    name: str,
    columns: Sequence[Column],
    client_slug: str | None,
    connection: duckdb.DuckDBPyConnection,
) -> int:
    plan, folder = _plan(layout, room, name, columns, client_slug), _folder(layout, room, name, client_slug)
    files, new = plan.files, plan.new
    _sweep(folder, {compacted.path for compacted in plan.needed})
    if len(new) < LEAST_FILES and not plan.stale:
        return 0
    merged, size = list(plan.stale), len(new)
    for compacted in sorted((c for c in plan.needed if c not in plan.stale), key=lambda c: len(c.members)):
        if len(compacted.members) < 2 * size:
            merged.append(compacted)
            size += len(compacted.members)
    members, selects = dict(new), list[str]()
    for compacted in merged:
        current = compacted.current(files) - members.keys()
        members |= {key: compacted.members[key] for key in current}
        if current:
            selects.append(scan(columns, [compacted.path]) + _only(current, compacted.members))
    if new:
        selects.append(scan(columns, [Path(files[key][0]) for key in new]))
    if members:
        target = folder / f"{time.time_ns()}-{uuid.uuid4().hex}.parquet"
        _write(connection, " union all ".join(selects), target, members)
    return 1 if members else 0


def _write(connection: duckdb.DuckDBPyConnection, query: str, target: Path, members: Mapping[str, Member]) -> None:
    said = quoted(orjson.dumps(members).decode())
    with put_in_place(target) as unfinished:
        connection.execute(
            f"copy ({query}) to {quoted(unfinished)} "
            f"(format parquet, compression zstd, kv_metadata {{{quoted(MEMBERS.decode())}: {said}}})"
        )


def _only(current: set[str], members: Mapping[str, Member]) -> str:
    """The condition that leaves out what is not current any more."""
    old = members.keys() - current
    return f" where batch_key not in ({', '.join(map(quoted, sorted(old)))})" if old else ""


def _compacted(
    layout: Layout, room: str, name: str, client_slug: str | None, columns: Sequence[Column]
) -> list[Compacted]:
    """The compacted files that have all these columns, the newest first."""
    found = []
    for path in sorted(_folder(layout, room, name, client_slug).glob("*.parquet"), reverse=True):
        schema = _schema_of(path)
        if schema is not None and {column.name for column in columns} <= set(schema.names):
            found.append(Compacted(path, _members_of(schema)))
    return found


def _members(path: Path) -> Mapping[str, Member]:
    schema = _schema_of(path)
    return {} if schema is None else _members_of(schema)


def _schema_of(path: Path) -> pa.Schema | None:
    """A file's schema; None where it cannot be read."""
    import pyarrow as pa  # where nothing is compacted, a question needs none of it
    import pyarrow.parquet as pq

    try:
        return pq.read_schema(path)
    except (OSError, pa.ArrowInvalid):
        return None


def _members_of(schema: pa.Schema) -> Mapping[str, Member]:
    said: dict[str, list[int]] = orjson.loads((schema.metadata or {}).get(MEMBERS, b"{}"))
    return {key: (size, written) for key, (size, written) in said.items()}


def _files(layout: Layout, room: str, name: str, client_slug: str | None) -> dict[str, tuple[str, Member]]:
    """The batches' own files: batch key -> path, and what it is."""
    root = layout.root / room / name
    folders = sorted(root.glob("client_slug=*" if client_slug is None else f"client_slug={client_slug}"))
    found = {}
    for folder in folders:
        try:
            with os.scandir(folder) as entries:
                listed = sorted((entry for entry in entries if entry.name.endswith(".parquet")), key=lambda e: e.name)
        except FileNotFoundError:
            continue
        for entry in listed:
            try:
                stat = entry.stat()
            except FileNotFoundError:  # removed since
                continue
            found[entry.name.removesuffix(".parquet")] = (entry.path, (stat.st_size, stat.st_mtime_ns))
    return found


def _folder(layout: Layout, room: str, name: str, client_slug: str | None) -> Path:
    return layout.root / FOLDER / room / name / ("all" if client_slug is None else f"client_slug={client_slug}")


def _sweep(folder: Path, needed: set[Path]) -> None:
    """Delete the compacted files that nobody needs, once nobody can be reading them."""
    written = {path: path.stat().st_mtime for path in folder.glob("*.parquet")}
    if written and time.time() - max(written.values()) > GRACE_SECONDS:
        for path in written.keys() - needed:
            path.unlink(missing_ok=True)
