"""One POST of JSON to a channel: no redirects, no proxies, no cookies; bounded in time and size; no address in words.

Told apart: nothing left (`LATER`), an answer, and a request that left without one (`UNSURE`).
"""

from __future__ import annotations

import json
import logging
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from enrichment_assets.domain.alerts.notices import Fate, Said
from enrichment_assets.domain.errors import ConfigurationError

CONNECT_SECONDS = 5.0
WHOLE_SECONDS = 20.0
"""From the first byte out to the last one in, however slowly they come."""

LARGEST_ANSWER = 64 * 1024
LONGEST_QUOTE = 200
_TOO_MANY = 429
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # at INFO it logs whole addresses


@dataclass(frozen=True, slots=True)
class Target:
    """Where a message goes; printed nowhere, for the whole address is a secret."""

    url: str

    def __repr__(self) -> str:
        return "Target(...)"

    @classmethod
    def of(cls, url: str, variable: str) -> Target:
        """An address from a variable: https, or http to this machine.

        Raises:
            ConfigurationError: It is no such address; names the variable only.
        """
        parts = urlsplit(url.strip())
        is_ours = parts.scheme == "http" and parts.hostname in _LOOPBACK
        if not parts.hostname or not (parts.scheme == "https" or is_ours):
            raise ConfigurationError(
                f"{variable} holds no address of a channel: one begins with https://", code="alert.address"
            )
        return cls(url.strip())

    def simulated(self, sandbox_url: str, channel: str) -> Target:
        """The place in the simulator that stands for it: the same path."""
        parts = urlsplit(self.url)
        query = f"?{parts.query}" if parts.query else ""
        return Target(f"{sandbox_url.rstrip('/')}/{channel}{parts.path}{query}")

    def with_query(self, name: str, value: str) -> Target:
        """The address with one more parameter."""
        joint = "&" if urlsplit(self.url).query else "?"
        return Target(f"{self.url}{joint}{name}={quote(value)}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a channel answered: status, headers, and the beginning of the body."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> dict[str, Any]:
        """The body as an object; empty where it is none."""
        try:
            value = json.loads(self.text)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def retry_after(self) -> float | None:
        """Seconds of the header, where it says seconds."""
        text = self.headers.get("retry-after", "")
        return float(text) if text.replace(".", "", 1).isdigit() else None


def post(target: Target, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer | Said:
    """Send a message; an answer, or what became of it without one."""
    limits = httpx.Timeout(WHOLE_SECONDS, connect=CONNECT_SECONDS)
    tls = ssl.create_default_context()
    until = time.monotonic() + WHOLE_SECONDS
    try:
        with (
            httpx.Client(timeout=limits, follow_redirects=False, trust_env=False, verify=tls) as client,
            client.stream("POST", target.url, json=dict(body), headers=dict(headers or {})) as response,
        ):
            read = b""
            for piece in response.iter_raw():
                read += piece
                if len(read) > LARGEST_ANSWER or time.monotonic() > until:
                    break
            return Answer(
                response.status_code, dict(response.headers), read[:LARGEST_ANSWER].decode("utf-8", "replace")
            )
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        return Said(Fate.LATER, f"it cannot be reached ({type(error).__name__})")
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError):
        return Said(Fate.REFUSED, "its address cannot be used")
    except httpx.HTTPError as error:
        return Said(Fate.UNSURE, f"it gave no answer ({type(error).__name__})")


def by_status(answer: Answer, told: str = "", retry_after: float | None = None) -> Said:
    """What a status means where a channel says nothing else: 2xx sent; 408, 425, 429 and 5xx later; all else never.

    Args:
        answer: What came.
        told: The channel's own words; default: the beginning of the body.
        retry_after: Seconds that the body asks for; default: the header's.
    """
    text = f"{answer.status}: {told or ' '.join(answer.text.split())}"[:LONGEST_QUOTE].rstrip(": ")
    if answer.status // 100 == 2:
        return Said(Fate.SENT, text)
    if answer.status // 100 == 3:
        return Said(Fate.REFUSED, f"{answer.status}: it leads elsewhere, and redirects are not followed")
    if answer.status in (408, 425, _TOO_MANY) or answer.status >= 500:
        return Said(Fate.LATER, text, retry_after or answer.retry_after)
    return Said(Fate.REFUSED, text)
