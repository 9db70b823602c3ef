"""What a refusal means for the address: nobody there, no room, not for now, or nothing, as it was about the message.

An address is given up for `HARD` alone. Where code and words disagree, the reading that keeps the address counts:
servers say `5.1.1` of senders that they have on a list, and `5.0.0` of anything.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files


class BounceKind(StrEnum):
    """What a bounce says of an address."""

    HARD = "hard"
    """There is nobody, or no such domain."""
    SOFT = "soft"
    """Given up, yet the address may be good: a full mailbox, a server that could not be reached."""
    POLICY = "policy"
    """Refused for what the message or its sender is."""
    DELAYED = "delayed"
    """Not given up: it is tried again. No bounce."""
    UNKNOWN = "unknown"
    """Given up, and why cannot be read."""


_SAYS = {
    "policy": BounceKind.POLICY,
    "large": BounceKind.POLICY,
    "full": BounceKind.SOFT,
    "expired": BounceKind.SOFT,
    "gone": BounceKind.HARD,
    "unknown": BounceKind.HARD,
}

_CODES = {
    "1.0": None,
    "1.1": BounceKind.HARD,  # bad destination mailbox address
    "1.2": BounceKind.HARD,  # bad destination system address
    "1.3": BounceKind.HARD,  # bad destination mailbox address syntax
    "1.4": None,  # ambiguous address
    "1.6": BounceKind.HARD,  # the mailbox has moved, no forwarding address
    "1.7": BounceKind.POLICY,  # bad sender's mailbox address syntax
    "1.8": BounceKind.POLICY,  # bad sender's system address
    "1.9": BounceKind.POLICY,  # relayed to a non-compliant mailer
    "1.10": BounceKind.HARD,  # null MX; Exchange: recipient not found
    "2.0": None,
    "2.1": BounceKind.HARD,  # mailbox disabled, not accepting messages
    "2.2": BounceKind.SOFT,  # mailbox full
    "2.3": BounceKind.POLICY,  # longer than the mailbox's limit
    "2.4": None,  # mailing list expansion problem
    "3.1": BounceKind.SOFT,  # the system is full
    "3.2": BounceKind.SOFT,  # the system accepts no messages
    "3.4": BounceKind.POLICY,  # message too big
    "4.4": BounceKind.HARD,  # unable to route: the domain has no server
    "4.7": BounceKind.SOFT,  # delivery time expired
    "4.310": BounceKind.HARD,  # Exchange Online: the domain does not exist
    "4.300": BounceKind.SOFT,  # Exchange Online: message expired
    "4.312": BounceKind.SOFT,  # Exchange Online: DNS query failed
    "4.316": BounceKind.SOFT,  # Exchange Online: connection refused
}
"""Subject and detail of an enhanced status code (RFC 3463, its registry at IANA, Exchange Online's page on reports)."""

_BY_SUBJECT = {"6": BounceKind.POLICY, "7": BounceKind.POLICY}
"""x.6: the message's content; x.7: security and policy (RFC 3463, 3.7 and 3.8)."""

_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d]|\.\d)")
_REPLY = re.compile(r"(?<![\d.#-])([45]\d\d)(?=[ -]|$)")
_NAMES = re.compile(r"https?://\S+|\S*@\S+|\bhost \S+(?: ?\[[^\]]{0,60}\])?(?::\d+)?(?: said:)?", re.IGNORECASE)
"""Addresses, links and hosts: `<jane@antispam.example>: unknown user` says nothing of spam."""

_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What one recipient's refusal says.

    Attributes:
        kind: What it means for the address.
        status: The enhanced status code that counted, as `5.1.1`; None where none says anything.
    """

    kind: BounceKind
    status: str | None


def judge_refusal(status: str, said: str) -> Refusal:
    """What a refusal for good means.

    Args:
        status: The report's status code, as `5.1.1`; it may be empty, or say nothing (`5.0.0`).
        said: The words of the server that refused: a Diagnostic-Code, or what the report's text says of the recipient.
    """
    words = _BLANKS.sub(" ", _NAMES.sub(" ", said)).casefold()
    code = _code(status, said)
    found = _spoken(words)
    kind = _kind(code, found, words)
    return Refusal(kind, None if code is None or code.endswith(".0.0") else code)


def _kind(code: str | None, spoken: str | None, words: str) -> BounceKind:
    by_words = _SAYS[spoken] if spoken else None
    by_code = _by_code(code)
    if code is not None and code.startswith("4") and spoken != "gone":
        return BounceKind.SOFT
    if by_code is BounceKind.HARD:
        return by_words if by_words in (BounceKind.POLICY, BounceKind.SOFT) else BounceKind.HARD
    return by_code or by_words or _by_reply(words)


def _by_code(code: str | None) -> BounceKind | None:
    if code is None:
        return None
    _, subject, detail = code.split(".")
    return _CODES.get(f"{subject}.{detail}", _BY_SUBJECT.get(subject))


def _by_reply(words: str) -> BounceKind:
    """A reply code alone: 4xx was refused for now, 552 has no room (RFC 5321, 4.2.3); 550 may be anything."""
    found = _REPLY.search(words)
    if found and (found.group(1).startswith("4") or found.group(1) == "552"):
        return BounceKind.SOFT
    return BounceKind.UNKNOWN


def _code(status: str, said: str) -> str | None:
    """The code of the server that refused, where its words have one; else a reply code of 4xx, else the report's own.

    Exim gives up on `450 4.2.0` with a status of 5.0.0.
    """
    enhanced = _ENHANCED.search(said)
    if enhanced and enhanced.group() != "5.0.0":
        return enhanced.group()
    reply = _REPLY.search(said)
    own = _ENHANCED.search(status)
    if reply and reply.group(1).startswith("4"):
        return own.group() if own and own.group().startswith("4") else "4.0.0"
    return own.group() if own else None


def _spoken(words: str) -> str | None:
    return next((name for name, parts in _words().items() if any(part in words for part in parts)), None)


@cache
def _words() -> dict[str, tuple[str, ...]]:
    # opens files of ours: words that the package ships
    text = files("enrichment_assets.domain").joinpath("data/bounce_reasons.toml").read_text(encoding="utf-8")
    return {name: tuple(said["words"]) for name, said in tomllib.loads(text).items()}
