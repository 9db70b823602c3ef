"""How long a person has been at a company, and at which companies of a kind before: a rule over the jobs of a profile.

A job is the company's where its name is the same by `domain.company_names`. The present job is one without an end; who
has none at the company has no tenure there, whatever they did before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from enrichment_assets.domain.company_names import company_name_key

MOST_JOBS = 200
_ARTICLE = re.compile(r"^\s*the\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EarlierJob:
    """A job at another company; times as `2019` or `2019-04`, as far as they are known."""

    company: str
    title: str | None
    starts: str | None
    ends: str | None


@dataclass(frozen=True, slots=True)
class Career:
    """`tenure` in words (`Head Professional since 2019-04`), its beginning, and the earlier jobs of the kind."""

    tenure: str | None = None
    since: str | None = None
    previous: tuple[EarlierJob, ...] = ()


def read_career(jobs: Any, company: str | None, words: Sequence[str]) -> Career:
    """The career of a person by the jobs of their profile. Never raises.

    Args:
        jobs: Objects with `company` and perhaps `title`, `starts_at`, `ends_at` (`{year, month, day}`, a text or null).
        company: Where they are said to work.
        words: What a company of the kind has in its name (`golf`, `country club`), by whole words.
    """
    own, kinds = _key(company), [f" {word.casefold()} " for word in words]
    present: tuple[str, str | None] | None = None
    previous: dict[str, EarlierJob] = {}
    for job in jobs[:MOST_JOBS] if isinstance(jobs, list) else ():
        name = _text(job.get("company")) if isinstance(job, Mapping) else None
        key = _key(name)
        if name is None or key is None:
            continue
        title, starts, ends = _text(job.get("title")), _time(job.get("starts_at")), job.get("ends_at")
        if key == own:
            if not ends:
                present = _earliest(present, title, starts)
        elif any(kind in f" {' '.join(name.casefold().split())} " for kind in kinds):
            previous.setdefault(key, EarlierJob(name, title, starts, _time(ends)))
    if present is None:
        return Career(previous=tuple(previous.values()))
    title, since = present
    return Career(f"{title or 'there'} since {since}" if since else title or None, since, tuple(previous.values()))


def _earliest(present: tuple[str, str | None] | None, title: str | None, starts: str | None) -> tuple[str, str | None]:
    """The title that stands first, and the earliest beginning of those that are known."""
    if present is None:
        return title or "", starts
    known = [one for one in (present[1], starts) if one]
    return present[0], min(known) if known else None


def _time(value: Any) -> str | None:
    """`2019-04`, `2019` or a text of that form; None: it is not known."""
    if isinstance(value, Mapping):
        year, month = value.get("year"), value.get("month")
        if not isinstance(year, int) or isinstance(year, bool) or not 1900 <= year <= 2200:
            return None
        is_month = isinstance(month, int) and not isinstance(month, bool) and 1 <= month <= 12
        return f"{year}-{month:02d}" if is_month else str(year)
    text = _text(value)
    return text[:7] if text and text[:4].isdigit() and text[4:5] in ("", "-") else None


def _key(name: str | None) -> str | None:
    """By what two names are compared; an article before one says nothing."""
    return company_name_key(_ARTICLE.sub("", name)) if name else None


def _text(value: Any) -> str | None:
    return " ".join(value.split()) or None if isinstance(value, str) else None
