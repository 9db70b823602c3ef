"""A console over an installation with one batch, and somebody who may everything logged in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import httpx
import pytest

from enrichment_assets.domain.access import Role
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.services.access.signing import Signing
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.web.site import build_site
from tests.access.office import Office
from tests.harness.databases import PostgresServer
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Lead

ORIGIN = "http://127.0.0.1:8730"


@dataclass
class Desk:
    """The console, seen by its owner."""

    settings: Settings
    hq: Hq
    build: Build
    cookie: str

    def http(self) -> httpx.AsyncClient:
        headers = {"cookie": self.cookie, "origin": ORIGIN}
        app = build_site(self.hq, self.settings, [ORIGIN])
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN, headers=headers)


@pytest.fixture(scope="module")
def desk(postgres_server: PostgresServer, hq_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    names = postgres_server.create(hq_template), postgres_server.create()
    urls = [postgres_server.url(name) for name in names]
    settings = Settings(tmp_path_factory.mktemp("home") / "home", urls[0], urls[1])
    with open_hq(settings) as hq:
        office = Office(hq, settings, Signing.of(settings))
        office.add("ada", Role.OWNER)
        session = office.log_in("ada").session
        yield Desk(settings, hq, Build(settings), f"enrich_session={session}")
    for name in names:
        postgres_server.drop(name)


Filled = Callable[[Sequence[Lead]], str]


@pytest.fixture
def batch(desk: Desk) -> Filled:
    """Seeds and extracts a batch of leads, and gives its key."""

    def fill(leads: Sequence[Lead]) -> str:
        with desk.hq.transaction() as connection:
            row = connection.execute("select count(*) as n from batches").fetchone()
        key = f"acme-{(row or {})['n'] + 1}-test"
        desk.build(leads, batch_key=key, client="acme").close()
        return key

    return fill
