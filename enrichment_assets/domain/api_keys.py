"""API keys: how one looks, and what is kept of it.

`enrich_<12 letters and digits>_<43 characters>`: the middle part finds the row and may be shown, the last is 256 random
bits and is kept as its SHA-256 only. A plain hash is enough where nothing can be guessed: a slow one is for passwords
that people choose, and would cost each request what it costs a guesser; with a keyed one, a lost pepper would end all
keys. The first word is what scanners for leaked secrets look for.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

_KEY = re.compile(r"enrich_([a-z2-7]{12})_([A-Za-z0-9_-]{43})")
_PREFIX_BYTES, _SECRET_BYTES = 8, 32


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key in its two parts. `text` is the whole, which is shown once."""

    prefix: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """As it is sent: `Authorization: Bearer <text>`."""
        return f"enrich_{self.prefix}_{self.secret}"

    @property
    def secret_hash(self) -> bytes:
        """What is kept of the secret."""
        return hashlib.sha256(self.secret.encode()).digest()

    def matches(self, secret_hash: bytes) -> bool:
        """Whether this is the secret of a hash, in time that does not tell how much of it is."""
        return hmac.compare_digest(self.secret_hash, secret_hash)


def new_key() -> ApiKey:
    """A key that nobody had before."""
    prefix = base64.b32encode(secrets.token_bytes(_PREFIX_BYTES)).decode().lower()[:12]
    return ApiKey(prefix, secrets.token_urlsafe(_SECRET_BYTES))


def read_key(text: str) -> ApiKey | None:
    """The key in a header's value; None: it is none."""
    found = _KEY.fullmatch(text)
    return None if found is None else ApiKey(found[1], found[2])
