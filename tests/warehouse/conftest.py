"""A builder that takes leads all the way: into HQ, out as sources, through the models.

Tests that only read share one installation per module; tests that change something get one of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count

import duckdb
import pytest

from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.warehouse import build_analytics, build_models, open_warehouse, publish_batch_sources
from tests.harness.databases import PostgresServer
from tests.harness.handles import hq_of
from tests.warehouse.hq_data import Lead, official_leads, seed_batch


class Build:
    """`build(leads)` seeds a batch, extracts it, and gives the warehouse with that batch in it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._numbers = count(1)

    def __call__(
        self,
        leads: Sequence[Lead],
        *,
        batch_key: str | None = None,
        client: str = "acme",
        select: Sequence[str] | None = None,
    ) -> duckdb.DuckDBPyConnection:
        key = batch_key or f"batch-{next(self._numbers)}"
        with connect(self.settings.hq_database_url or "") as hq:
            seed_batch(hq, leads, batch_key=key, client=client)
        publish_batch_sources(hq_of(self.settings), self.settings, key)
        build_models(self.settings, key, select)
        if select is None:
            build_analytics(self.settings)
        return open_warehouse(self.settings, client_slug=client, batch_key=key)


@pytest.fixture
def build(settings: Settings) -> Build:
    """Builds in this test's own installation."""
    return Build(settings)


@pytest.fixture(scope="module")
def shared(
    postgres_server: PostgresServer, hq_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Build]:
    """Builds in an installation that the tests of one module share, and only read afterwards."""
    hq, workspace = postgres_server.create(hq_template), postgres_server.create()
    yield Build(
        Settings(
            home=tmp_path_factory.mktemp("home"),
            hq_database_url=postgres_server.url(hq),
            workspace_database_url=postgres_server.url(workspace),
            dagster_database_url=postgres_server.url(hq),
        )
    )
    postgres_server.drop(hq)
    postgres_server.drop(workspace)


@pytest.fixture(scope="module")
def officials(shared: Build) -> Settings:
    """The officials' batch, extracted. Only to be read (publishing it again is harmless)."""
    shared(official_leads(), batch_key="officials")
    return shared.settings
