"""Whether two names can be one person's. It is asked to keep two people apart, and never to make them one."""

from __future__ import annotations

from enrichment_assets.domain.name_words import fold
from enrichment_assets.domain.names import normalise_name

_SHORT_FORM = 3
"""Letters from which on a beginning is a short form of a name: `Dan`, `Daniel`."""


def person_name_key(first: str | None, last: str | None, full: str | None) -> str | None:
    """`ann|archer`: first and last name as they are compared; None where the cells do not give both."""
    name = normalise_name(first, last, full)
    if not name.first_name or not name.last_name:
        return None
    return f"{_words(name.first_name)}|{_words(name.last_name)}"


def names_differ(one: str, other: str) -> bool:
    """Whether two keys of `person_name_key` are two people's names.

    Alike are a name and its beginning (`Dan`, `Daniel`), its initial, and a part of a double one (`Wasserman Schultz`,
    `Schultz`; `Anna Maria`, `Anna`). A nickname (`Bob`) and a name taken by marriage are no such thing: who bears them
    may be somebody else.
    """
    (first, _, last), (other_first, _, other_last) = one.partition("|"), other.partition("|")
    if (first, last) == (other_last, other_first):
        return False
    return not (_families_agree(last, other_last) and _given_agree(first, other_first))


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
