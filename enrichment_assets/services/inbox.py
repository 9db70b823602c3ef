"""The inbox folder: `inbox/<client>/<pipeline>/<file>` is uploaded, launched and moved to `taken/` or `refused/`.

A file is one launch, wherever the process that takes it dies. The batch's key is noted beside the file before the batch
is there; whoever comes after a crash launches that key again, which changes nothing. The note names the very file (its
inode and time of change), so that one left behind by a crash is not believed for the next file of that name.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from enrichment_assets.domain.errors import EnrichError, InfrastructureError
from enrichment_assets.services.launching import launch, next_key
from enrichment_assets.services.uploads import upload_file
from enrichment_assets.settings import Settings

SETTLED_SECONDS = 2.0
"""A file that changed more recently may still be growing; it is left for the next look."""

TAKEN, REFUSED = "taken", "refused"


@dataclass(frozen=True, slots=True)
class TakenFile:
    """One file of the inbox and what became of it; `batch_key` is None when it was refused or known already."""

    path: Path
    client: str
    pipeline: str
    batch_key: str | None = None
    problem: str | None = None

    def sentence(self) -> str:
        """What happened, for a log."""
        name = f"{self.client}/{self.pipeline}/{self.path.name}"
        return f"{name}: launched as {self.batch_key}" if self.batch_key else f"{name}: {self.problem}"


def take_in(settings: Settings) -> list[TakenFile]:
    """Upload and launch every file that has arrived whole.

    A crash in between repeats safely: the upload is recognised by its bytes, the batch by the noted key.

    Raises:
        InfrastructureError: the database is down; files stay where they are.
    """
    return [_take(settings, client, pipeline, path) for client, pipeline, path in _arrived(settings)]


def _arrived(settings: Settings) -> Iterator[tuple[str, str, Path]]:
    for path in sorted(settings.inbox_dir.glob("*/*/*")):
        pipeline, client = path.parent.name, path.parent.parent.name
        if path.is_file() and not path.name.startswith(".") and time.time() - path.stat().st_mtime > SETTLED_SECONDS:
            yield client, pipeline, path


def _take(settings: Settings, client: str, pipeline: str, path: Path) -> TakenFile:
    try:
        report = upload_file(settings, path, client, source="inbox")
        key = _noted_key(path) or _note(path, next_key(settings, report.upload_id, pipeline))
        launched = launch(settings, report.upload_id, pipeline, batch_key=key, add_partition=lambda _key: None)
    except InfrastructureError:
        raise
    except EnrichError as error:
        _move(path, REFUSED)
        _note_of(path).unlink(missing_ok=True)
        reason = path.parent / REFUSED / f"{path.name}.reason.txt"
        reason.write_text(f"{error}\n", encoding="utf-8")
        return TakenFile(path, client, pipeline, problem=f"refused: {error}")
    _move(path, TAKEN)
    _note_of(path).unlink(missing_ok=True)
    return TakenFile(path, client, pipeline, batch_key=launched.batch_key)


def _note_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.launch")


def _identity(path: Path) -> list[int]:
    known = path.stat()
    return [known.st_ino, known.st_mtime_ns, known.st_size]


def _noted_key(path: Path) -> str | None:
    """The key that a process which died was about to launch this file under, or had."""
    try:
        note = json.loads(_note_of(path).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return str(note["batch"]) if note["file"] == _identity(path) else None


def _note(path: Path, key: str) -> str:
    unfinished = _note_of(path).with_suffix(".unfinished")
    unfinished.write_text(json.dumps({"file": _identity(path), "batch": key}), encoding="utf-8")
    unfinished.replace(_note_of(path))
    return key


def _move(path: Path, folder: str) -> None:
    """Move a file into a folder beside it, under a free name."""
    target = path.parent / folder / path.name
    target.parent.mkdir(exist_ok=True)
    number = 1
    while target.exists():
        number += 1
        target = path.parent / folder / f"{path.stem} ({number}){path.suffix}"
    path.replace(target)
