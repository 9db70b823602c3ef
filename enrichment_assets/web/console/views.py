"""What a page's handler returns: something that is shown, somewhere else to go, a file, or progress that goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from enrichment_assets.services.access.logging_in import LoggedIn


@dataclass(frozen=True, slots=True)
class View:
    """A page: its template, its title, and what the template sees."""

    template: str
    title: str
    context: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go there by GET: what a change leads to. `said`: the key of a sentence of `rendering.SAID`.

    `let_in`: what the browser keeps from now on; `is_leaving`: it forgets the session.
    """

    to: str
    said: str | None = None
    let_in: LoggedIn | None = None
    is_leaving: bool = False


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is made for this request, and removed when it was sent."""

    path: Path
    name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Live:
    """A part of a page that is sent again whenever it changes.

    Attributes:
        key: What it is of: whoever looks at the same shares one look at the database.
        look: The template, what it sees, and whether nothing will change any more. Called in a thread.
    """

    key: str
    look: Callable[[], tuple[str, Mapping[str, Any], bool]]


Shown = View | Redirect | Download | Live
