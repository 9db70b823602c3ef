"""The facts that a draft may cite, in one list: a draft names the places of those that it used, from 1 on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MOST_FACTS = 30
MOST_CHARS = 500
"""Of one fact; research gives shorter ones."""


def gathered_facts(*lists: Any) -> list[str]:
    """The texts of several lists one after the other, each once, at most 30. What is no list of texts gives none.

    Two facts that differ in case and spaces only are one. A text keeps its words: it stands in what was read.
    """
    kept: dict[str, str] = {}
    for text in _texts(lists):
        kept.setdefault(text.casefold(), text)
    return list(kept.values())[:MOST_FACTS]


def _texts(lists: Iterable[Any]) -> Iterable[str]:
    for members in lists:
        for member in members if isinstance(members, list) else ():
            text = " ".join(member.split())[:MOST_CHARS] if isinstance(member, str) else ""
            if text:
                yield text
