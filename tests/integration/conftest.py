"""Whole installations for tests of the real path: databases for a module, and `enrich` as a person types it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from typer.testing import CliRunner

from enrichment_assets.cli import build_app
from enrichment_assets.installation.databases import Databases, locate_external
from enrichment_assets.settings import Settings
from tests.harness.databases import PostgresServer

Enrich = Callable[..., str]


@pytest.fixture(scope="module")
def module_databases(postgres_server: PostgresServer, hq_template: str) -> Iterator[Databases]:
    """Fresh databases shared by the tests of one module."""
    hq, workspace = postgres_server.create(hq_template), postgres_server.create()
    yield locate_external(
        Settings.from_environment(
            {
                "ENRICH_HOME": "/nonexistent",
                "HQ_DATABASE_URL": postgres_server.url(hq),
                "WORKSPACE_DATABASE_URL": postgres_server.url(workspace),
            }
        )
    )
    postgres_server.drop(hq)
    postgres_server.drop(workspace)


@pytest.fixture(scope="module")
def module_settings(module_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """One installation for the tests of a module."""
    return Settings(
        home=tmp_path_factory.mktemp("home"),
        hq_database_url=module_databases.hq,
        workspace_database_url=module_databases.workspace,
        dagster_database_url=module_databases.dagster,
    )


@pytest.fixture(scope="module")
def module_environment(module_settings: Settings) -> Iterator[pytest.MonkeyPatch]:
    """The environment of a shell in which this installation is used; more variables may be set on it."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ENRICH_HOME", str(module_settings.home))
        environment.setenv("HQ_DATABASE_URL", module_settings.hq_database_url or "")
        environment.setenv("WORKSPACE_DATABASE_URL", module_settings.workspace_database_url or "")
        environment.setenv("DAGSTER_DATABASE_URL", module_settings.dagster_database_url or "")
        for name in ("DAGSTER_HOME", "ENRICH_SANDBOX_URL", "ENRICH_RECEIVER_URL"):
            environment.delenv(name, raising=False)
        yield environment


@pytest.fixture(scope="module")
def enrich(module_environment: pytest.MonkeyPatch) -> Enrich:
    """Run `enrich ...` in this process; a failure fails the test with what it printed."""

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(build_app(), list(arguments), catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run
