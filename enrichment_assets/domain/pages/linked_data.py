"""Addresses that a page writes down for machines: `email` of people and organisations in JSON-LD (schema.org).

A page that hides addresses from its text often has them there. Only this one member is read: whatever else stands in a
script is not seen by a reader of the page, and could be anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from enrichment_assets.domain.emails import normalise_email
from enrichment_assets.domain.jsontext import parse_json

MAX_SCRIPTS, MAX_LENGTH, MAX_VALUES = 20, 200_000, 5_000
"""Scripts of a page, characters of one, and values in one, that are looked at."""

_OTHERS = frozenset(["author", "reviews", "review", "comment", "creator", "publisher", "copyrightholder"])
"""Members whose people and organisations need not be the page's own."""


def linked_addresses(script: str) -> Iterator[str]:
    """The addresses in one JSON-LD script, in their normal form, in its order. Never raises."""
    if len(script) > MAX_LENGTH or "email" not in script:
        return
    try:
        waiting: list[Any] = [parse_json(script.strip().encode("utf-8", "replace"))]
    except ValueError:
        return
    seen = 0
    while waiting and seen < MAX_VALUES:
        value = waiting.pop()
        seen += 1
        if isinstance(value, list):
            waiting.extend(reversed(value))
        elif isinstance(value, dict):
            for name, member in value.items():
                if name == "email" and isinstance(member, str):
                    address = normalise_email(member.removeprefix("mailto:"))
                    if address is not None:
                        yield address
            waiting.extend(
                member
                for name, member in reversed(value.items())
                if isinstance(member, dict | list) and name.casefold() not in _OTHERS
            )
