"""The session secret of an installation: what sessions are signed, authenticators sealed and guessers hashed with.

It is `ENRICH_SESSION_SECRET`, the same on every machine, else the file `session-secret` of the home. With another one
all sessions end, and authenticators have to be set up again; passwords, roles and API keys do not depend on it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any

from itsdangerous import BadData, URLSafeTimedSerializer

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.home import kept_secret
from enrichment_assets.settings import Settings

FILE = "session-secret"
SESSION_HOURS = 12
PROGRAM_SECONDS = 60
"""How long what a program of this installation signs for itself counts."""
DEVICE_DAYS = 180
_SHORTEST = 32


@dataclass(frozen=True, slots=True)
class Signed:
    """What a session's text says: of whom, and which of the user's sessions."""

    user_id: int
    sessions: int


@dataclass(frozen=True, slots=True)
class Signing:
    """The keys that are made of the secret, one for each purpose."""

    secret: str = field(repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Signing:
        """That of an installation. Raises `ConfigurationError` for a secret that is too short to be one."""
        secret = settings.session_secret or kept_secret(settings.home, FILE)
        if len(secret) < _SHORTEST:
            raise ConfigurationError(
                f"ENRICH_SESSION_SECRET has {len(secret)} characters: take at least {_SHORTEST} random ones",
                code="setting.secret_short",
            )
        return cls(secret)

    def session(self, signed: Signed) -> str:
        """A session as text, for a cookie."""
        return self._serializer("session").dumps([signed.user_id, signed.sessions, secrets.token_hex(8)])

    def read_session(self, text: str) -> Signed | None:
        """The session of a text; None: it was not signed here, was changed, or is older than 12 hours."""
        found = self._read("session", text, SESSION_HOURS * 3600)
        return Signed(*found[:2]) if found else None

    def program(self) -> str:
        """What a program of this installation shows another one, where no person is: who can read the secret may."""
        return self._serializer("program").dumps([secrets.token_hex(8)])

    def is_program(self, text: str) -> bool:
        """Whether that was signed here, within the last minute."""
        return self._read("program", text, PROGRAM_SECONDS) is not None

    def seal_text(self, purpose: str, said: list[Any]) -> str:
        """Something that is handed to somebody, and has to come back as it was said."""
        return self._serializer(purpose).dumps(said)

    def unseal_text(self, purpose: str, text: str, seconds: int) -> list[Any] | None:
        """What was said; None: it was not signed here for that, was changed, or is older."""
        return self._read(purpose, text, seconds)

    def device(self, user_id: int) -> str:
        """What a browser keeps once somebody has logged in with it: strangers' guesses do not keep it out."""
        return self._serializer("device").dumps([user_id, secrets.token_hex(16)])

    def read_device(self, text: str) -> tuple[int, str] | None:
        """(number of the user, name of the device) of such a text."""
        found = self._read("device", text, DEVICE_DAYS * 86_400)
        return (found[0], found[1]) if found else None

    def mark(self, *parts: str) -> bytes:
        """A keyed hash: of whom guesses are counted, without keeping who it is."""
        return hmac.digest(self._key("guesses"), "\x1f".join(parts).encode(), hashlib.sha256)[:16]

    def sealed(self, text: str, of: str) -> bytes:
        """A secret encrypted, bound to whose it is (AES-SIV, RFC 5297)."""
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        return AESSIV(self._key("seal")).encrypt(text.encode(), [of.encode()])

    def opened(self, box: bytes, of: str) -> str | None:
        """The secret; None: it was sealed with another session secret, or for somebody else."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESSIV

        try:
            return AESSIV(self._key("seal")).decrypt(box, [of.encode()]).decode()
        except InvalidTag:
            return None

    def _key(self, purpose: str) -> bytes:
        return hmac.digest(self.secret.encode(), purpose.encode(), hashlib.sha512)

    def _serializer(self, purpose: str) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(
            self._key(purpose), salt=f"enrich {purpose}", signer_kwargs={"digest_method": hashlib.sha256}
        )

    def _read(self, purpose: str, text: str, seconds: int) -> list[Any] | None:
        try:
            found: list[Any] = self._serializer(purpose).loads(text, max_age=seconds)
        except BadData:
            return None
        return found
