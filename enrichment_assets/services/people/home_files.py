"""Files that are no table: logs, Dagster's folder, the inbox, and the reports and exports that commands wrote.

A value is overwritten where it stands by as many asterisks, so that a process that writes to the file goes on, and a
kill in between leaves a file that is done again. A list in the inbox that was taken is a copy of an upload: it goes.
What is packed (a workbook, Parquet) is listed for a person, for nobody can say what else it is for.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enrichment_assets.domain.person_traces import Needles
from enrichment_assets.services.insight.target_files import this_host
from enrichment_assets.services.uploads.inbox_listing import REFUSED, TAKEN
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import Connection
from enrichment_assets.store.people import erasures

_PACKED = frozenset({".xlsx", ".parquet", ".zip", ".gz"})


@dataclass(frozen=True, slots=True)
class Left:
    """Something that a person has to look after. `where`: a path, or a table; `why`: why it is not done here."""

    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found in files: how many places in how many files, and what is left to a person."""

    files: int
    places: int
    left: tuple[Left, ...] = ()


def look_through(
    settings: Settings, connection: Connection, needles: Needles, client_id: int | None, *, dry_run: bool
) -> Looked:
    """Find a person in the files of the home and in those that were written for people; overwrite unless `dry_run`.

    `client_id`: of what was written for people, only what was of this client's batches, or of no one batch.
    """
    pattern = needles.in_bytes()
    if pattern is None:
        return Looked(0, 0)
    files = places = 0
    written = erasures.written(connection, client_id)
    left = list(_elsewhere(written))
    for path in _files(settings, written):
        if path.suffix in _PACKED:
            if not _is_in_home(settings, path) or _is_taken(settings, path):
                left.append(Left(str(path), "a packed file: delete it, or write it again"))
            continue
        count = _in_file(settings, path, pattern, dry_run=dry_run)
        files, places = files + bool(count), places + count
    return Looked(files, places, tuple(left))


def _files(settings: Settings, written: Sequence[Mapping[str, Any]]) -> Iterator[Path]:
    yield from _tree(settings.home, _apart(settings))
    for row in written:
        path = Path(row["path"])
        if row["host"] == this_host() and path.is_file() and not path.is_symlink() and not _is_in_home(settings, path):
            yield path


def _elsewhere(written: Sequence[Mapping[str, Any]]) -> Iterator[Left]:
    for row in written:
        if row["host"] != this_host():
            yield Left(
                f"{row['host']}:{row['path']}", f"a {row['kind']} on another machine: delete it, or write it again"
            )


def _apart(settings: Settings) -> set[Path]:
    """What is looked at by other means: the database, kept uploads, the warehouse."""
    return {
        settings.postgres_dir,
        settings.uploads_dir,
        settings.warehouse_dir,
        settings.suppression_pepper_file,
        settings.home / "copies",
    }


def _tree(folder: Path, apart: Iterable[Path]) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except (FileNotFoundError, PermissionError):
        return
    for path in entries:
        if path in apart or path.is_symlink():
            continue
        if path.is_dir():
            yield from _tree(path, apart)
        elif path.is_file():
            yield path


# opens files of ours: the home's, and reports and exports by the path that was noted: no links are followed
# crash point: file-is-overwritten
def _in_file(settings: Settings, path: Path, pattern: re.Pattern[bytes], *, dry_run: bool) -> int:
    try:
        if not path.stat().st_size:
            return 0
        with path.open("rb" if dry_run else "r+b") as file:
            access = mmap.ACCESS_READ if dry_run else mmap.ACCESS_WRITE
            with mmap.mmap(file.fileno(), 0, access=access) as content:
                found = [match.span() for match in pattern.finditer(content)]
                if dry_run or not found:
                    return len(found)
                if not _is_taken(settings, path):
                    for start, end in found:
                        content[start:end] = b"*" * (end - start)
                    content.flush()
        if _is_taken(settings, path):
            path.unlink()
    except (FileNotFoundError, PermissionError):  # gone since, or another account's
        return 0
    return len(found)


def _is_taken(settings: Settings, path: Path) -> bool:
    return settings.inbox_dir in path.parents and path.parent.name in (TAKEN, REFUSED)


def _is_in_home(settings: Settings, path: Path) -> bool:
    return settings.home in path.parents
