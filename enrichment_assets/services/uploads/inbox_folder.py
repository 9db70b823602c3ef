"""The inbox folder: `inbox/<client>/<pipeline>/<file>` is uploaded, launched and moved to `taken/` or `refused/`.

A file is one launch, wherever the process that takes it dies: `services.uploads.inbox_notes`.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from enrichment_assets.domain.actors import Actor
from enrichment_assets.domain.errors import EnrichError, InfrastructureError
from enrichment_assets.services.batches.launching import launch, next_key
from enrichment_assets.services.uploads import inbox_notes as notes
from enrichment_assets.services.uploads.inbox_listing import REFUSED, TAKEN, is_ours
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.warehouse.files import sync

SETTLED_SECONDS = 2.0
"""A file that changed more recently may still be growing; it is left for the next look."""


@dataclass(frozen=True, slots=True)
class TakenFile:
    """One file of the inbox and what became of it; `batch_key` is None when it was refused or could not be moved."""

    path: Path
    client: str
    pipeline: str
    batch_key: str | None = None
    problem: str | None = None

    def sentence(self) -> str:
        """What happened, for a log."""
        name = f"{self.client}/{self.pipeline}/{self.path.name}"
        return f"{name}: launched as {self.batch_key}" if self.batch_key else f"{name}: {self.problem}"


# crash point: file-is-taken-in
def take_in(hq: Hq, settings: Settings, *, actor: Actor) -> list[TakenFile]:
    """Upload and launch every file that has arrived whole.

    A crash in between repeats safely: the upload is recognised by its bytes, the batch by the noted key. A file that
    cannot be moved away (permissions, disk full) stays, is said to, and keeps no other from being taken.

    Raises:
        InfrastructureError: the database is down; files stay where they are.
    """
    notes.forget_vanished(settings.inbox_dir)
    return [_take(hq, settings, actor, client, pipeline, path) for client, pipeline, path in _arrived(settings)]


def _arrived(settings: Settings) -> Iterator[tuple[str, str, Path]]:
    for path in sorted(settings.inbox_dir.glob("*/*/*")):
        pipeline, client = path.parent.name, path.parent.parent.name
        if not is_ours(path) and not _leads_elsewhere(path) and _is_settled(path):
            yield client, pipeline, path


def _leads_elsewhere(path: Path) -> bool:
    """Whether the client's or pipeline's folder is a link: what is behind it was not put into the inbox."""
    return path.parent.is_symlink() or path.parent.parent.is_symlink()


def _is_settled(path: Path) -> bool:
    """Whether it is a file (or a link, which is refused) that has stopped growing."""
    with suppress(FileNotFoundError):  # taken away since the folder was listed
        found = path.lstat()
        wanted = stat.S_ISREG(found.st_mode) or stat.S_ISLNK(found.st_mode)
        return wanted and time.time() - found.st_mtime > SETTLED_SECONDS
    return False


def _take(hq: Hq, settings: Settings, actor: Actor, client: str, pipeline: str, path: Path) -> TakenFile:
    try:
        seen = notes.identity(path)
        try:
            key = _launched(hq, settings, actor, client, pipeline, path, seen)
        except InfrastructureError:
            raise
        except EnrichError as error:
            _refuse(path, str(error))
            return TakenFile(path, client, pipeline, problem=f"refused: {error}")
        if notes.identity(path) == seen:  # else more is in it than was launched: the next look sees a new file
            _move(path, TAKEN)
            notes.forget(path)
        return TakenFile(path, client, pipeline, batch_key=key)
    except OSError as error:
        return TakenFile(path, client, pipeline, problem=f"stays where it is: {error}")


def _launched(
    hq: Hq, settings: Settings, actor: Actor, client: str, pipeline: str, path: Path, seen: notes.Identity
) -> str:
    """The key of the file's batch, which is there when this returns."""
    upload = upload_file(hq, settings, path, client, actor=actor, source="inbox").upload_id
    key = notes.noted_key(path, seen) or notes.note_key(path, seen, next_key(hq, upload, pipeline))
    return launch(hq, settings, upload, pipeline, actor=actor, batch_key=key, add_partition=lambda _key: None).batch_key


# opens files of ours: the home's
def _refuse(path: Path, reason: str) -> None:
    refused = _move(path, REFUSED)
    notes.forget(path)
    with refused.with_name(f"{refused.name}.reason.txt").open("x", encoding="utf-8") as file:
        file.write(f"{reason}\n")


# crash point: taken-file-is-moved
def _move(path: Path, folder: str) -> Path:
    """Move a file into a folder beside it, under a free name, durably; where it is then. Raises OSError."""
    target = path.parent / folder / path.name
    target.parent.mkdir(exist_ok=True)
    if target.parent.is_symlink():
        raise OSError(f"{target.parent} is a symbolic link: make it a folder")
    number = 1
    while os.path.lexists(target) or os.path.lexists(target.with_name(f"{target.name}.reason.txt")):
        number += 1
        target = path.parent / folder / f"{path.stem} ({number}){path.suffix}"
    path.rename(target)  # the folder is below the file's own
    for changed in (target.parent, path.parent):
        sync(changed)
    return target
