"""Pages that are no content, by what they say: consent walls, log-ins, parked domains, errors, shells for scripts.

What they say is data (`data/page_notices.toml`). Only a short page is judged by its words: an article about cookies,
or a shop that sells domains, is content.
"""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib.resources import files

from enrichment_assets.domain.pages.page import PageFault

SHORT = 1500
"""Characters of text up to which a page may be nothing but a notice."""

_NEXT_TO_NOTHING, _LITTLE = 60, 250
"""Characters of the text of a shell, and of what a notice leaves."""

_LETTERS = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"(?<!\S)\S{1,60}(?!\S)")
_SENTENCE_OR_CONTACT = re.compile(r"[.!?](?:\s|$)|@\w|\+\d|[。！？]")
_SENTENCES = re.compile(r"(?<=[.!?])\s|\n")
_ABOUT_CONSENT = re.compile(r"cookie|consent|privacy|datenschutz|accept|akzept|partner|zweck|purpose", re.IGNORECASE)


def fault_of(
    text: str,
    title: str | None,
    *,
    banner: str = "",
    has_password: bool = False,
    has_scripts: bool = False,
    refuses: str = "",
) -> PageFault | None:
    """Why a page is no content; None: it is, or nothing says that it is not.

    Args:
        text: What is to be read on it.
        title: Its title, where it has one.
        banner: What asks for consent on it, which is not in the text.
        has_password: Whether it has a field for one.
        has_scripts: Whether it runs scripts.
        refuses: What it says to those who run none.
    """
    if len(text) > SHORT:
        return None if _has_words(text) else PageFault.EMPTY_PAGE
    said = f"{title or ''}\n{text}"
    if _says("robot", said) or _says("error", _beginning(text, title)):
        return PageFault.ERROR_PAGE
    if _says("parked", said):
        return PageFault.PARKED_DOMAIN
    if _says("log_in", said) and (has_password or (len(text) < _LITTLE and _says("log_in", title or ""))):
        return PageFault.LOGIN_WALL
    if _is_consent(text, title, banner):
        return PageFault.CONSENT_WALL
    return PageFault.EMPTY_PAGE if _is_empty(text, has_scripts=has_scripts, refuses=refuses) else None


def _is_consent(text: str, title: str | None, banner: str) -> bool:
    """Whether what is left beside the question for consent is next to nothing."""
    if banner and len(text) < _NEXT_TO_NOTHING and not _SENTENCE_OR_CONTACT.search(text):
        return True
    if not _says("consent", f"{title or ''}\n{text}"):
        return False
    rest = sum(len(said) for said in _SENTENCES.split(text) if not _ABOUT_CONSENT.search(said))
    return rest < _LITTLE or _says("consent", title or "")


def _is_empty(text: str, *, has_scripts: bool, refuses: str) -> bool:
    """Whether there is nothing to read: no words, or so few that a script has to bring the rest."""
    if not _has_words(text) or (len(text) < _LITTLE and _says("needs_scripts", text)):
        return True
    if not has_scripts or len(text) >= _NEXT_TO_NOTHING:
        return False
    return _says("needs_scripts", refuses) or not _SENTENCE_OR_CONTACT.search(text)


def _has_words(text: str) -> bool:
    """Whether a text has a word of a length that words have; scripts without blanks have none to be counted."""
    return _LETTERS.search(text) is not None and (_WORD.search(text) is not None or not text.isascii())


def _beginning(text: str, title: str | None) -> str:
    """Where a page says that it is an error: its title and its first three lines, without marks of headings."""
    lines = [line.lstrip("#- ") for line in text.split("\n") if line.strip()][:3]
    return "\n".join([title or "", *lines])


def _says(notice: str, text: str) -> bool:
    return _notices()[notice].search(text) is not None


# opens files of ours: the words of notices
@lru_cache(maxsize=1)
def _notices() -> dict[str, re.Pattern[str]]:
    text = files("enrichment_assets.domain").joinpath("data/page_notices.toml").read_text(encoding="utf-8")
    listed: dict[str, list[str]] = tomllib.loads(text)
    return {
        name: re.compile("|".join(f"(?:{one})" for one in notices), re.IGNORECASE | re.MULTILINE)
        for name, notices in listed.items()
    }
