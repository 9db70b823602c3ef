"""Whose an address is by its local part: a person's, a shared mailbox of the company, or one not to be written to.

And whether it can be of a person of a given name (`jdoe` of Jane Doe): by the usual patterns of companies.
"""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files

from enrichment_assets.domain.name_words import fold
from enrichment_assets.domain.role_mailboxes import is_role_mailbox

_BETWEEN = re.compile(r"[._-]+")
_LETTERS = re.compile(r"[^a-z]+")


class Mailbox(StrEnum):
    """Whose mailbox an address is."""

    PERSONAL = "personal"
    SHARED = "shared"
    NEVER = "never"


def mailbox_of(address: str) -> Mailbox:
    """Whose mailbox an address is, by its local part: `info@` is shared, `privacy@` is for something else.

    Example: `info.boston@acme.com` is shared, `privacy-office@acme.com` is never one to write to.
    """
    if not is_role_mailbox(address):
        return Mailbox.PERSONAL
    words = [
        word.rstrip("0123456789") for word in _BETWEEN.split(address.partition("@")[0].partition("+")[0].casefold())
    ]
    never = _never()
    return Mailbox.NEVER if not any(words) or "".join(words) in never or words[0] in never else Mailbox.SHARED


def can_be_of(address: str, first: str | None, last: str | None) -> bool:
    """Whether a local part is made of this name by a usual pattern.

    `jane.doe`, `janedoe`, `doe.jane`, `jdoe`, `j.doe`, `janed`, `doej`, `jane`, `doe`; accents and hyphens aside.
    """
    given, family = _plain(first), _plain(last)
    if not given or not family:
        return False
    local = _plain(address.partition("@")[0])
    return local in {
        given + family, family + given, given[0] + family, family + given[0], given + family[0], given, family,
    }  # fmt: skip


def _plain(text: str | None) -> str:
    return _LETTERS.sub("", fold(text or "").casefold())


# opens files of ours: the package's own lists
@lru_cache(maxsize=1)
def _never() -> frozenset[str]:
    text = files("enrichment_assets.domain").joinpath("data/mailboxes.toml").read_text(encoding="utf-8")
    return frozenset(tomllib.loads(text)["never"].split())
