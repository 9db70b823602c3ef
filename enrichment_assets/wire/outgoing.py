"""Sending to an address that a client gave, and only there: public, of the right kind, and with nothing followed.

Where a message goes is somebody else's to say, so it could be said to go to what only we can reach: this machine, our
networks, a cloud's metadata. An address is looked at when it is given (`Reach.check`), for a sentence that helps; and
the very IP address of each connection when it is made (`wire.guarded`), which is what holds. No redirect is followed,
no proxy of the environment used, no credential taken out of a URL; the answer's status counts, and its body is read
only as far as the connection can be used again for it. All of an exchange is bounded in time.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.public_addresses import Network, address_in, is_local_name, is_public, networks
from enrichment_assets.settings import Settings
from enrichment_assets.wire.failures import kind_of, trusted_authorities
from enrichment_assets.wire.guarded import Rule, guarding, is_refused

TIMEOUT = 15.0
"""Seconds for an exchange, from the connection to the answer's head (Standard Webhooks: 15 to 30)."""

CONNECT_TIMEOUT = 5.0
LONGEST_URL = 2_000
_MOST_OF_A_BODY = 16_384
_BODY_SECONDS = 1.0
_PORTS = {"https": frozenset({443, 8443}), "http": frozenset({80, 8080})}
_DEFAULT_PORT = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Reach:
    """Where messages may go besides the public Internet.

    Attributes:
        networks: That may be reached although they are not public, at any port.
        ports: Besides the usual ones.
        http: Whether `http://` is allowed.
        simulator: Address and port of the simulator, where one is in use.
    """

    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset()
    http: bool = False
    simulator: tuple[str, int] | None = None

    @classmethod
    def of(cls, settings: Settings) -> Reach:
        """As the settings say; raises `ConfigurationError` where they are none."""
        try:
            allowed = networks(settings.webhook_networks)
            ports = frozenset(int(text) for text in settings.webhook_ports)
        except ValueError as error:
            raise ConfigurationError(
                f"ENRICH_WEBHOOK_NETWORKS or ENRICH_WEBHOOK_PORTS cannot be read: {error}", code="webhook.setting"
            ) from None
        return cls(allowed, ports, settings.webhook_http, _simulator(settings.sandbox_url))

    def check(self, url: str) -> None:
        """Raise `ConfigurationError` for an address that no message may go to; repeats no more of it than its host."""
        parts = _parts(url)
        host = parts.hostname or ""
        port = parts.port or _DEFAULT_PORT[parts.scheme]
        if self.simulator == (host, port):
            return
        if parts.scheme == "http" and not self.http:
            raise _refused("it has to begin with https:// (or set ENRICH_WEBHOOK_HTTP)")
        address = address_in(host)
        if address is not None and not self._has(address):
            if not is_public(address):
                raise _refused(f"{host} is not on the public Internet (or list it in ENRICH_WEBHOOK_NETWORKS)")
        elif address is None and is_local_name(host) and not self.networks:
            raise _refused(f"{host} is a name of a machine or a network (or list that in ENRICH_WEBHOOK_NETWORKS)")
        if address is None or not self._has(address):
            self._check_port(port)

    def permits(self, address: str, port: int) -> bool:
        """Whether a connection may be made to an IP address and port."""
        if self.simulator == (address, port):
            return True
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return self._has(ip) or (is_public(ip) and port in self._all_ports())

    def _has(self, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        return any(address in network for network in self.networks)

    def _all_ports(self) -> frozenset[int]:
        return _PORTS["https"] | self.ports | (_PORTS["http"] if self.http else frozenset())

    def _check_port(self, port: int) -> None:
        if port not in self._all_ports() and not self.networks:
            known = ", ".join(map(str, sorted(self._all_ports())))
            raise _refused(f"port {port} is none of {known} (or list it in ENRICH_WEBHOOK_PORTS)")


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one attempt.

    Attributes:
        status: Of the answer; None: there was none.
        error: Why it did not arrive; None: it did.
        retry_after: Seconds that the receiver asks to be left alone.
    """

    status: int | None
    error: str | None = None
    retry_after: float | None = None

    @property
    def arrived(self) -> bool:
        """Whether the receiver has taken it."""
        return self.error is None


def open_session(reach: Reach, resolver: AbstractResolver | None = None) -> aiohttp.ClientSession:
    """The session of one round of sending; `async with` closes it. `resolver`: who resolves names, for tests."""
    connector = aiohttp.TCPConnector(ssl=trusted_authorities(), **guarding(Rule(reach.permits), resolver))
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
        auto_decompress=False,
        trust_env=False,
    )


async def post(
    session: aiohttp.ClientSession,
    reach: Reach,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    timeout: float = TIMEOUT,  # noqa: ASYNC109
) -> Sent:
    """Send one message once. Whatever goes wrong is in what is returned; no sentence there quotes the URL."""
    try:
        reach.check(url)
        async with asyncio.timeout(timeout):
            response = await session.post(URL(url), data=body, headers=dict(headers), allow_redirects=False)
    except ConfigurationError as error:
        return Sent(None, str(error))
    except Exception as error:
        if is_refused(error):
            return Sent(None, "its address is not on the public Internet, or its port is not allowed")
        return Sent(None, kind_of(error))
    await _read_away(response)
    return _judged(response.status, response.headers.get("retry-after", ""))


async def _read_away(response: aiohttp.ClientResponse) -> None:
    """Let the connection be used again where the body is short and there; else cut it."""
    left = _MOST_OF_A_BODY
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while left > 0 and (chunk := await response.content.readany()):
                left -= len(chunk)
    except Exception:
        left = 0
    if left <= 0:
        response.close()
    else:
        response.release()


def _judged(status: int, retry_after: str) -> Sent:
    if 200 <= status < 300:
        return Sent(status)
    if 300 <= status < 400:
        return Sent(status, f"HTTP {status}: redirects are not followed, give the address that it leads to")
    rest = seconds_of(retry_after) if status in (429, 503) else None
    return Sent(status, f"HTTP {status}", rest)


def seconds_of(retry_after: str) -> float | None:
    """`Retry-After` in seconds (RFC 9110, 10.2.3: a number or a date); None: it says nothing that can be read."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        return max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError):
        return None


def _parts(url: str) -> SplitResult:
    """A URL that can be called, taken apart; raises `ConfigurationError` where it cannot."""
    if len(url) > LONGEST_URL or not url.isprintable() or any(c in url for c in ' \\"<>'):
        raise _refused(f"it has at most {LONGEST_URL} characters, and no blanks, quotes or backslashes")
    try:
        parts = urlsplit(url)
        port, plain = parts.port, URL(url)
    except ValueError:
        raise _refused("it is no URL") from None
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise _refused("it has to be https://host/path")
    if "@" in parts.netloc:
        raise _refused("it cannot hold a password: the receiver knows us by the signature")
    if parts.fragment or ((plain.raw_host or "").lower() != parts.hostname.lower() and parts.hostname.isascii()):
        raise _refused("its host cannot be read in one way, or it has a #fragment")
    return parts


def _refused(why: str) -> ConfigurationError:
    return ConfigurationError(f"the address of the webhook: {why}", code="webhook.url_refused")


def _simulator(url: str | None) -> tuple[str, int] | None:
    """The simulator's own address and port, if it is given by its address."""
    if url is None:
        return None
    parts = urlsplit(url)
    address = address_in(parts.hostname or "")
    return None if address is None else (str(address), parts.port or _DEFAULT_PORT.get(parts.scheme, 80))
