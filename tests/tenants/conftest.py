"""An installation of a plain role with two clients, shared by the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from enrichment_assets.sandbox import SandboxProcess
from tests.harness.databases import PostgresServer
from tests.harness.sandbox import as_new
from tests.tenants.installation import Installation, two_clients


@pytest.fixture(scope="module")
def installation(
    postgres_server: PostgresServer, sandbox_process: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Two clients' rows in everything that the platform makes; only to be read."""
    with two_clients(postgres_server, as_new(sandbox_process), tmp_path_factory.mktemp("tenants")) as made:
        yield made
