"""A client with registered workflows of every kind, a batch that was worked on, and the program in front of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import typer
from typer.testing import CliRunner, Result

from enrichment_assets.cli import build_app
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, Launched
from tests.harness.handles import hq_of

Row = dict[str, Any]


@dataclass
class Desk:
    """What a person who tries workflows has before him."""

    harness: BatchHarness
    settings: Settings
    app: typer.Typer
    environment: Mapping[str, str]

    def register(self, *workflows: WorkflowDefinition) -> None:
        """Save workflows, as `enrich workflow add` does."""
        for workflow in workflows:
            add_workflow(hq_of(self.settings), self.settings, workflow, actor=TESTER)

    def ran(self, rows: list[Row], *workflows: WorkflowDefinition, **options: Any) -> Launched:
        """A batch of the client that has run through registered workflows."""
        self.register(*workflows)
        batch = self.harness.launch(rows, *workflows, **options)
        batch.run()
        return batch

    def __call__(self, *arguments: str, **environment: str) -> Result:
        """Type a command."""
        return CliRunner().invoke(self.app, arguments, env={**self.environment, **environment})

    def json(self, *arguments: str, code: int = 0, **environment: str) -> Any:
        """What a command prints with `--json`."""
        result = self(*arguments, "--json", **environment)
        assert result.exit_code == code, (result.output, result.exception)
        return json.loads(result.stdout)

    def refused(self, *arguments: str) -> str:
        """The code of the error that a command ends with."""
        result = self(*arguments)
        assert result.exit_code == 1, (result.output, result.exception)
        return str(getattr(result.exception, "code", result.exception))

    def rows(self, query: str, *parameters: Any) -> list[Row]:
        """Rows as another connection sees them now."""
        found = self.harness.hq.execute(query, parameters).fetchall()
        self.harness.hq.rollback()
        return found


@pytest.fixture
def desk(harness: BatchHarness, hq: psycopg.Connection[Row]) -> Desk:
    """A desk whose client is `acme`."""
    hq.execute("insert into clients (slug, name) values ('acme', 'acme')")
    hq.commit()
    settings = harness.settings
    settings.home.mkdir(exist_ok=True)
    environment = {
        "ENRICH_HOME": str(settings.home),
        "HQ_DATABASE_URL": settings.hq_database_url or "",
        "WORKSPACE_DATABASE_URL": settings.workspace_database_url or "",
        "DAGSTER_DATABASE_URL": settings.dagster_database_url or "",
        "DAGSTER_HOME": "",
        "ENRICH_SANDBOX_URL": settings.sandbox_url or "",
    }
    return Desk(harness, settings, build_app(), environment)
