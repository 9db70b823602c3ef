"""Whether a stored callback was signed by who it says: pure functions over the stored bytes and stored headers.

Our own messages are signed here too, by the same lines (`standard_webhooks_signature`).

What belongs here: the signature schemes of providers, each a few lines of `hmac`. Verification happens when a callback
is taken up, never in the request, so that a secret rotated too late can be mended and the callback replayed. Input is
hostile by definition: whatever goes wrong while verifying means `False`, no exception leaves this module.

The package `standardwebhooks` compares a timestamp with the time of now, and takes bodies that are text: a callback
that is replayed, or came compressed, would be refused. So it is what ours is tested against, not what verifies.

Sources: Standard Webhooks 1.0.0 (id.timestamp.body, HMAC-SHA256, base64, several signatures while a secret is rotated);
FullEnrich (`X-Signature-SHA1`, HMAC-SHA1 keyed by the API key); Clay (`X-Clay-Signature: sha256=<hex>` over the body).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

TOLERANCE_SECONDS = 300.0
"""How far a signed timestamp may be from the time we received it (Standard Webhooks suggests 5 minutes)."""

SECRET_HEADER = "x-enrich-secret"  # noqa: S105 - the name of a header
"""Where a sender that signs nothing says a word that only two know; what is kept of it is `kept_secret`."""

_MAX_SIGNATURES = 16


class SignatureScheme(StrEnum):
    """The schemes a workflow can name."""

    STANDARD_WEBHOOKS = "standard_webhooks"
    FULLENRICH = "fullenrich"
    CLAY = "clay"


def is_authentic(
    scheme: SignatureScheme, secret: str, headers: Mapping[str, str], body: bytes, received_at: datetime
) -> bool:
    """True when `headers` (lower-case names) carry a valid signature of `body` by `secret`.

    `received_at` is when the receiver stored the callback, so that a later replay verifies like the first time. An
    empty secret verifies nothing.
    """
    try:
        return bool(secret) and _SCHEMES[SignatureScheme(scheme)](secret, headers, body, received_at.timestamp())
    except Exception:
        return False


def kept_secret(said: bytes) -> str:
    """What is kept of a said word: its SHA-256 (hex), so that a stored message says no secret."""
    return hashlib.sha256(said).hexdigest()


def says_secret(secret: str, headers: Mapping[str, str]) -> bool:
    """True when the kept headers of a message say the word; an empty one is said by nobody."""
    return bool(secret) and hmac.compare_digest(
        headers.get(SECRET_HEADER, "").encode(), kept_secret(secret.encode()).encode()
    )


def _standard_webhooks(secret: str, headers: Mapping[str, str], body: bytes, received: float) -> bool:
    """`webhook-signature: v1,<base64> v1,<base64>`; the secret is base64, usually behind `whsec_`, padded or not."""
    timestamp = headers["webhook-timestamp"]
    if not (timestamp.isascii() and timestamp.isdigit()) or not math.isfinite(received):
        return False
    if abs(int(timestamp) - received) > TOLERANCE_SECONDS:
        return False
    expected = _standard_webhooks_digest(secret, headers["webhook-id"], timestamp, body)
    offered = headers["webhook-signature"].split()[:_MAX_SIGNATURES]
    return any(
        hmac.compare_digest(base64.b64decode(value, validate=True), expected)
        for version, _, value in (part.partition(",") for part in offered)
        if version == "v1" and _is_base64(value)
    )


def standard_webhooks_key(secret: str) -> bytes:
    """The bytes of a secret: base64, usually behind `whsec_`, padded or not. Raises `ValueError` where it is none."""
    text = secret.removeprefix("whsec_").rstrip("=")
    key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    if not key:
        raise ValueError("an empty secret signs nothing")
    return key


def standard_webhooks_signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """`v1,<base64>` of a message of ours. Raises `ValueError` for what is no secret."""
    return "v1," + base64.b64encode(_standard_webhooks_digest(secret, message_id, timestamp, body)).decode()


def _standard_webhooks_digest(secret: str, message_id: str, timestamp: str, body: bytes) -> bytes:
    return hmac.digest(standard_webhooks_key(secret), f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)


def _fullenrich(secret: str, headers: Mapping[str, str], body: bytes, received: float) -> bool:
    return _hex_matches(headers["x-signature-sha1"], hmac.digest(secret.encode(), body, hashlib.sha1))


def _clay(secret: str, headers: Mapping[str, str], body: bytes, received: float) -> bool:
    algorithm, _, value = headers["x-clay-signature"].strip().partition("=")
    return algorithm == "sha256" and _hex_matches(value, hmac.digest(secret.encode(), body, hashlib.sha256))


def _hex_matches(offered: str, expected: bytes) -> bool:
    return hmac.compare_digest(offered.strip().lower().encode(), expected.hex().encode())


def _is_base64(value: str) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except ValueError:
        return False
    return True


_SCHEMES: dict[SignatureScheme, Callable[[str, Mapping[str, str], bytes, float], bool]] = {
    SignatureScheme.STANDARD_WEBHOOKS: _standard_webhooks,
    SignatureScheme.FULLENRICH: _fullenrich,
    SignatureScheme.CLAY: _clay,
}
