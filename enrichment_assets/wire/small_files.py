"""Fetching something small from an address that code has checked: a certificate, a confirmation.

No redirect is followed and no proxy of the environment used; the size is bounded, and so is the time.
"""

from __future__ import annotations

import httpx

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.wire.failures import trusted_authorities

SECONDS = 10.0


def fetch(url: str, most: int) -> bytes:
    """The bytes at an address, at most so many. Raises `InfrastructureError`, whose text has no address in it."""
    try:
        with (
            httpx.Client(verify=trusted_authorities(), trust_env=False, timeout=SECONDS) as client,
            client.stream("GET", url) as answer,
        ):
            found = b""
            for piece in answer.iter_bytes():
                found += piece
                if len(found) > most:
                    raise InfrastructureError(f"an answer has more than {most} bytes", code="fetch.too_large")
    except httpx.HTTPError as error:
        raise InfrastructureError(f"it could not be fetched ({type(error).__name__})", code="fetch.failed") from None
    if answer.status_code != 200:
        raise InfrastructureError(f"it was answered {answer.status_code}", code="fetch.refused")
    return found
