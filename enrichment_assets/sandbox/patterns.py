"""A text that a regular expression matches: for schemas that ask for one (`^[A-Z]{2}$`).

Walks the tree that Python's own `re` makes of the expression. Look-around and back-references are passed over; what
comes out is tried, and where it does not match, another draw is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from enrichment_assets.sandbox.seeded_random import SeededRandom

MORE = 4
"""How often `*` and `+` repeat at most."""

LONGEST = 1_000
TRIES = 20
_PRINTABLE = tuple(chr(code) for code in range(0x20, 0x7F))
_CLASSES = {
    "CATEGORY_DIGIT": "0123456789",
    "CATEGORY_WORD": "abcdefghijklmnopqrstuvwxyz0123456789",
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_DIGIT": "abcdefghijklmnopqrstuvwxyz",
    "CATEGORY_NOT_WORD": " -",
    "CATEGORY_NOT_SPACE": "abcdefghijklmnopqrstuvwxyz",
}


def matching(pattern: str, rng: SeededRandom) -> str:
    """A text in which the pattern is found (JSON schema's meaning); an unreadable pattern gets an empty one."""
    try:
        compiled = re.compile(pattern)
    except re.error:
        return ""
    tree = import_module("re._parser").parse(pattern)
    made = ""
    for _ in range(TRIES):
        made = "".join(_texts(tree, rng))[:LONGEST]
        if compiled.search(made):
            break
    return made


def _texts(tree: Any, rng: SeededRandom) -> Iterator[str]:
    for operation, argument in tree:
        name = str(operation)
        if name == "LITERAL":
            yield chr(argument)
        elif name == "NOT_LITERAL":
            yield next(one for one in "ax" if one != chr(argument))
        elif name == "ANY":
            yield rng.pick("abcdefghijklmnopqrstuvwxyz")
        elif name == "IN":
            yield rng.pick(_members(argument))
        elif name in {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}:
            low, high, part = argument
            for _ in range(rng.between(min(low, LONGEST), min(int(high), low + MORE, LONGEST))):
                yield from _texts(part, rng)
        elif name == "SUBPATTERN":
            yield from _texts(argument[-1], rng)
        elif name == "BRANCH":
            yield from _texts(rng.pick(argument[1]), rng)
        elif name == "ATOMIC_GROUP":
            yield from _texts(argument, rng)


def _members(parts: list[Any]) -> tuple[str, ...]:
    """The characters of a set `[...]`; of a negated one, the printable ones outside it."""
    found: list[str] = []
    negated = False
    for operation, argument in parts:
        name = str(operation)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            found.append(chr(argument))
        elif name == "RANGE":
            low, high = argument
            found.extend(chr(code) for code in range(low, min(high, low + 255) + 1))
        elif name == "CATEGORY":
            found.extend(_CLASSES.get(str(argument), "a"))
    if negated:
        found = [one for one in _PRINTABLE if one not in found]
    return tuple(found) or ("a",)
