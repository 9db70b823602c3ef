"""Where a command may write a file that somebody named."""

from __future__ import annotations

import socket
from pathlib import Path

from enrichment_assets.domain.errors import EnrichError
from enrichment_assets.store.hq import Hq
from enrichment_assets.store.people.erasures import note_file


def checked_target(path: Path) -> Path:
    """The path of a file to write, absolute. Raises `EnrichError` where its folder is not there, or it is one itself.

    A folder is never made: a typing mistake in a path would hide a client's list where nobody looks for it.
    """
    target = path.expanduser().absolute()
    if target.is_dir():
        raise EnrichError(
            f"{path} is a folder: name a file in it, like {path / 'leads.csv'}", code="export.target_is_folder"
        )
    if not target.parent.is_dir():
        raise EnrichError(
            f"there is no folder {target.parent}: make it first, or write elsewhere", code="export.folder_missing"
        )
    return target


def note_written(hq: Hq, kind: str, batch_key: str | None, path: Path) -> None:
    """Write down where a `report` or an `export` is going to be: whoever is erased is looked for there, too."""
    with hq.transaction() as connection:
        note_file(connection, kind, batch_key, this_host(), str(path))


def this_host() -> str:
    """The name of this machine, as it is noted beside a path."""
    return socket.gethostname()
