"""Codes that count once: six digits of an authenticator (TOTP, RFC 6238, by `pyotp`), and recovery codes beside it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets

STEP_SECONDS = 30
_EITHER_SIDE = 1
"""Steps that a clock may be wrong (RFC 6238, 5.2)."""

RECOVERY_CODES = 10
_RECOVERY_BYTES = 10


def new_totp_secret() -> str:
    """160 random bits as base32, as authenticators read them (RFC 4226, 4)."""
    import pyotp

    return pyotp.random_base32(32)


def totp_address(secret: str, login: str) -> str:
    """`otpauth://totp/...`: what a QR code for an authenticator holds."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name="enrich")


def step_of(secret: str, code: str, at: float) -> int | None:
    """The time step that a code is of; None: of none near `at` (Unix time). The caller lets each count once."""
    import pyotp

    digits = "".join(code.split())
    if not (digits.isascii() and digits.isdigit()):
        return None
    totp, now = pyotp.TOTP(secret), int(at) // STEP_SECONDS
    found = None
    for step in range(max(now - _EITHER_SIDE, 0), now + _EITHER_SIDE + 1):
        if hmac.compare_digest(totp.generate_otp(step), digits):
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Ten codes of 80 random bits, as `abcd-efgh-ijkl-mnop`."""
    return [_grouped(secrets.token_bytes(_RECOVERY_BYTES)) for _ in range(RECOVERY_CODES)]


def recovery_hash(code: str) -> bytes:
    """What is kept of a recovery code, however it is typed: nobody guesses 80 bits, so a plain hash is enough."""
    plain = "".join(character for character in code.lower() if character.isalnum())
    return hashlib.sha256(plain.encode()).digest()


def _grouped(raw: bytes) -> str:
    text = base64.b32encode(raw).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))
