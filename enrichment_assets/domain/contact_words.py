"""What providers' words about e-mail addresses and phone numbers mean: one list for all providers, for SQL too.

The words are data (`dbt_like_sql/seeds/contact_words.csv`, `phone_policy.csv`), which the models read as seeds: static
files of this package, read once. A word that is not in the list is kept as it came and counts for nothing good.
"""

from __future__ import annotations

import csv
import re
from functools import cache, lru_cache
from pathlib import Path

SEEDS = Path(__file__).resolve().parents[2] / "dbt_like_sql" / "seeds"

VALID, INVALID_NUMBER, DO_NOT_CALL, PLACEHOLDER = "valid", "invalid_number", "do_not_call", "placeholder"
ACCEPT_ALL, BAD, UNCERTAIN = "accept_all", "bad", "uncertain"

_UNLISTED = 1000
_KEPT_WORDS = 10_000
"""Providers' words are few, and each is asked about again and again: so many are kept with what they mean."""

_NO_WORD = re.compile(r"[^a-z0-9]+")
_HUMP = re.compile(r"([a-z0-9])([A-Z])")


def fold_word(text: str) -> str:
    """`Catch-all`, `CATCH ALL` and `catchAll` are `catch_all`."""
    return _NO_WORD.sub("_", _HUMP.sub(r"\1_\2", text).lower()).strip("_")


@lru_cache(_KEPT_WORDS)
def meaning(kind: str, word: str) -> str | None:
    """What a word of one kind (`email_verdict`, `phone_type` ...) means; None for a word that nobody listed."""
    return _words().get((kind, fold_word(word)))


@lru_cache(_KEPT_WORDS)
def email_verdict(status: str | None, sub_status: str | None = None) -> str | None:
    """Our verdict for a provider's words about an address; an unlisted status stays itself, in lower case.

    `valid` with ZeroBounce's `role_based_accept_all` is `accept_all`: the worse of the two counts.
    """
    if status is None or not status.strip():
        return None
    verdict = meaning("email_verdict", status)
    if verdict is None:
        return status.strip().lower()
    closer = meaning("email_sub_verdict", sub_status) if sub_status else None
    return min((v for v in (verdict, closer) if v is not None), key=severity)


def severity(verdict: str | None) -> int:
    """Place of a verdict, the worst first; an unlisted word comes last."""
    known = _verdicts().get(verdict or "")
    return int(known["severity"]) if known else _UNLISTED


def is_bad(verdict: str | None) -> bool:
    """Whether a value of this verdict comes behind every other one."""
    return _verdicts().get(verdict or "", {}).get("is_bad") == "true"


def email_standing(verdict: str) -> str:
    """`valid`, `bad`, or `uncertain`: what two sources have to say alike for them to agree about an address."""
    return BAD if is_bad(verdict) else VALID if verdict == VALID else UNCERTAIN


def is_shown(verdict: str | None) -> bool:
    """Whether a value of this verdict may be shown at all; what cannot be shown cannot be used either."""
    return _verdicts().get(verdict or "", {}).get("is_shown") != "false"


def says_something(verdict: str | None) -> bool:
    """Whether a verdict can outweigh another one; `unknown` and unlisted words cannot."""
    return _verdicts().get(verdict or "", {}).get("is_meaningful") == "true"


def phone_verdict(status: str | None, do_not_call: str | None) -> str | None:
    """`do_not_call`, `invalid_number`, `valid`, or None where nothing is known of a number."""
    if not may_call(do_not_call):
        return DO_NOT_CALL
    said = meaning("phone_status", status) if status else None
    return said if said in (VALID, INVALID_NUMBER) else None


def may_call(word: str | None) -> bool:
    """Whether a register's word permits a call: nothing said, or a word on the list. Any other word forbids it."""
    return word is None or not word.strip() or meaning("do_not_call", word) is not None


def phone_type(word: str | None) -> str:
    """`mobile`, `direct`, `home`, `hq` or `other`."""
    return (meaning("phone_type", word) if word else None) or "other"


def phone_standing(verdict: str | None, kind: str) -> int:
    """Place of such a number in the policy; the lowest is used first."""
    places = _standings()
    return min(places[v, kind] for v in (verdict, "*") if (v, kind) in places)


@cache
def _words() -> dict[tuple[str, str], str]:
    return {(row["kind"], row["word"]): row["means"] for row in read_seed("contact_words")}


@cache
def _verdicts() -> dict[str, dict[str, str]]:
    return {row["verdict"]: row for row in read_seed("value_verdicts")}


@cache
def _standings() -> dict[tuple[str | None, str], int]:
    return {(row["verdict"], row["type"]): int(row["standing"]) for row in read_seed("phone_policy")}


# opens files of ours: the package's own lists
def read_seed(name: str) -> list[dict[str, str]]:
    """The rows of one seed, all text."""
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
