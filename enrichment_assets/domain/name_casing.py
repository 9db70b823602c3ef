"""Capitals of names that came in one case only. A name with mixed case is somebody's choice and stays as it is."""

from __future__ import annotations

import re

_LOWER_PARTICLES = """
van von vom vander der den de del della dello delle degli di da das dos du la le las los bin binti ibn ben bint al el
ter ten tot te zu zum zur af av y e i
"""
PARTICLES = frozenset(_LOWER_PARTICLES.split())
"""Words that belong to the name behind them (van Gogh) and are written small before it."""

_WORD = re.compile(r"[^\W\d_]+", re.UNICODE)
_ONE_LETTER_PREFIX = re.compile(r"(?<![^\W\d_])([^\W\d_])(['’ʼ])([^\W\d_])")
_MC = re.compile(r"\bMc([a-z])(?=[a-z]{2})")
_MC_CAPITAL = re.compile(r"\bMc(?=[A-Z])")
_CONSONANTS = frozenset("BCDFGHJKLMNPQRSTVWXZ")
_DOTTED_SMALL_I = "i\u0307"  # what Python makes of the Turkish capital I with dot


def with_capitals(name: str, *, family: bool = False) -> str:
    """`O'NEIL-SMITH` -> `O'Neil-Smith`, `ludwig van beethoven` -> `Ludwig van Beethoven`; mixed case is kept.

    A particle may begin a family name, no other. Initials stay capitals (`J.R.`, `TJ`). `MACDONALD` becomes
    `Macdonald`: nobody can know better.
    """
    if not _one_case(name):
        return name
    words = name.split(" ")
    last = len(words) - 1
    return " ".join(_capitalise(word, particle_allowed=n < last and (n > 0 or family)) for n, word in enumerate(words))


def _one_case(name: str) -> bool:
    letters = "".join(_WORD.findall(_MC_CAPITAL.sub("MC", name)))  # McDONALD is in capitals
    return bool(letters) and (letters.isupper() or letters.islower())


def _capitalise(word: str, particle_allowed: bool) -> str:
    if particle_allowed and word.lower() in PARTICLES:
        return word.lower()
    if _are_initials(word):
        return word.upper()
    titled = _WORD.sub(lambda match: _title(match.group()), word)
    titled = _ONE_LETTER_PREFIX.sub(lambda m: m.group(1) + m.group(2) + m.group(3).upper(), titled)
    return _MC.sub(lambda match: "Mc" + match.group(1).upper(), titled)


def _title(word: str) -> str:
    first = word[0].upper() if len(word[0].upper()) == 1 else word[0]
    return first + word[1:].lower().replace(_DOTTED_SMALL_I, "i")


def _are_initials(word: str) -> bool:
    """`J.R.` and `TJ`, but not `ED` or `LI`."""
    if "." in word and all(len(part) <= 1 for part in word.split(".")):
        return True
    return word.isupper() and len(word) == 2 and (word[1] == "J" or set(word) <= _CONSONANTS)
