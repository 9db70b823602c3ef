"""What somebody may have meant by a name that is not known: the one place that says "did you mean"."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_NEAR = 0.6
"""Least likeness (0 to 1, difflib's ratio) of a name that is offered: `domain` finds `company_domain`."""

_TYPO = 0.8
"""Likeness from which a name is taken for a misspelling of another: a letter lost, doubled, changed or moved."""

_CANDIDATES = 2_000
_LONGEST = 200
_DIGITS = re.compile(r"\d+")
_SEPARATORS = re.compile(r"[\s_.\-]+")


def nearest(word: str, known: Iterable[str], *, likeness: float = _NEAR) -> str | None:
    """The known name that is most like the word, or None where none is. Case and separators count for nothing."""
    folded: dict[str, str] = {}
    for name in known:
        if len(folded) == _CANDIDATES:
            break
        folded.setdefault(_folded(name), name)
    wanted = _folded(word)
    if wanted in folded:
        return folded[wanted]
    longer = [name for name in folded if name.startswith(f"{wanted}_")] if likeness == _NEAR else []
    if len(longer) == 1:  # `match-person` is more like `match-person-via-apollo` than like `research-person`
        return folded[longer[0]]
    near = difflib.get_close_matches(wanted, folded, n=1, cutoff=likeness)
    return folded[near[0]] if near else None


def misspelt(word: str, known: Iterable[str]) -> str | None:
    """The known name that the word is a misspelling of; None where it is known itself, or like none.

    Names that differ in a number (`email_2`, `email_3`) are two names and no slip.
    """
    names = list(known)
    near = None if word in names else nearest(word, names, likeness=_TYPO)
    return near if near is not None and _DIGITS.findall(near) == _DIGITS.findall(word) else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'email'?`, or nothing where no known name is like the word: the end of a sentence."""
    near = nearest(word, known)
    return f"; did you mean {str(near)!r}?" if near else ""


def instead(word: str, known: Iterable[str], *, listed: int = 40) -> str:
    """`did you mean 'email'? there are first_name, ...`: the likeliest name, then those that there are."""
    names = list(known)
    near = nearest(word, names)
    guess = f"did you mean {str(near)!r}? " if near else ""
    if not names:
        return "there are none"
    return f"{guess}there are {', '.join(names[:listed])}{' ...' if len(names) > listed else ''}"


def _folded(word: str) -> str:
    return _SEPARATORS.sub("_", word[:_LONGEST].strip().casefold())
