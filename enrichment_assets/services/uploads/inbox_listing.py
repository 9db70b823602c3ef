"""What lies in the inbox folder: names alone, so that whoever only looks imports next to nothing."""

from __future__ import annotations

from pathlib import Path

TAKEN, REFUSED = "taken", "refused"


def is_ours(path: Path) -> bool:
    """Notes, and the folders that files are moved to, whatever somebody made of them."""
    return path.name.startswith(".") or path.name in (TAKEN, REFUSED)


def anything_lies_in(inbox: Path) -> bool:
    """Whether somebody dropped a file, settled or still growing."""
    return any(not is_ours(path) for path in inbox.glob("*/*/*"))
