"""What tests before real servers share: a role of few rights, in a database whose schemas it owns."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness.databases import PostgresServer
from tests.harness.roles import SmallRole, small_role


@pytest.fixture
def role(postgres_server: PostgresServer) -> Iterator[SmallRole]:
    """One that owns the schemas `hq` and `dagster`, and is pointed to the first by its own setting."""
    with small_role(postgres_server) as role:
        yield role
