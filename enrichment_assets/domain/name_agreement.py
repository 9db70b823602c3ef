"""Whether two names can be one person's. It is asked to keep two people apart, and never to make them one."""

from __future__ import annotations

from enrichment_assets.domain.name_words import fold
from enrichment_assets.domain.names import normalise_name

_SHORT_FORM = 3
"""Letters from which on a beginning is a short form of a name: `Dan`, `Daniel`."""


def person_name_key(first: str | None, last: str | None, full: str | None) -> str | None:
    """`ann|archer`: first and last name as they are compared; None where there is no name.

    A name that cannot be told apart (`Wang Wei`), or half of one, stands whole behind the `|`.
    """
    name = normalise_name(first, last, full)
    if name.first_name and name.last_name:
        return f"{_words(name.first_name)}|{_words(name.last_name)}"
    whole = _words(name.full_name or name.last_name or name.first_name or "")
    return f"|{whole}" if whole else None


def names_differ(one: str, other: str) -> bool:
    """Whether two keys of `person_name_key` are two people's names.

    Alike are a name and its beginning (`Dan`, `Daniel`), its initial, and a part of a double one (`Wasserman Schultz`,
    `Schultz`; `Anna Maria`, `Anna`). A nickname (`Bob`) and a name taken by marriage are no such thing: who bears them
    may be somebody else.
    """
    (first, _, last), (other_first, _, other_last) = one.partition("|"), other.partition("|")
    if (first, last) == (other_last, other_first):
        return False
    if not first or not other_first:
        return not _may_be_one(f"{first} {last}".split(), f"{other_first} {other_last}".split())
    return not (_families_agree(last, other_last) and _given_agree(first, other_first))


def _may_be_one(words: list[str], others: list[str]) -> bool:
    """Whether names that nobody could take apart are one, or one a part of the other; also written in one piece."""
    is_part = set(words) <= set(others) or set(others) <= set(words)
    return is_part or "".join(words) == "".join(others)


def _families_agree(one: str, other: str) -> bool:
    words, others = set(one.split()), set(other.split())
    return words <= others or others <= words


def _given_agree(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    if set(short.split()) <= set(long.split()):
        return True
    first, of_long = short.split()[0], long.split()[0]
    return of_long.startswith(first) and (len(first) == 1 or len(first) >= _SHORT_FORM)


def _words(text: str) -> str:
    return " ".join(fold(text).replace("-", " ").replace("'", "").replace("|", " ").split())
