"""Names of people: cleaned and split, without breaking what one does not understand.

Columns are believed: `Debbie` / `Wasserman Schultz` stays two fields, and so is a comma: `Hernandez Rivera, Esperanza`.
Only a name that came in one piece is split (`name_order`), and what cannot be split stays whole in `full_name`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from enrichment_assets.domain.name_affixes import (
    are_post_nominals,
    generations_of,
    strip_post_nominals,
    strip_titles,
)
from enrichment_assets.domain.name_casing import with_capitals
from enrichment_assets.domain.name_cells import is_aside, one_column, one_name, readable, without_full_stop
from enrichment_assets.domain.name_order import has_family_first_script, is_family, split
from enrichment_assets.domain.name_words import (
    CAPITAL_PARTICLES,
    FAMILY_FIRST,
    GENERATIONS,
    GIVEN,
    IBERIAN_FAMILIES,
    PARTICLES,
    PARTICLES_OR_NAMES,
    fold,
    is_plain,
)
from enrichment_assets.domain.nobody import is_no_part, is_nobody

_MAX_PASSES = 8
_JOINS_FAMILIES = frozenset({"y", "i", "e"})
"""`Ramón y Cajal`."""

_MIDDLE_INITIALS = re.compile(r"^(\S{2,}(?<!\.))((?: [^\W\d_]\.?)+)$")


@dataclass(frozen=True, slots=True)
class NormalisedName:
    """A person's name in parts; None where there is nothing. `full_name` has no title and no suffix.

    `full_name` begins with `first_name` and ends with `last_name` where both are there (in Chinese, Japanese and Korean
    letters the other way round). `suffix` is what tells a son from his father (`Jr.`, `III`); credentials are dropped.
    """

    first_name: str | None = None
    last_name: str | None = None
    full_name: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    middle: str | None = None


@dataclass(frozen=True, slots=True)
class _Parts:
    """What one cell holds, taken apart; `text` is the name as it stands there, without title and post-nominals."""

    first: str = ""
    middle: str = ""
    last: str = ""
    text: str = ""
    prefix: str = ""
    suffix: str = ""


_NOTHING = _Parts()


def normalise_name(first: str | None = None, last: str | None = None, full: str | None = None) -> NormalisedName:
    """Clean and complete a name from whichever of the three cells there are. Never raises.

    Emoji, nicknames in brackets, credentials (`PhD, MBA`), jobs and companies behind the name go; titles and suffixes
    get fields of their own; a name in capitals or small letters only gets capitals (`LUDWIG VAN BEETHOVEN` -> `Ludwig
    van Beethoven`). The name of nobody (`LinkedIn Member`) gives nothing. Idempotent in first, last and full name.
    """
    if name := _plain(first, last, full):
        return name
    name = _normalise(first, last, full)
    for _ in range(_MAX_PASSES):  # what was hidden behind a title or suffix may be one itself
        again = _normalise(name.first_name, name.last_name, name.full_name)
        if _names_of(again) == _names_of(name):
            break
        name = replace(
            again,
            prefix=name.prefix or again.prefix,
            suffix=name.suffix or again.suffix,
            middle=again.middle or (name.middle if again.first_name == name.first_name else None),
        )
    else:  # a damaged text that reads differently each time is nobody's name
        return NormalisedName()
    return name


def _plain(first: str | None, last: str | None, full: str | None) -> NormalisedName | None:
    """The usual case without a look at every character: `Jane` and `Doe`, or `Jane Doe`."""
    if full and not first and not last:
        first, _, last = full.partition(" ")
        if is_family(first):
            return None
    elif full and full != f"{first} {last}":
        return None
    if not (first and last and is_plain(first) and is_plain(last)) or is_nobody(whole := f"{first} {last}"):
        return None
    return None if is_no_part(first) or is_no_part(last) else NormalisedName(first, last, whole)


def _names_of(name: NormalisedName) -> tuple[str | None, str | None, str | None]:
    return name.first_name, name.last_name, name.full_name


def _normalise(first: str | None, last: str | None, full: str | None) -> NormalisedName:
    if is_nobody(" ".join(filter(None, (first, last)))) and is_nobody(full):
        return NormalisedName()
    given = _NOTHING if is_no_part(first) else _column(readable(first))
    family = _NOTHING if is_no_part(last) else _column(readable(last), is_family=True)
    known = given.text and family.text and full == f"{first} {last}"
    whole = _NOTHING if known or is_nobody(full) else _whole(readable(full))
    if not whole.text and not (given.text and family.text):
        given, family, whole = _one_column_only(given, family, first, last)
    parts = _together(given, family, whole)
    return NormalisedName(
        first_name=parts.first or None,
        last_name=parts.last or None,
        full_name=parts.text or None,
        prefix=given.prefix or whole.prefix or family.prefix or None,
        suffix=family.suffix or whole.suffix or given.suffix or None,
        middle=parts.middle or None,
    )


def _one_column_only(
    given: _Parts, family: _Parts, first: str | None, last: str | None
) -> tuple[_Parts, _Parts, _Parts]:
    """A full name in the first or the last column; two given names (`Mary Ann`) are no full name."""
    words = fold(given.text or family.text).split()
    if given.text and (len(words) == 1 or words[1] not in GIVEN or len(words) > 2 or "," in (first or "")):
        return _NOTHING, _NOTHING, _whole(readable(first))
    if family.text and ("," in (last or "") or (len(words) > 1 and words[0] in GIVEN and words[-1] not in GIVEN)):
        return _NOTHING, _NOTHING, _whole(readable(last))
    return given, family, _NOTHING


def _together(given: _Parts, family: _Parts, whole: _Parts) -> _Parts:
    """The columns win over the full name; what they do not have comes from it, and a middle name of it is kept."""
    first, middle, last = given.first, given.middle, family.text
    if not first and not last:
        return whole
    if first and last and first != last:  # the whole name in one of the columns
        first = first.removesuffix(f" {last}")
        last = last.removeprefix(f"{first} ")
    elif not last and whole.text and whole.text != first:
        same = whole.first == first
        last, middle = (whole.last, middle or whole.middle) if same else (_without(first, whole) or whole.last, middle)
        if not last and first in whole.text:
            return _Parts(first, middle, "", whole.text)
    elif not first and whole.text and whole.text != last:
        same = whole.last == last
        first, middle = (whole.first, whole.middle) if same else (_without(last, whole) or whole.first, "")
        if not first and last in whole.text:
            return _Parts("", "", last, whole.text)
    return _composed(first, middle or _middle_of(whole, first, last), last)


def _without(part: str, whole: _Parts) -> str:
    """What is left of a full name without the first or last name that stands at one of its ends."""
    if whole.text.startswith(f"{part} "):
        return whole.text.removeprefix(f"{part} ")
    return whole.text.removesuffix(f" {part}") if whole.text.endswith(f" {part}") else ""


def _middle_of(whole: _Parts, first: str, last: str) -> str:
    text = whole.text
    if len(text) > len(first) + len(last) + 2 and text.startswith(f"{first} ") and text.endswith(f" {last}"):
        return text[len(first) : -len(last)].strip()
    return ""


def _composed(first: str, middle: str, last: str) -> _Parts:
    if first and last and has_family_first_script(first) and has_family_first_script(last):
        return _Parts(first, middle, last, f"{last}{first}")
    return _Parts(first, middle, last, " ".join(filter(None, (first, middle, last))))


@lru_cache(maxsize=2048)
def _column(text: str, *, is_family: bool = False) -> _Parts:
    """A readable cell of a first or last name."""
    head, *tail = (one_column(segment) for segment in text.split(",")) if text else [""]
    words = [word for word in head.split() if any(map(str.isalpha, word))]
    titles = strip_titles(words, keep=2 if is_family else 1)
    suffixes = strip_post_nominals(words) + [word for segment in tail for word in generations_of(segment.split())]
    name = with_capitals(without_full_stop(" ".join(words)) if is_family else " ".join(words), family=is_family)
    first, middle = (name, "") if is_family else _without_initials(name)
    if is_no_part(first):
        first = middle = name = ""
    return _Parts(first, middle, "", name, " ".join(titles), ", ".join(dict.fromkeys(suffixes)))


@lru_cache(maxsize=2048)
def _whole(text: str) -> _Parts:
    """A readable cell of a full name."""
    head, *tail = [segment for segment in map(str.strip, one_name(text).split(",")) if segment] or [""]
    if is_nobody(head) and (" " in head or not tail):  # `Guest, Michael` is somebody
        return _NOTHING
    suffixes, names = [], []
    for segment in tail:
        if are_post_nominals(segment, head):
            suffixes += generations_of(segment.split())
        elif not is_aside(segment):
            names.append(segment)
    if names and (stated := _family_before_comma(head, names[0])) is not False:
        return _reversed(head, names[0], suffixes) if stated else _Parts(text=f"{head}, {names[0]}")
    found = split(without_full_stop(head))
    suffixes = generations_of(found.post_nominals.replace(",", " ").split()) + suffixes
    suffix = ", ".join(dict.fromkeys(suffixes))
    return _Parts(found.first, found.middle, found.last, found.text, found.title, suffix)


def _family_before_comma(head: str, behind: str) -> bool | None:
    """True for `Hernandez Rivera, Esperanza`, False for `Jane Doe, Acme`, None where nobody can tell.

    Two words before a comma may be a whole name as well as a family name (`Xochitl Ramirez, Acme`): only a given name
    on either side, two family names or a particle say which.
    """
    words = [word for word in fold(head).split() if word not in GENERATIONS]
    if len(words) < 2 or all(word in IBERIAN_FAMILIES for word in words) or _begins_family(head, words):
        return True
    if words[1] in _JOINS_FAMILIES:
        return True
    is_given = fold(behind).split()[0] in GIVEN
    if words[0] in GIVEN:
        return None if is_given else False
    return True if is_given else None


def _begins_family(head: str, words: list[str]) -> bool:
    """`de la Cruz`, `Van Drew`: a particle that is no given name (`Van Nguyen`, `Al Gore`), or is written small."""
    if words[0] in PARTICLES or (head[0].islower() and words[0] in PARTICLES_OR_NAMES):
        return True
    return words[0] in CAPITAL_PARTICLES and words[1] not in FAMILY_FIRST


def _reversed(family_cell: str, given_cell: str, suffixes: list[str]) -> _Parts:
    given, family = _column(given_cell), _column(family_cell, is_family=True)
    parts = _composed(given.first, given.middle, family.text)
    found = [*filter(None, (family.suffix, given.suffix)), *suffixes]
    prefix = given.prefix or family.prefix
    return _Parts(parts.first, parts.middle, parts.last, parts.text, prefix, ", ".join(dict.fromkeys(found)))


def _without_initials(first: str) -> tuple[str, str]:
    """`John Q.` -> (`John`, `Q.`); a second given name (`Mary Ann`) is part of the first."""
    if match := _MIDDLE_INITIALS.match(first):
        return match.group(1), match.group(2).strip()
    return first, ""
