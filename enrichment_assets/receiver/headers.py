"""Which request headers are kept beside a callback's bytes: those that say what the bytes are and who signed them.

What belongs here: the allowlist and its bounds. Credentials (Authorization, cookies, API keys) are never on it; of a
word that a sender says because it signs nothing, the digest is kept.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from enrichment_assets.domain.signatures import SECRET_HEADER, kept_secret

MAX_HEADERS = 32
MAX_VALUE_CHARACTERS = 1024

_KEPT = frozenset(
    {
        b"content-type",
        b"content-encoding",
        b"user-agent",
        b"x-signature",  # ClickUp
        b"x-signature-sha1",  # FullEnrich
        b"x-clay-signature",
        b"x-hub-signature-256",
        b"x-twilio-email-event-webhook-signature",
        b"x-twilio-email-event-webhook-timestamp",
        b"x-request-id",
        b"x-airtable-content-mac",
        b"x-amz-sns-message-type",
        b"x-hubspot-signature-v3",
        b"x-hubspot-request-timestamp",
    }
)
_DIGESTED = SECRET_HEADER.encode()
_KEPT_PREFIX = (b"webhook-", b"svix-")
"""Standard Webhooks: id, timestamp, signature; Svix, who wrote the standard, has a prefix of its own (Resend)."""


def kept_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The headers worth keeping, names in lower case; a header sent twice is joined by `, `.

    Bounded in number and length. Control characters become spaces: Postgres' JSON cannot hold a NUL.
    """
    kept: dict[str, str] = {}
    for name, value in raw:
        if name == _DIGESTED:
            value = kept_secret(value).encode()
        elif name not in _KEPT and not name.startswith(_KEPT_PREFIX):
            continue
        key = name.decode("latin-1")[:128]
        text = value.decode("latin-1")
        if not text.isprintable():
            text = "".join(c if c.isprintable() else " " for c in text)
        if key in kept:
            kept[key] = f"{kept[key]}, {text}"[:MAX_VALUE_CHARACTERS]
        elif len(kept) < MAX_HEADERS:
            kept[key] = text[:MAX_VALUE_CHARACTERS]
    return kept


def as_json(headers: dict[str, str]) -> str:
    """The JSON text that `callback_inbox.headers` takes."""
    return orjson.dumps(headers).decode()
