"""Whether what was known of a lead is still so: rules over what a profile and a verifier say now. Pure functions.

A row of a freshness batch has what was known as its cells (`original`): title, company, address, and the columns below,
which `services.freshness.gathering` writes. Whoever moved is somebody whose profile has a job at that company that
ended, and none there that goes on. A company that the profile does not know by that name proves nothing: it may be
written otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from enrichment_assets.domain.company_names import company_name_key

LEADS, EMAIL_STATUS, VERIFIED, DAY = (
    "freshness_leads",
    "freshness_email_status",
    "freshness_last_verified",
    "freshness_day",
)
"""Columns of a row: the leads that it stands for (`batch#item;...`), the status of the address, since when it was
known, and the day on which the batch was made."""

PROFILE, ADDRESS = "recheck-profile", "verify-email-via-zerobounce"
"""By whose word something changed: the workflows of the pipeline `freshness`."""

_DEAD = frozenset({"invalid", "do_not_mail", "disposable", "spamtrap", "abuse"})
"""Verdicts on an address that no mail is to be sent to (`dbt_like_sql/seeds/contact_words.csv`)."""
_SURE = _DEAD | {"valid"}
_WORD = re.compile(r"\w+")
_SMALL = frozenset({"of", "the", "and", "for", "at", "in", "to", "a"})


class Standing(StrEnum):
    """How a lead stands. The word stays: it is in tables."""

    CONFIRMED = "confirmed"
    """Where and as it was."""
    NEW_TITLE = "new_title"
    """At the same company, in another role."""
    MOVED = "moved"
    """Not at that company any more."""
    ADDRESS_DEAD = "address_dead"
    """The address takes no mail; nothing says that the person is gone."""


def compared(context: Mapping[str, Any]) -> dict[str, Any]:
    """What became of a lead, as the payload of `compare_with_known`.

    `standing` and `is_active` are null where nobody can tell. `changes` are `{field, old, new, workflow}`;
    `last_verified` is the day of the batch where a profile or a verdict said something, else null.
    """
    known = _mapping(context.get("original"))
    employment, changes = _employment(known, _jobs(context.get("profile_jobs")))
    verdict = _text(context.get("email_verdict"))
    if verdict in _DEAD:
        old = _text(known.get(EMAIL_STATUS))
        changes += [] if old == verdict else [_change("email_status", old, verdict, ADDRESS)]
    standing = employment
    if verdict in _DEAD and employment is not Standing.MOVED:
        standing = Standing.ADDRESS_DEAD
    if standing is None and verdict == "valid":
        standing = Standing.CONFIRMED
    heard = employment is not None or verdict in _SURE
    return {
        "standing": standing,
        "is_active": None if standing is None else standing in (Standing.CONFIRMED, Standing.NEW_TITLE),
        "last_verified": _text(known.get(DAY)) if heard else None,
        "changes": changes,
    }


def replacement(context: Mapping[str, Any]) -> dict[str, Any]:
    """One person of `colleagues` in place of who left, as the payload of `choose_replacement`."""
    known = _mapping(context.get("original"))
    wanted = _words(_text(known.get("title")))
    gone = {_folded(context.get("full_name")), _folded(f"{context.get('first_name')} {context.get('last_name')}")}
    address = _folded(context.get("email"))
    found: list[tuple[float, int, Mapping[str, Any]]] = []
    for place, person in enumerate(_list(context.get("colleagues"))):
        name = _folded(f"{person.get('first_name') or ''} {person.get('last_name') or ''}")
        if not name or name in gone or (address and _folded(person.get("email")) == address):
            continue
        words = _words(_text(person.get("title")))
        shared = len(wanted & words) / len(wanted | words) if wanted and words else 0.0
        if shared:
            found.append((-shared, place, person))
    best = [dict(min(found, key=lambda one: one[:2])[2])] if found else []
    return {"replacement": best, "found": len(best)}


def _employment(
    known: Mapping[str, Any], jobs: Sequence[Mapping[str, Any]]
) -> tuple[Standing | None, list[dict[str, Any]]]:
    """What the jobs of a profile say of the known one, and what changed; None: nothing."""
    company, title = _text(known.get("company_name")), _text(known.get("title"))
    key = company_name_key(company)
    if key is None:
        return None, []
    there = [job for job in jobs if company_name_key(_text(job.get("company"))) == key]
    if not there:
        return None, []
    now = [job for job in there if not job.get("ended")]
    if now:
        titles = [written for job in now if (written := _text(job.get("title")))]
        if not titles or title is None or _folded(title) in {_folded(one) for one in titles}:
            return Standing.CONFIRMED, []
        return Standing.NEW_TITLE, [_change("title", title, titles[0], PROFILE)]
    changes = [_change("company_name", company, None, PROFILE)]
    current = [job for job in jobs if not job.get("ended")]
    if len(current) == 1:
        changes = [_change("company_name", company, _text(current[0].get("company")), PROFILE)]
        if new := _text(current[0].get("title")):
            changes += [] if _folded(title) == _folded(new) else [_change("title", title, new, PROFILE)]
    return Standing.MOVED, changes


def _change(field: str, old: str | None, new: str | None, workflow: str) -> dict[str, Any]:
    return {"field": field, "old": old, "new": new, "workflow": workflow}


def _jobs(value: Any) -> list[Mapping[str, Any]]:
    return [job for job in _list(value) if _text(job.get("company"))]


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _folded(value: Any) -> str:
    return " ".join(str(value or "").casefold().split())


def _words(text: str | None) -> frozenset[str]:
    return frozenset(_WORD.findall((text or "").casefold())) - _SMALL
