"""One DNS server for the checks of domains, over the zones of `zones.txt`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from enrichment_assets.wire.dns_names import DnsNames
from tests.mail_services.dns_server import dns_server, read_zone


@pytest.fixture(scope="session")
def dns_port() -> Iterator[int]:
    with dns_server(read_zone((Path(__file__).parent / "zones.txt").read_text())) as port:
        yield port


@pytest.fixture
def names(dns_port: int) -> DnsNames:
    return DnsNames(("127.0.0.1",), dns_port)
