"""Notes beside the files of the inbox: which batch a file becomes, written down before the batch is there.

Whoever comes after a crash launches the noted key again, which changes nothing. A note names the very file (its inode,
time of change and size), so that one left behind is not believed for the next file of that name. Notes are hidden
files: the inbox never takes one in.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from enrichment_assets.warehouse.files import put_in_place

SUFFIX = ".enrich-launch"

Identity = list[int]
"""Inode, time of the last change in nanoseconds, size in bytes."""


def identity(path: Path) -> Identity:
    """What tells this file from any other that has had its name. Raises OSError."""
    known = path.lstat()
    return [known.st_ino, known.st_mtime_ns, known.st_size]


# opens files of ours: the home's
def noted_key(path: Path, file: Identity) -> str | None:
    """The key that a process which died was about to launch this file under, or had; None: no note that is about it."""
    try:
        note = json.loads(_note_of(path).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(note, dict) or note.get("file") != file:
        return None
    key = note.get("batch")
    return key if isinstance(key, str) else None


def note_key(path: Path, file: Identity, key: str) -> str:
    """Note the key, durably: it outlives the machine's power as the batch does. Raises OSError."""
    with put_in_place(_note_of(path)) as unfinished:
        unfinished.write_text(json.dumps({"file": file, "batch": key}), encoding="utf-8")
    return key


def forget(path: Path) -> None:
    """Remove the note of a file that has been moved away."""
    _note_of(path).unlink(missing_ok=True)


def forget_vanished(inbox: Path) -> None:
    """Remove what crashes have left: notes whose file is not in the inbox any more."""
    for note in inbox.glob(f"*/*/.*{SUFFIX}*"):
        name, _, _ = note.name.lstrip(".").rpartition(SUFFIX)  # one that is being written has a dot more
        if not note.with_name(name).exists():
            with suppress(OSError):
                note.unlink()


def _note_of(path: Path) -> Path:
    return path.with_name(f".{path.name}{SUFFIX}")
