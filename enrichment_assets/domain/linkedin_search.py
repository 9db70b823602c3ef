"""Which search result is the LinkedIn profile of the person who is meant: a rule over name, employer and title.

A search for `site:linkedin.com/in "Jane Doe" "Acme"` finds people who are not meant: others called Jane Doe, and people
who mention Acme. A result is believed where its heading begins with the person's name and it names the company as an
employer (`Jane Doe - CFO - Acme | LinkedIn`, `CFO at Acme`, `Experience: Acme`); where it only mentions the company,
the title has to stand there, too. A person who cannot be told from a namesake is not found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.company_names import company_name_key
from enrichment_assets.domain.domains import addresses_of
from enrichment_assets.domain.linkedin import linkedin_person
from enrichment_assets.domain.name_words import fold
from enrichment_assets.domain.names import NormalisedName, normalise_name

MOST_RESULTS = 100
"""Results that are looked at: a search gives ten."""

_MAX_TEXT = 2000
_SITE = re.compile(r"\s*[|\-–—·]\s*LinkedIn\s*$", re.IGNORECASE)
_PARTS = re.compile(r"\s+[-–—|·•]\s+|\s*\|\s*|\s*[·•]\s*|(?<=[a-z])[.;]\s+|,\s+")
_CUT = re.compile(r"\s*(?:…|\.\.\.)\s*$")
_LABEL = re.compile(
    r"^(?:experience|current|work|berufserfahrung|expérience|experiencia|esperienza|ervaring|experiência)\s*:\s*",
    re.IGNORECASE,
)
_AT = re.compile(r"\s+(?:at|@|bei|chez|presso|en|bij|na|hos)\s+", re.IGNORECASE)
_PAST = re.compile(r"\b(?:former|formerly|ex|previous|previously|past|ehemalig\w*|ancien\w*|retired)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_NO_TITLE_WORDS = frozenset({"of", "the", "and", "for", "at", "a", "in", "de", "la"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """The person who is looked for, as the row has them."""

    name: NormalisedName
    company: str | None
    domain: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """What the rule says. `url` is None where nobody can be told for sure; then `reason` says why.

    `matched` names what agreed (`name, company, title`); `namesakes` counts other profiles of the same name.
    """

    url: str | None
    matched: str | None = None
    reason: str | None = None
    namesakes: int = 0


@dataclass(frozen=True, slots=True)
class _Profile:
    url: str
    is_employer: bool
    has_title: bool


def wanted(row: Mapping[str, Any]) -> Wanted:
    """The person of a row: name, company and title by the platform's field names."""
    texts = {name: value for name, value in row.items() if isinstance(value, str) and value.strip()}
    name = normalise_name(texts.get("first_name"), texts.get("last_name"), texts.get("full_name"))
    return Wanted(name, texts.get("company_name"), texts.get("company_domain"), texts.get("title"))


def choose_profile(person: Wanted, results: Iterable[Any]) -> Match:
    """The one result that is this person's profile. Never raises, whatever the results are.

    Args:
        person: Who is meant; without a company nobody can be told from a namesake.
        results: Objects with `title` (the result's heading), `url` and `text` (what stands below it).
    """
    namesakes = list(_namesakes(person, results))
    if not namesakes:
        return Match(None, reason="no_such_name")
    believed = [p for p in namesakes if p.is_employer] or [p for p in namesakes if p.has_title]
    if len(believed) > 1 and any(profile.has_title for profile in believed):
        believed = [profile for profile in believed if profile.has_title]
    if len(believed) != 1:
        reason = "several_of_that_name" if believed else "same_name_elsewhere"
        return Match(None, reason=reason, namesakes=len(namesakes))
    said = "name, company, title" if believed[0].has_title else "name, company"
    return Match(believed[0].url, said, namesakes=len(namesakes) - 1)


def _namesakes(person: Wanted, results: Iterable[Any]) -> Iterator[_Profile]:
    """Profiles whose heading has the person's name and whose page mentions the company, or not; each once."""
    seen: set[str] = set()
    for number, result in enumerate(results):
        if number >= MOST_RESULTS or not isinstance(result, Mapping):
            continue
        url = linkedin_person(_text(result.get("url")))
        heading = _SITE.sub("", _text(result.get("title")))
        parts = [_CUT.sub("", part) for part in _PARTS.split(heading) if part.strip()]
        if url is None or url in seen or not parts or not _is_called(person.name, heading, parts):
            continue
        seen.add(url)
        below = _text(result.get("text"))
        yield _judged(person, url, parts[1:], below)


def _judged(person: Wanted, url: str, heading: list[str], below: str) -> _Profile:
    employers = list(_employers([*heading, *(part for part in _PARTS.split(below) if part.strip())]))
    is_employer = any(_is_company(person, employer) for employer in employers)
    mentioned = is_employer or _mentions(person, " ".join([*heading, below]))
    has_title = mentioned and _has_title(person.title, " ".join([*heading, below]))
    return _Profile(url, is_employer, has_title)


def _is_called(name: NormalisedName, heading: str, parts: list[str]) -> bool:
    """Whether the heading begins with the name: `Jane Doe - CFO`, `Jane A. Doe, MBA - CFO`, never `Jane D.`."""
    whole = re.split(r"\s+[-–—|·•]\s+|\s*\|\s*", heading)[0]
    return any(_same(name, normalise_name(full=text)) for text in dict.fromkeys((whole, parts[0])))


def _same(one: NormalisedName, other: NormalisedName) -> bool:
    """One name of two spellings: middle names may be missing on a side, but not contradict each other."""
    if one.full_name is None or other.full_name is None:
        return False
    if one.suffix and other.suffix and fold(one.suffix) != fold(other.suffix):
        return False
    if one.middle and other.middle and fold(one.middle)[:1] != fold(other.middle)[:1]:
        return False
    if one.first_name and one.last_name and other.first_name and other.last_name:
        return (fold(one.first_name), fold(one.last_name)) == (fold(other.first_name), fold(other.last_name))
    return fold(one.full_name) == fold(other.full_name)


def _employers(parts: Iterable[str]) -> Iterator[str]:
    """What may be the name of an employer: a part alone, or what follows `at`; not where it was in the past."""
    for part in parts:
        text = _LABEL.sub("", _CUT.sub("", part.strip()))
        if not _PAST.search(text):
            yield from (text, *_AT.split(text)[1:])


def _is_company(person: Wanted, text: str) -> bool:
    key = company_name_key(text)
    if key is not None and key == company_name_key(person.company):
        return True
    return person.domain is not None and any(one.is_at(person.domain) for one in addresses_of(text))


def _mentions(person: Wanted, text: str) -> bool:
    """Whether the company's name, or its name as its domain has it, stands there as whole words."""
    names = [company_name_key(person.company)]
    if person.company is None and person.domain:
        names.append(company_name_key(person.domain.partition(".")[0].replace("-", " ")))
    folded = f" {' '.join(_WORD.findall(fold(text)))} "
    return any(f" {name} " in folded for name in names if name)


def _has_title(title: str | None, text: str) -> bool:
    """Whether every word of the title stands in the text."""
    words = [word for word in _WORD.findall(fold(title or "")) if word not in _NO_TITLE_WORDS]
    return bool(words) and set(words) <= set(_WORD.findall(fold(text)))


def _text(value: Any) -> str:
    return value[:_MAX_TEXT] if isinstance(value, str) else ""
