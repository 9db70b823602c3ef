"""Plain values of suppressions, readable with the pepper only: what a destination's block list needs beside a hash.

AES-SIV (RFC 5297) without a nonce: the same value has the same sealed form, as it has the same hash; nothing random is
needed, and a sealed value that was changed is noticed.
"""

from __future__ import annotations

from enrichment_assets.domain.suppression import Hasher, Identity, Kind


def sealed(identity: Identity, hasher: Hasher) -> bytes:
    """The identity, encrypted and bound to its hash."""
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    text = f"{identity.kind.value}\x1f{identity.value}".encode()
    return AESSIV(hasher.key()).encrypt(text, [hasher.mark])


def opened(box: bytes, hasher: Hasher) -> Identity | None:
    """The identity in a sealed value; None: it was sealed with another pepper, or changed since."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    try:
        kind, _, value = AESSIV(hasher.key()).decrypt(box, [hasher.mark]).decode().partition("\x1f")
        return Identity(Kind(kind), value)
    except (InvalidTag, ValueError):
        return None
