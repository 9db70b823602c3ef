"""One result of a search engine."""

from __future__ import annotations

from typing import NamedTuple


class Found(NamedTuple):
    """One result; `date` is free text, as the engines write it, or None."""

    title: str
    link: str
    snippet: str
    date: str | None = None
