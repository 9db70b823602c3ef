"""Connections that are looked at when they are made: the very IP address and port that a socket is about to go to.

A check of a name, or of what it resolves to beforehand, says nothing about where a connection goes: the name may
resolve to something else a moment later. aiohttp asks `socket_factory` for the socket of each address it tries, after
the one resolution of that connection, for names and for literal addresses alike; a factory that refuses is that check.
The resolver beside it leaves out what would be refused, so that of a name with a public and a private address the
public one is reached, and it knows the name.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, NamedTuple

from aiohttp import AddrInfoType, ClientConnectorError
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver

from enrichment_assets.domain.public_addresses import is_loopback, may_be_configured


class Refused(OSError):
    """A connection that may not be made; nothing left. Names the address, and nothing else of a request."""


class Rule(NamedTuple):
    """What may be connected to.

    Attributes:
        address: Of an IP address, as text, and a port: whether a socket may go there.
        name: Of a host's name and one of its IP addresses: whether the name may stand for it. What `address` refuses is
            refused without asking.
    """

    address: Callable[[str, int], bool]
    name: Callable[[str, str], bool] = lambda _name, _address: True


def _is_named_so(name: str, address: str) -> bool:
    return not is_loopback(address) or name == "localhost" or name.endswith(".localhost")


CONFIGURED = Rule(lambda address, _port: may_be_configured(address), _is_named_so)
"""For addresses that workflows configure: not the link, multicast or a cloud's metadata.

This machine only by its address or as `localhost`: a stranger's name that leads here has us call ourselves.
"""


def guarding(rule: Rule, resolver: AbstractResolver | None = None) -> dict[str, Any]:
    """Arguments for `aiohttp.TCPConnector`: its connections keep the rule. Inside a running loop.

    Args:
        rule: What may be connected to.
        resolver: Who resolves names; default: the system.
    """
    return {"socket_factory": _sockets(rule), "resolver": _Permitted(rule, resolver or DefaultResolver())}


def is_refused(error: BaseException) -> bool:
    """Whether aiohttp's error says that a connection was refused by its rule."""
    return isinstance(error, ClientConnectorError) and isinstance(error.os_error, Refused)


def _sockets(rule: Rule) -> Callable[[AddrInfoType], socket.socket]:
    def make(place: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = place
        _refuse_unless(rule, str(address[0]), int(address[1]))
        return socket.socket(family, kind, protocol)

    return make


def _refuse_unless(rule: Rule, address: str, port: int) -> None:
    if not rule.address(address, port):
        raise Refused(f"{address} port {port} may not be connected to")


class _Permitted(AbstractResolver):
    """A resolver that leaves out what the rule refuses."""

    def __init__(self, rule: Rule, resolver: AbstractResolver) -> None:
        self._rule = rule
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        kept = [one for one in found if self._rule.address(one["host"], port) and self._rule.name(host, one["host"])]
        if found and not kept:
            raise Refused(f"{host} leads to {found[0]['host']}, which may not be connected to by this name")
        return kept

    async def close(self) -> None:
        await self._resolver.close()
