r"""One person's values in the spellings that texts have them in: found, and blacked out.

`Ann.Archer@Acme.com` stands as `ann.archer@acme.com` in an answer, as `ann.archer%40acme.com` in an address, as
`M\u00fcller` in JSON and as `M&uuml;ller` on a page. What is found is decided twice: databases look for a superset
(`Needles.pattern`, an expression that Postgres and RE2 read alike), and the functions here for the values themselves.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote

REDACTED = "[redacted]"
"""Stands where a value of an erased person stood; a cell with it has no value (`domain.no_value`)."""

_BETWEEN_DIGITS = r"[ ().\-/\x{a0}]{0,3}"
_LEAST_DIGITS = 7
"""A shorter number is found in too many places that are no number."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What is known of one person.

    Attributes:
        emails: Addresses as they are spelled anywhere.
        profiles: LinkedIn profiles as they are spelled anywhere.
        phones: Numbers of theirs, as spelled; none that somebody else has as well.
        names: (first, last) as spelled.
        company_keys: Companies where they are looked for by name.
    """

    emails: frozenset[str] = frozenset()
    profiles: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    names: frozenset[tuple[str, str]] = frozenset()
    company_keys: frozenset[str] = frozenset()

    def __or__(self, other: Traits) -> Traits:
        """Both together."""
        return Traits(
            self.emails | other.emails,
            self.profiles | other.profiles,
            self.phones | other.phones,
            self.names | other.names,
            self.company_keys | other.company_keys,
        )

    def encoded(self) -> str:
        """As JSON, for keeping it sealed."""
        return json.dumps(
            {
                "emails": sorted(self.emails),
                "profiles": sorted(self.profiles),
                "phones": sorted(self.phones),
                "names": sorted(self.names),
                "company_keys": sorted(self.company_keys),
            }
        )

    @classmethod
    def decoded(cls, text: str) -> Traits:
        """What `encoded` gave."""
        said = json.loads(text)
        names = frozenset((first, last) for first, last in said.pop("names"))
        return cls(names=names, **{key: frozenset(values) for key, values in said.items()})


@dataclass(frozen=True)
class Needles:
    """What a person is found by in texts and bytes.

    Attributes:
        strong: Expressions for what is theirs alone: addresses, profiles, numbers.
        names: Expressions for their name; it is another person's too, and counts where their company is meant.
        pairs: (first, last), as they stand in two members of one JSON object; folded to lower case.
    """

    strong: tuple[str, ...]
    names: tuple[str, ...]
    pairs: frozenset[tuple[str, str]] = field(default_factory=frozenset)

    def pattern(self, *, names: bool) -> str | None:
        """An expression for Postgres (`~*`) and RE2 that finds at least every trace; None: there is nothing to find."""
        return _any([*self.strong, *(self.names if names else ())])

    def pair_patterns(self) -> tuple[str, str] | None:
        """Expressions for first and for last names, in any place of a text."""
        firsts = _any(one for first, _ in self.pairs for one in _spelled(first))
        lasts = _any(one for _, last in self.pairs for one in _spelled(last))
        return None if firsts is None or lasts is None else (firsts, lasts)

    @cached_property
    def _strong(self) -> re.Pattern[str] | None:
        return _compiled(self.strong)

    @cached_property
    def _all(self) -> re.Pattern[str] | None:
        return _compiled([*self.strong, *self.names])

    def in_bytes(self) -> re.Pattern[bytes] | None:
        """For bytes of a file, names among them."""
        joined = _any([*self.strong, *self.names])
        return None if joined is None else re.compile(_bounded(joined).encode(), re.IGNORECASE)

    def in_text(self, text: str, *, names: bool) -> bool:
        """Whether a text names the person."""
        found = self._all if names else self._strong
        return found is not None and found.search(text) is not None

    def blacked_out(self, text: str, *, names: bool) -> str:
        """The text without their values."""
        found = self._all if names else self._strong
        return text if found is None else found.sub(REDACTED, text)

    def redacted(self, value: Any, *, names: bool) -> tuple[Any, int]:
        """A JSON value without the person, and how many places were changed.

        An object inside that names them is emptied whole: what stands beside their address is theirs. Of the outermost
        object only the texts that name them are blacked out.
        """
        return self._walked(value, names=names, outermost=True)

    def _walked(self, value: Any, *, names: bool, outermost: bool) -> tuple[Any, int]:
        if isinstance(value, str):
            changed = self.blacked_out(value, names=names)
            return changed, int(changed != value)
        if isinstance(value, list):
            done = [self._walked(one, names=names, outermost=False) for one in value]
            return [one for one, _ in done], sum(count for _, count in done)
        if not isinstance(value, dict):
            return value, 0
        if not outermost and self._is_about(value, names=names):
            return {}, 1
        count = 0
        kept: dict[str, Any] = {}
        for key, member in value.items():
            name = self.blacked_out(key, names=names)
            kept[name], inside = self._walked(member, names=names, outermost=False)
            count += inside + (name != key)
        return kept, count

    def _is_about(self, value: dict[str, Any], *, names: bool) -> bool:
        """Whether an object's own members name the person."""
        texts = [one for one in _own_texts(value) if one]
        if any(self.in_text(one, names=names) for one in texts):
            return True
        folded = {one.strip().lower() for one in texts}
        return names and any(first in folded and last in folded for first, last in self.pairs)


def needles_of(traits: Traits) -> Needles:
    """The expressions by which a person with these traits is found."""
    strong = [one for address in traits.emails for one in _spelled(address)]
    strong += [one for profile in traits.profiles for one in _spelled(_slug(profile)) if _slug(profile)]
    strong += [one for number in traits.phones for one in _number(number)]
    names = [
        spelling.replace(r"\ ", "[ ,+_.]{1,3}")
        for first, last in traits.names
        for whole in (f"{first} {last}", f"{last} {first}")
        for spelling in _spelled(whole)
    ]
    pairs = frozenset((first.strip().lower(), last.strip().lower()) for first, last in traits.names)
    return Needles(tuple(sorted(set(strong))), tuple(sorted(set(names))), pairs)


def _spelled(text: str) -> list[str]:
    """A value as texts, JSON, pages, addresses and bytes that Postgres shows (`encode(..., 'escape')`) have it."""
    found: dict[str, None] = {}
    for cased in dict.fromkeys((text, text.lower(), text.upper(), text.title())):
        escaped = json.dumps(cased)[1:-1]
        spellings = [
            cased,
            escaped,
            html.escape(cased),
            html.escape(cased).replace("&#x27;", "&#39;"),
            cased.encode("ascii", "xmlcharrefreplace").decode(),
            quote(cased, safe=""),
            quote(cased, safe="@/"),
        ]
        for spelling in spellings:
            found[spelling] = None
            found[_as_bytes(spelling)] = None
    return [re.escape(one) for one in found if one]


def _as_bytes(text: str) -> str:
    """A text as `encode(bytes, 'escape')` shows its UTF-8."""
    shown = (chr(byte) if 0 < byte < 0x80 and byte != 0x5C else "\\\\" if byte == 0x5C else f"\\{byte:03o}"
             for byte in text.encode())  # fmt: skip
    return "".join(shown)


def _number(text: str) -> Iterator[str]:
    """A number however its digits are grouped."""
    digits = re.sub(r"\D", "", text)
    if len(digits) >= _LEAST_DIGITS:
        yield _BETWEEN_DIGITS.replace(r"\x{a0}", "\u00a0").join(digits)


def _slug(profile: str) -> str:
    """`in/ann-archer` of any spelling of a profile's address."""
    found = re.search(r"\b(in|pub)/([^/?#\s]+)", profile)
    return "" if found is None else f"{found[1]}/{found[2]}"


def _any(parts: Iterable[str]) -> str | None:
    listed = sorted(set(parts), key=lambda one: (-len(one), one))
    return "|".join(f"(?:{one})" for one in listed) if listed else None


def _compiled(parts: Iterable[str]) -> re.Pattern[str] | None:
    """With bounds: `ann@acme.com` is not found in `joann@acme.com`, nor `in/ann` in `in/anna`."""
    joined = _any(parts)
    return None if joined is None else re.compile(_bounded(joined), re.IGNORECASE)


def _bounded(expression: str) -> str:
    return rf"(?<![\w+.-])\+?(?:{expression})(?![\w-]|\.\w)"


def _own_texts(value: dict[str, Any]) -> Iterator[str]:
    for key, member in value.items():
        yield key
        for one in member if isinstance(member, list) else [member]:
            if isinstance(one, str):
                yield one
