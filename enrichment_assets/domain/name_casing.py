"""Capitals of names that came in one case only. A name with mixed case is somebody's choice and stays as it is."""

from __future__ import annotations

import re

_PARTICLES = """
van von vom vander der den de del da das do dos du ter ten tot te zu zum zur af av bin binti ibn bint 't op
"""
_SMALL_BEFORE_NAMES = frozenset(_PARTICLES.split())
"""Words written small before a family name (van Gogh); `Di`, `La`, `Le`, `El` and `Al` have capitals as often."""

_SMALL_AFTER_DE = frozenset({"la", "las", "los", "le", "les", "lo"})
_SMALL_BETWEEN_NAMES = frozenset({"y", "e", "i", "und"})

_WORD = re.compile(r"[^\W\d_]+")
_ONE_LETTER_PREFIX = re.compile(r"(?<![^\W\d_])([^\W\d_])(['’ʼ])([^\W\d_])")
_MC = re.compile(r"\bMc([a-z])(?=[a-z]{2})")
_MC_CAPITAL = re.compile(r"\bMc(?=[A-Z])")
_CONSONANTS = frozenset("BCDFGHJKLMNPQRSTVWXZ")
_NO_INITIALS = frozenset({"NG"})
_DOTTED_SMALL_I = "i\u0307"  # what Python makes of the Turkish capital I with dot
_TURKISH = re.compile("[Ğİ]")
_TURKISH_SMALL = str.maketrans({"I": "ı", "İ": "i"})


def with_capitals(name: str, *, family: bool = False) -> str:
    """`O'NEIL-SMITH` -> `O'Neil-Smith`, `ludwig van beethoven` -> `Ludwig van Beethoven`; mixed case is kept.

    A particle may begin a family name, no other. Initials stay capitals (`J.R.`, `TJ`), though not in a family name
    (`NG` -> `Ng`). A small ß among capitals is none (`GROßMANN`), and `Ğ` or `İ` tell that `I` is `ı`. `MACDONALD`
    becomes `Macdonald`: nobody can know better.
    """
    if not _one_case(name):
        return name
    words = name.split(" ")
    turkish = _TURKISH.search(name) is not None
    return " ".join(_capitalise(n, words, family=family, turkish=turkish) for n in range(len(words)))


def _one_case(name: str) -> bool:
    letters = "".join(_WORD.findall(_MC_CAPITAL.sub("MC", name).replace("ß", "")))  # McDONALD is in capitals
    return bool(letters) and (letters.isupper() or letters.islower())


def _capitalise(n: int, words: list[str], *, family: bool, turkish: bool) -> str:
    word, before = words[n], words[n - 1].lower() if n else ""
    small = word.lower()
    if n + 1 < len(words):
        if small in _SMALL_BEFORE_NAMES and (n or family):
            return small
        if (small in _SMALL_AFTER_DE and before == "de") or (small in _SMALL_BETWEEN_NAMES and len(before) > 1):
            return small
    if _are_initials(word, family=family):
        return word.upper()
    titled = _WORD.sub(lambda match: _title(match.group(), turkish=turkish), word)
    titled = _ONE_LETTER_PREFIX.sub(lambda m: m.group(1) + m.group(2) + m.group(3).upper(), titled)
    return _MC.sub(lambda match: "Mc" + match.group(1).upper(), titled)


def _title(word: str, *, turkish: bool) -> str:
    first = word[0].upper() if len(word[0].upper()) == 1 else word[0]
    rest = word[1:].translate(_TURKISH_SMALL) if turkish and word.isupper() else word[1:]
    return first + rest.lower().replace(_DOTTED_SMALL_I, "i")


def _are_initials(word: str, *, family: bool) -> bool:
    """`J.R.` and `TJ`, but not `ED` or `LI`, and no two letters that are a family name."""
    if "." in word and all(len(part) <= 1 for part in word.split(".")):
        return True
    if family or word in _NO_INITIALS:
        return False
    return word.isupper() and len(word) == 2 and (word[1] == "J" or set(word) <= _CONSONANTS)
