"""Batches built all the way, and the leads of hundreds of clients put into DuckDB directly."""

from __future__ import annotations

import pytest

from tests.golden.records import Leads
from tests.warehouse.conftest import build

__all__ = ["build", "leads"]


@pytest.fixture
def leads() -> Leads:
    """An empty session with the tables that golden models read."""
    return Leads()
