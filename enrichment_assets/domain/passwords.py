"""Passwords: which are taken, and how they are kept.

Argon2id by `pwdlib`, with 19 MiB, two passes and one lane (OWASP's Password Storage Cheat Sheet): 30 ms each, and a
flood of guesses fills no memory. Length is what counts (NIST SP 800-63B-4, 3.1.1.2): no rules about kinds of
characters, and the text is normalised by NFKC, so that it can be typed on any keyboard.
"""

from __future__ import annotations

import threading
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from enrichment_assets.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from pwdlib import PasswordHash

SHORTEST, LONGEST = 12, 256
_FEWEST_CHARACTERS = 5
"""Different ones."""

_few_at_once = threading.BoundedSemaphore(4)
"""Of a process: each one takes 19 MiB and a core."""


def check_password(password: str, login: str) -> None:
    """Raise `ConfigurationError` for a password that is too short, too long, one character, or the login."""
    text = _normal(password)
    if not SHORTEST <= len(text) <= LONGEST:
        raise ConfigurationError(
            f"a password has {SHORTEST} to {LONGEST} characters, this one has {len(text)}", code="password.length"
        )
    if len(set(text)) < _FEWEST_CHARACTERS or text.casefold().replace(login.casefold(), "").strip() == "":
        raise ConfigurationError(
            "that password is guessed at once: take several words that are not your login", code="password.guessed"
        )


def hashed_password(password: str) -> str:
    """What is kept of a password: its salt and its parameters are part of the text."""
    return _hasher().hash(_normal(password))


def is_password(password: str, kept: str | None) -> tuple[bool, str | None]:
    """Whether it is the one that was kept, and how it is kept from now on where that has changed; else None.

    Where nothing is kept (`None`) the same work is done for nothing, so that the time does not tell who exists.
    """
    text = _normal(password)[: LONGEST + 1]
    with _few_at_once:
        found, better = _hasher().verify_and_update(text, kept or _nobodys())
    return (found, better) if kept is not None and len(text) <= LONGEST else (False, None)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


@cache
def _hasher() -> PasswordHash:
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    return PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19 * 1024, parallelism=1),))


@cache
def _nobodys() -> str:
    return _hasher().hash("the password of nobody")
