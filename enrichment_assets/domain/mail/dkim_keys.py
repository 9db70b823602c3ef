"""The public key of a DKIM selector: whether receivers can use it, and how long it is (RFC 6376, 3.6.1; RFC 8301)."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from enrichment_assets.domain.mail.dns_names import Names, RecordType

LEAST_BITS, USUAL_BITS = 1024, 2048
"""Shorter keys count for nobody (RFC 8301, 3.2); 2048 bits are what Google asks for."""


class DkimError(ValueError):
    """What receivers take for no key. `kind` is the finding's: `revoked`, `multiple`, `unreadable`, `not_for_mail`."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A key. `testing`: receivers are asked to treat signed mail like unsigned (`t=y`)."""

    selector: str
    algorithm: str
    bits: int
    testing: bool
    strict: bool
    """The signer's identity (`i=`) has to be at this very domain (`t=s`)."""


def find_key(domain: str, selector: str, names: Names) -> DkimKey | None:
    """The key of a selector; None: there is no such record. Raises `DkimError` and `LookupFailedError`."""
    found = names.ask(f"{selector}._domainkey.{domain}", RecordType.TXT).values
    if not found:
        return None
    if len(found) > 1:
        raise DkimError("multiple", f"{selector}._domainkey has {len(found)} records: which one counts is not defined")
    return read_key(found[0], selector)


def read_key(text: str, selector: str) -> DkimKey:
    """A selector's record. Raises `DkimError`."""
    pairs = [(name.strip(), value.strip()) for name, _, value in (part.partition("=") for part in text.split(";"))]
    tags = {name: value for name, value in pairs if name}
    where = f"{selector}._domainkey"
    if "p" not in tags or tags.get("v", "DKIM1") != "DKIM1" or ("v" in tags and pairs[0][0] != "v"):
        raise DkimError("unreadable", f"{where} is no key: it has no p=, or does not begin with v=DKIM1")
    encoded = re.sub(r"\s+", "", tags["p"])
    if not encoded:
        raise DkimError("revoked", f"{where} was revoked: its p= is empty")
    if "*" not in (services := _list(tags.get("s", "*"))) and "email" not in services:
        raise DkimError("not_for_mail", f"{where} is not for mail: s={tags['s']}")
    if "h" in tags and "sha256" not in _list(tags["h"]):
        raise DkimError("not_for_mail", f"{where} allows {tags['h']} only, and receivers take sha256 (RFC 8301, 3.1)")
    algorithm, flags = tags.get("k", "rsa").lower(), _list(tags.get("t", ""))
    return DkimKey(selector, algorithm, _bits(encoded, algorithm, where), "y" in flags, "s" in flags)


def _list(text: str) -> list[str]:
    return [part.strip().lower() for part in text.split(":")]


def _bits(encoded: str, algorithm: str, where: str) -> int:
    try:
        raw = base64.b64decode(encoded, validate=True)
        if algorithm == "ed25519":
            if len(raw) != 32:
                raise ValueError
            return 256
        return _rsa_bits(raw)
    except ValueError:
        raise DkimError(
            "unreadable", f"the key of {where} cannot be read: it was cut, or copied with a fault"
        ) from None


def _rsa_bits(raw: bytes) -> int:
    """Bits of an RSA key, as SubjectPublicKeyInfo or, as some publish it, RSAPublicKey. Raises `ValueError`."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(raw)
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from None
    if not isinstance(key, RSAPublicKey):
        raise ValueError("no RSA key")
    return key.key_size
