"""Whether an event of a sending service was signed by it: pure functions over the bytes and headers as they came.

Input is hostile: whatever goes wrong while verifying means False. Sources: SendGrid's own client (`sendgrid.helpers.
eventwebhook`: ECDSA over timestamp and bytes), Mailgun's page on securing webhooks, AWS's page on verifying messages of
SNS. Resend signs by Standard Webhooks (`domain/signatures.py`); Postmark signs nothing.

Times are not compared with the clock: these services try for hours, and do not say whether they sign anew. What is
taken twice changes nothing, since events have keys.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

_OF_SNS = re.compile(r"sns\.[a-z0-9-]{4,30}\.amazonaws\.com(?:\.cn)?")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
"""What SNS signs of each type of message, in this order."""


def is_sendgrids(public_key: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a body was signed by SendGrid; `public_key` as its page shows it (base64 of DER)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    try:
        key = load_der_public_key(base64.b64decode(public_key.strip()))
        signature = base64.b64decode(headers["x-twilio-email-event-webhook-signature"], validate=True)
        stamp = headers["x-twilio-email-event-webhook-timestamp"].encode()
        if not isinstance(key, EllipticCurvePublicKey):
            return False
        key.verify(signature, stamp + body, ECDSA(SHA256()))
    except (KeyError, ValueError, InvalidSignature):
        return False
    return True


def is_mailguns(signing_key: str, signature: Any) -> bool:
    """Whether a message's `signature` is Mailgun's. It is of timestamp and token alone: a token counts once."""
    if not isinstance(signature, Mapping) or not signing_key:
        return False
    said, token, stamp = (signature.get(name) for name in ("signature", "token", "timestamp"))
    if not (isinstance(said, str) and isinstance(token, str) and isinstance(stamp, str | int)) or not token:
        return False
    expected = hmac.new(signing_key.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), said.strip().lower().encode())


def is_of_sns(url: Any) -> bool:
    """Whether an address is one of SNS: the only ones at which its certificate and its confirmation are fetched."""
    if not isinstance(url, str) or not url.isascii() or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
        plain = parts.port in (None, 443) and parts.username is None and parts.password is None
    except ValueError:
        return False
    return plain and parts.scheme == "https" and _OF_SNS.fullmatch(parts.hostname or "") is not None


def is_certificate_of_sns(url: Any) -> bool:
    """Whether an address is that of a certificate by which SNS signs."""
    return is_of_sns(url) and urlsplit(url).path.endswith(".pem")


def is_signed_by_sns(message: Mapping[str, Any], certificate: bytes) -> bool:
    """Whether a message of SNS was signed by a certificate (PEM), which was fetched from where SNS has them."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256
    from cryptography.x509 import load_pem_x509_certificate

    names = _SIGNED.get(str(message.get("Type")))
    algorithm = {"1": SHA1(), "2": SHA256()}.get(str(message.get("SignatureVersion")))  # noqa: S303 - SNS's version 1
    if names is None or algorithm is None:
        return False
    text = "".join(f"{name}\n{message[name]}\n" for name in names if message.get(name) is not None)
    try:
        key = load_pem_x509_certificate(certificate).public_key()
        if not isinstance(key, RSAPublicKey):
            return False
        key.verify(base64.b64decode(str(message.get("Signature")), validate=True), text.encode(), PKCS1v15(), algorithm)
    except (ValueError, InvalidSignature):
        return False
    return True
