"""From which network a request comes: the peer of the connection, or whom a trusted proxy names.

`X-Forwarded-For` is anybody's to write. It counts only where the connection itself comes from a proxy that is
configured (`ENRICH_TRUSTED_PROXIES`), and only as far from its right end as trusted proxies wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from enrichment_assets.domain.errors import ConfigurationError

Network = IPv4Network | IPv6Network

UNKNOWN = "unknown"
"""A peer without an address: a Unix socket."""

_OF_ONE_CALLER = 64
"""Bits of an IPv6 address that one line gets: the rest of it is the line's own to choose (RFC 6177)."""
_LONGEST_HEADER = 2_000


def trusted_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """`127.0.0.1`, `10.0.0.0/8` as networks. Raises `ConfigurationError` for what is neither address nor network."""
    networks = []
    for text in texts:
        try:
            networks.append(ip_network(text))
        except ValueError:
            raise ConfigurationError(
                f"ENRICH_TRUSTED_PROXIES names {text!r}: write addresses or networks, as 10.0.0.7 or 10.0.0.0/8",
                code="setting.network_invalid",
            ) from None
    return tuple(networks)


def caller_of(peer: str | None, forwarded_for: Sequence[str], trusted: Sequence[Network]) -> str:
    """The network that a request is counted for: an IPv4 address, or the first half of an IPv6 one.

    Args:
        peer: Address at the other end of the connection; None: it has none.
        forwarded_for: The values of `X-Forwarded-For`, in their order.
        trusted: Proxies whose word counts.
    """
    found = _address(peer or "")
    if found is None:
        return UNKNOWN
    if trusted and _is_in(found, trusted):
        for text in reversed(",".join(forwarded_for)[-_LONGEST_HEADER:].split(",")):
            named = _address(text)
            if named is None:
                break
            found = named
            if not _is_in(named, trusted):
                break
    if isinstance(found, IPv6Address):
        return str(IPv6Network((int(found), _OF_ONE_CALLER), strict=False))
    return str(found)


def _is_in(address: IPv4Address | IPv6Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


@lru_cache(maxsize=1024)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    """`1.2.3.4`, `1.2.3.4:5678`, `2001:db8::1`, `[2001:db8::1]:5678`; an IPv4 address in an IPv6 one is that."""
    plain = text.strip()
    if plain.startswith("["):
        plain = plain[1:].partition("]")[0]
    elif plain.count(":") == 1:
        plain = plain.partition(":")[0]
    try:
        address = ip_address(plain.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
