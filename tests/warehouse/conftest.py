"""A builder that takes leads all the way: into HQ, out as sources, through the models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import duckdb
import psycopg
import pytest

from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import build_analytics, build_models, open_warehouse, publish_batch_sources
from tests.warehouse.hq_data import Lead, Seeded, official_leads, seed_batch

Build = Callable[..., duckdb.DuckDBPyConnection]


@pytest.fixture
def build(settings: Settings, hq: psycopg.Connection[Any]) -> Build:
    """`build(leads)` -> the warehouse with that batch in it."""
    numbers = count(1)

    def run(
        leads: Sequence[Lead],
        *,
        batch_key: str | None = None,
        client: str = "acme",
        select: Sequence[str] | None = None,
    ) -> duckdb.DuckDBPyConnection:
        key = batch_key or f"batch-{next(numbers)}"
        seed_batch(hq, leads, batch_key=key, client=client)
        publish_batch_sources(settings, key)
        build_models(settings, key, select)
        if select is None:
            build_analytics(settings)
        return open_warehouse(settings, client_slug=client, batch_key=key)

    return run


@pytest.fixture
def officials(settings: Settings, hq: psycopg.Connection[Any]) -> Settings:
    """The officials' batch, extracted."""
    seed_batch(hq, official_leads(), batch_key="officials")
    publish_batch_sources(settings, "officials")
    build_models(settings, "officials")
    build_analytics(settings)
    return settings


__all__ = ["Build", "Seeded"]
