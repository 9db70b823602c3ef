"""Plain values of suppressions, readable with the pepper only: what a destination's block list needs beside a hash.

AES-SIV (RFC 5297) without a nonce: the same value has the same sealed form, as it has the same hash; nothing random is
needed, and a sealed value that was changed is noticed.
"""

from __future__ import annotations

from enrichment_assets.domain.suppression import Hasher, Identity, Kind


def sealed(identity: Identity, hasher: Hasher) -> bytes:
    """The identity, encrypted and bound to its hash."""
    return sealed_text(f"{identity.kind.value}\x1f{identity.value}", hasher)


def opened(box: bytes, hasher: Hasher) -> Identity | None:
    """The identity in a sealed value; None: it was sealed with another pepper, or changed since."""
    kind, _, value = (opened_text(box, hasher) or "").partition("\x1f")
    try:
        return Identity(Kind(kind), value)
    except ValueError:
        return None


def sealed_text(text: str, hasher: Hasher) -> bytes:
    """A text, readable with the pepper only."""
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    return AESSIV(hasher.key()).encrypt(text.encode(), [hasher.mark])


def opened_text(box: bytes, hasher: Hasher) -> str | None:
    """What `sealed_text` sealed; None: with another pepper, or it was changed since."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    try:
        return AESSIV(hasher.key()).decrypt(box, [hasher.mark]).decode()
    except (InvalidTag, ValueError):
        return None
