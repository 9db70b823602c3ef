"""A batch of one's own in front of the sandbox: workflows are rows, the engine runs them, faults are the sandbox's."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from enrichment_assets.domain.pipeline import PipelineDefinition
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.run.advance import RunReport
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.batches.items import create_items
from enrichment_assets.services.batches.launching import launch
from enrichment_assets.services.catalog import configuration
from enrichment_assets.services.uploads.upload import upload_file
from enrichment_assets.settings import Settings
from enrichment_assets.store.inbox.callbacks import Receipt
from tests.actors import TESTER
from tests.harness.batches import Launched
from tests.harness.handles import hq_of
from tests.harness.warm_program import WarmProgram

PEOPLE = (
    "First Name,Last Name,Company,Website\n"
    "Ann,Archer,Alpha Inc.,https://alpha.example\n"
    "Bob,Brown,Alpha Inc.,https://alpha.example\n"
    "Cid,Carter,Beta Ltd,https://beta.example\n"
)


@dataclass
class RegisteredBatch:
    """One batch of the client acme whose workflows are in the registry, as `launch` lays it out."""

    settings: Settings
    sandbox: SandboxProcess
    hq: psycopg.Connection[dict[str, Any]]
    folder: Path
    made: list[str] = field(default_factory=list)
    launched: Launched | None = None

    @property
    def there(self) -> Launched:
        """The batch, run and read as any other."""
        assert self.launched is not None, "nothing was launched yet"
        return self.launched

    @property
    def key(self) -> str:
        """The batch's key."""
        return self.there.key

    def workflow(self, slug: str, **fields: Any) -> WorkflowDefinition:
        """A person workflow that looks up an e-mail address, for a cent; `fields` change it."""
        return WorkflowDefinition.model_validate(
            {
                "slug": slug,
                "title": slug,
                "step": 10,
                "provider": "http",
                "operation": slug,
                "mode": "sync",
                "requires": ["first_name"],
                "provides": {"email": "person.email"},
                "request": {
                    "url": f"{self.sandbox.url}/http/enrich",
                    "body": {"item_id": "{{ item.id }}", "first_name": "{{ first_name }}", "company": "Alpha"},
                },
                "price": {"estimate": "0.01"},
                "retry": {"attempts": 1, "base": 0.01, "max": 0.01, "timeout": 2},
                **fields,
            }
        )

    def company_workflow(self, slug: str, **fields: Any) -> WorkflowDefinition:
        """Asks once per company for its industry."""
        request = {
            "url": f"{self.sandbox.url}/http/enrich",
            "body": {"entity": "company", "company_name": "{{ company_name }}"},
        }
        changes = {"entity": "company", "requires": ["company_name"], "provides": {"industry": "company.industry"}}
        return self.workflow(slug, **{"request": request, **changes, **fields})

    def check_workflow(self, slug: str = "check-email", **fields: Any) -> WorkflowDefinition:
        """Needs the e-mail address that a lookup provides; free."""
        request = {
            "url": f"{self.sandbox.url}/http/echo",
            "body": {"email": "{{ email }}", "item_id": "{{ item.id }}"},
        }
        changes = {"step": 20, "requires": ["email"], "provides": {"checked": "json.email"}, "price": {}}
        return self.workflow(slug, **{"request": request, **changes, **fields})

    def batch(
        self, *workflows: WorkflowDefinition, csv: str = PEOPLE, key: str = "acme-batch", waterfall: bool = False
    ) -> str:
        """Register the workflows, upload, launch, lay out the items; `waterfall`: they are one."""
        self.register(*workflows)
        slugs = [workflow.slug for workflow in workflows]
        steps = [{"waterfall": slugs}] if waterfall else slugs
        configuration.add_pipeline(
            hq_of(self.settings),
            PipelineDefinition.model_validate({"slug": f"p-{key}", "steps": steps}),
            "acme",
            actor=TESTER,
        )
        path = self.folder / f"{key}.csv"
        path.write_text(csv)
        upload = upload_file(hq_of(self.settings), self.settings, path, "acme", actor=TESTER)
        launch(
            hq_of(self.settings),
            self.settings,
            upload.upload_id,
            f"p-{key}",
            add_partition=self.made.append,
            batch_key=key,
            actor=TESTER,
        )
        create_items(hq_of(self.settings), self.settings, key)
        (row,) = self.hq.execute("select id from batches where batch_key = %s", (key,)).fetchall()
        self.hq.rollback()
        self.launched = Launched(self.settings, self.hq, self.sandbox, key, row["id"], "acme")
        return key

    def register(self, *workflows: WorkflowDefinition) -> None:
        """Add or replace workflows in the registry."""
        for workflow in workflows:
            configuration.add_workflow(hq_of(self.settings), self.settings, workflow, actor=TESTER)

    def run(self) -> RunReport:
        """One engine run."""
        return self.there.run(linger=0.2)

    def deliver(self, token: str, body: dict[str, Any] | bytes) -> None:
        """Store a callback as the receiver does."""
        assert self.there.call_back({"callback_token": token}, body) is Receipt.STORED

    def billed(self) -> tuple[int, int]:
        """Calls that reached the sandbox, and charges it made."""
        total = self.sandbox.billing()
        return total["calls"], total["charged"]

    def rows(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        """Rows as another connection sees them now."""
        return self.there.rows(query, *parameters)

    def states(self, slug: str) -> list[tuple[str, str | None, str | None, str | None]]:
        """(status, outcome, error class, reason up to a colon) of a workflow, by item."""
        rows = self.rows("select * from workflow_states where workflow_slug = %s order by item_id", slug)
        return [(r["status"], r["outcome"], r["error_class"], r["reason"] and r["reason"].split(":")[0]) for r in rows]

    def statuses(self, slug: str) -> list[str]:
        """Status, or outcome where there is one, by item."""
        return [outcome or status for status, outcome, _, _ in self.states(slug)]

    def calls(self, slug: str) -> list[dict[str, Any]]:
        """Ledger rows of a workflow."""
        return self.there.calls(slug)

    def batch_row(self) -> dict[str, Any]:
        """The batch's row."""
        return self.rows("select * from batches where batch_key = %s", self.key)[0]


@pytest.fixture
def harness(
    settings: Settings, sandbox: SandboxProcess, hq: psycopg.Connection[dict[str, Any]], tmp_path: Path
) -> RegisteredBatch:
    configuration.add_client(hq_of(settings), "acme", "Acme", actor=TESTER)
    return RegisteredBatch(settings, sandbox, hq, tmp_path)


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The program `enrich`, imported once for all commands of these tests."""
    folder = tmp_path_factory.mktemp("program")
    warm = WarmProgram(folder, dict(os.environ))
    try:
        warm.wait_ready()
        yield folder / "enrich"
    finally:
        warm.stop()


@pytest.fixture
def enrich(program: Path, settings: Settings, sandbox: SandboxProcess) -> Callable[..., tuple[int, str]]:
    """Run the real command: exit code and everything it printed."""

    def run(*arguments: str) -> tuple[int, str]:
        environment = {
            **os.environ,
            "ENRICH_HOME": str(settings.home),
            "HQ_DATABASE_URL": settings.hq_database_url or "",
            "WORKSPACE_DATABASE_URL": settings.workspace_database_url or "",
            "DAGSTER_DATABASE_URL": settings.dagster_database_url or "",
            "ENRICH_SANDBOX_URL": sandbox.url,
        }
        done = subprocess.run(
            [program, *arguments], capture_output=True, text=True, env=environment, timeout=120, check=False
        )
        return done.returncode, done.stdout + done.stderr

    return run
