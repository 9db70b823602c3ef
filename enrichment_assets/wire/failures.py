"""What a connection failed by, in words that can be kept: no message of an HTTP library, which may quote a URL.

Also the authorities whose certificates are trusted, which all our connections share.
"""

from __future__ import annotations

import os
import ssl
from functools import lru_cache

import httpx


def kind_of(error: BaseException) -> str:
    """A failure for people, by type alone: messages of HTTP libraries quote URLs, and URLs can hold keys."""
    name = type(error).__name__
    return {
        "TimeoutError": "time-out",
        "CancelledError": "time-out",
        "SocketTimeoutError": "time-out",
        "ConnectionTimeoutError": "time-out while connecting",
        "ServerTimeoutError": "time-out",
        "ClientConnectorError": "the connection was refused or could not be made",
        "ClientConnectorDNSError": "the host's name could not be resolved",
        "ClientConnectorCertificateError": "the host's certificate is not trusted",
        "ServerDisconnectedError": "the connection was closed without an answer",
        "ClientOSError": "the connection was reset",
        "ClientPayloadError": "the answer broke off",
        "HttpProcessingError": "what came is no HTTP",
        "NothingLeft": "the connection was closed before the request left",
    }.get(name, name)


def trusted_authorities() -> ssl.SSLContext:
    """The authorities that httpx trusts under `SSL_CERT_FILE` and `SSL_CERT_DIR`."""
    return _trusted(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=4)
def _trusted(file: str | None, folder: str | None) -> ssl.SSLContext:
    """The authorities that httpx trusts under these variables of the environment, read once: that takes 40 ms."""
    return httpx.create_ssl_context()
