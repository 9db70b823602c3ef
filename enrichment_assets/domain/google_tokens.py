"""Access tokens of Google: how one is asked for with what Google gives out, a service account's file or a user's grant.

developers.google.com/identity/protocols/oauth2/service-account: an assertion, signed RS256, is exchanged at the token
endpoint for a token that lives an hour. A user's grant is the file that Google's own tools write (`authorized_user`).
Google's own library does the same and brings a transport of its own, which would go past the guard of ours (ADR 0063).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.jsontext import json_bytes
from enrichment_assets.domain.provider import RenderedRequest

LIVES = 3600
"""Seconds; an assertion that lives longer is refused."""

_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_FORM = "application/x-www-form-urlencoded"
_NEEDED = {
    "service_account": ("client_email", "private_key"),
    "authorized_user": ("client_id", "client_secret", "refresh_token"),
}


def credentials_of(secret: str) -> Mapping[str, Any] | None:
    """The credentials that a secret is, by the JSON that Google gives out; None: it is an access token itself.

    Raises:
        ConfigurationError: It is JSON, and no credentials of a kind that is known; quotes none of it.
    """
    if not secret.lstrip().startswith("{"):
        return None
    try:
        told = json.loads(secret, strict=False)  # a quoted value in `.env` has the key's line breaks as such
    except ValueError:
        told = {}
    kind = told.get("type") if isinstance(told, dict) else None
    needed = _NEEDED.get(str(kind), ("type of its own",))
    if not isinstance(told, dict) or not all(isinstance(told.get(name), str) and told[name] for name in needed):
        raise ConfigurationError(
            "the Google credentials are no JSON of a service account (`type: service_account`, with `client_email` and "
            "`private_key`) or of a user's grant (`type: authorized_user`)",
            code="google.credentials_invalid",
        )
    return dict(told)


def token_request(credentials: Mapping[str, Any], scope: str, token_url: str, now: datetime) -> RenderedRequest:
    """What asks for an access token.

    Args:
        credentials: From `credentials_of`.
        scope: What the token is for, one of Google's scopes.
        token_url: The token endpoint; it is the assertion's audience too.
        now: The time, with a zone.

    Raises:
        ConfigurationError: The private key is none.
    """
    if credentials["type"] == "service_account":
        form = {"grant_type": _JWT_BEARER, "assertion": assertion(credentials, scope, token_url, now)}
    else:
        names = ("client_id", "client_secret", "refresh_token")
        form = {"grant_type": "refresh_token", **{name: credentials[name] for name in names}}
    return RenderedRequest("POST", token_url, {"content-type": _FORM}, content=urlencode(form).encode())


def assertion(credentials: Mapping[str, Any], scope: str, audience: str, now: datetime) -> str:
    """A service account's signed claim to be itself, as a JWT; raises `ConfigurationError`."""
    began = int(now.timestamp())
    header = {"alg": "RS256", "typ": "JWT", "kid": str(credentials.get("private_key_id") or "")}
    claims = {
        "iss": credentials["client_email"],
        "scope": scope,
        "aud": audience,
        "iat": began,
        "exp": began + LIVES,
    }
    signed = b".".join(_url_safe(json_bytes(part)) for part in (header, claims))
    return b".".join((signed, _url_safe(_signature(credentials["private_key"], signed)))).decode()


def _signature(private_key: str, content: bytes) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(private_key.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigurationError(
            "`private_key` of the Google credentials is no RSA key in PEM: copy it whole",
            code="google.private_key_invalid",
        )
    return key.sign(content, PKCS1v15(), SHA256())


def _url_safe(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
