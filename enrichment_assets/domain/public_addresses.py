"""Which addresses belong to everybody, and which to a machine, a network or nobody; every form that an address has.

`http://localhost`, `http://10.0.0.1` and `http://169.254.169.254` (where clouds tell a machine its keys) are no
company's home page and no client's receiver. Two questions, two functions: may this very IP address be connected to
(`is_public`, asked when a socket is made, `wire.guarded`), and does a URL in a cell name a place that is not public
(`names_private_place`, asked before a scraper is told to fetch it).

Sources: IANA's registries of special-purpose IPv4 and IPv6 addresses; RFC 6761 and RFC 6762 (`localhost`, `local`),
RFC 8375 (`home.arpa`), ICANN's resolution 2024.07.29.06 (`internal`); WHATWG's URL standard, section 3.5, for numbers
that are hosts (`127.1`, `0x7f000001`, `2130706433`).
"""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Iterable
from urllib.parse import unquote

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NOT_GLOBAL_4 = [
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
"""The only part of IPv6 that is given out: what maps IPv4 or NAT64, ULA, link-local and multicast are outside it."""
_NOT_GLOBAL_6 = [
    ipaddress.IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
]  # Teredo and others of the IETF's own; documentation; 6to4, which holds an IPv4 address; documentation

_NEVER_A_SERVICE = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/128", "fe80::/10", "fec0::/10", "ff00::/8", "fd00:ec2::/32", "fd20:ce::/32",
    )
]  # fmt: skip
"""What no provider has: nobody, the link, multicast, and where EC2 and Google Cloud tell a machine about itself."""

_LOCAL_NAMES = ("localhost", "localdomain", "local", "internal", "home.arpa", "lan", "intranet", "corp", "home")
_NUMBERS = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}")
_EMPTY_HEX = re.compile(r"0x(?=\.|$)")
_LATER_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")
_SCHEME = re.compile(r"(?:https?|ftp|wss?):[/\\]*", re.IGNORECASE)
_ENDS_OF_HOST = (re.compile(r"[/\\?#]"), re.compile(r"[/?#]"))


def is_public(address: IpAddress | str) -> bool:
    """Whether an IP address is given out to somebody on the Internet. An IPv6 scope (`%eth0`) makes it not so."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _NOT_GLOBAL_4)
    return ip in _GLOBAL_6 and ip.scope_id is None and not any(ip in network for network in _NOT_GLOBAL_6)


def may_be_configured(address: IpAddress | str) -> bool:
    """Whether a provider that somebody configured can be at an IP address: any but those that no service has.

    A private one may be: n8n and model servers stand in people's own networks. An IPv4 address inside an IPv6 one
    (mapped, NAT64, 6to4) counts as itself.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not any(one in network for one in (ip, *_inside(ip)) for network in _NEVER_A_SERVICE)


def is_loopback(address: IpAddress | str) -> bool:
    """Whether an IP address is this machine, by whatever IPv6 address it is written inside of."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(one.is_loopback for one in (ip, *_inside(ip)))


def address_in(host: str) -> IpAddress | None:
    """The IP address that a host is, in any form a browser or a resolver reads as one; None: it is a name.

    `127.0.0.1`, `127.1`, `0177.0.0.1`, `0x7f.1`, `2130706433`, `[::1]`, `::ffff:127.0.0.1`, `127.0.0.1.`, digits of
    full width.
    """
    plain = _plain(host)
    try:
        return ipaddress.ip_address(plain.removeprefix("[").removesuffix("]").partition("%")[0])
    except ValueError:
        pass
    if not _NUMBERS.fullmatch(plain):
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(_EMPTY_HEX.sub("0", plain)))
    except OSError:
        return None


def is_local_name(host: str) -> bool:
    """Whether a name is one of a machine or a network: `localhost`, `db.internal`, `printer.local`, and `intranet`."""
    plain = _plain(host)
    return "." not in plain or any(plain == name or plain.endswith(f".{name}") for name in _LOCAL_NAMES)


def names_private_place(text: str) -> bool:
    """Whether a text is a URL, or a host without one, that is not on the public Internet.

    What a name resolves to is not asked. Without a scheme a text counts only where it is plainly such a host
    (`localhost:8080`, `10.0.0.1/x`): `42` and `intranet` may be anything.
    """
    shown = "".join(c for c in text if c > " " and c != "\x7f")  # as browsers do: blanks and control characters go
    scheme = _SCHEME.match(shown)
    rest = shown[scheme.end() if scheme else 0 :]
    # Browsers end a host at a backslash, RFC 3986 does not: whoever fetches may read it either way.
    return any(
        _is_private(_without_port(end.split(rest, maxsplit=1)[0].rpartition("@")[2]), has_scheme=scheme is not None)
        for end in _ENDS_OF_HOST
    )


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """`10.0.0.0/8` and single addresses as networks. Raises `ValueError` for what is none."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def _plain(host: str) -> str:
    """A host as resolvers see it: percent-decoded, of plain width, in lower case, without the last dot."""
    return unicodedata.normalize("NFKC", unquote(host).translate(_LATER_DOTS)).strip().lower().removesuffix(".")


def _is_private(host: str, *, has_scheme: bool) -> bool:
    if not has_scheme and not _is_plainly_a_host(_plain(host)):
        return False
    address = address_in(host)
    return is_local_name(host) if address is None else not is_public(address)


def _is_plainly_a_host(host: str) -> bool:
    is_short_number = _NUMBERS.fullmatch(host) is not None and host.count(".") < 3
    return host == "localhost" or "[" in host or ("." in host and not is_short_number)


def _without_port(authority: str) -> str:
    if authority.startswith("["):
        return authority.partition("]")[0] + "]"
    return authority.partition(":")[0] if authority.count(":") == 1 else authority


def _inside(ip: IpAddress) -> list[IpAddress]:
    """IPv4 addresses that an IPv6 one stands for: mapped, compatible, NAT64, 6to4."""
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    last = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    found: list[IpAddress] = [one for one in (ip.ipv4_mapped, ip.sixtofour) if one is not None]
    prefixed = any(ip in network for network in _HOLD_IPV4)
    return [*found, last] if prefixed and int(last) > 1 else found


_HOLD_IPV4 = [ipaddress.IPv6Network(text) for text in ("::/96", "64:ff9b::/96", "64:ff9b:1::/48")]
