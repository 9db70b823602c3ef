"""Whether an answer asks not to be written to again, by its words. A proposal to a person, who decides.

Only what the author wrote counts: our own footer, quoted below, says `unsubscribe` too.
"""

from __future__ import annotations

import re
from functools import cache

from enrichment_assets.domain.mail.reply_words import plain, words_of

_LOOKED_AT = 5_000
_LONGEST_ALONE = 12
"""Words of an answer that says no more than that; a name and a signature may be among them."""

_LINES = 4
_ANSWERED = re.compile(r"^\s*\w{1,4}\s*[:：]")
"""`Re:`, `AW:`: the subject is ours."""


def stop_wish(text: str, subject: str = "") -> str | None:
    """The words by which an answer asks to be left alone, None where it does not.

    Args:
        text: What its author wrote, without what is quoted.
        subject: Its subject: an answer may be empty and say `unsubscribe` there.
    """
    found = plain(text[:_LOOKED_AT])
    if match := _sentences().search(found):
        return match.group()
    if alone := _alone(text):
        return alone
    return _alone(subject) if not _ANSWERED.match(subject) else None


def _alone(text: str) -> str | None:
    """A wish that is all an answer says: its first lines, less greetings, are such a word."""
    lines = [line for line in text[:_LOOKED_AT].splitlines() if line.strip()]
    if sum(len(line.split()) for line in lines) > _LONGEST_ALONE:
        lines = lines[:1] if lines and _word(lines[0]) in words_of("stop", "alone") else []
    return next((word for line in lines[:_LINES] if (word := _word(line)) in words_of("stop", "alone")), None)


def _word(line: str) -> str:
    """A line without its punctuation, and without greetings and thanks at its ends."""
    bare = " ".join(re.sub(r"[^\w'\-]+", " ", plain(line)).split())
    for _ in range(3):
        bare = _around().sub("", bare).strip()
    return bare


@cache
def _sentences() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words_of('stop', 'sentences')))})(?!\w)")


@cache
def _around() -> re.Pattern[str]:
    polite = "|".join(map(re.escape, words_of("stop", "around")))
    return re.compile(rf"^(?:{polite})(?!\w)|(?<!\w)(?:{polite})$")
