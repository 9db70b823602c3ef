"""Mailboxes of an office: `info@acme.com` is read by whoever is there, and names no person."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path

_LIST = Path(__file__).resolve().parent / "data" / "role_mailboxes.txt"
_SEPARATORS = re.compile(r"[._\-]+")
_NUMBER = re.compile(r"\d+$")


@lru_cache(maxsize=65_536)
def is_role_mailbox(address: str) -> bool:
    """Whether an address is an office's: `info@`, `no-reply@`, `sales.uk@`, `info2@`.

    The whole local part is compared, and its first word, so that `info.berlin@` counts. `maria.sales@` does not, for
    that is a person's name; `sales.maria@` does, and a person is met by that address no more than by a switchboard.
    """
    local = address.rpartition("@")[0].partition("+")[0].lower()
    words = [_NUMBER.sub("", word) for word in _SEPARATORS.split(local)]
    known = _known()
    return not any(words) or "".join(words) in known or (words[0] in known and len(words) > 1)


# opens files of ours: the package's own list
@cache
def _known() -> frozenset[str]:
    lines = _LIST.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))
