"""A client with pipelines in front of the sandbox, for leads that come one after another."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.services.catalog.configuration import (
    add_client,
    add_pipeline,
    add_workflow,
    pipeline_from_steps,
)
from enrichment_assets.services.sources.gathering import Gathered, Into
from enrichment_assets.services.sources.leads import add_leads
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.chaos.faults import arm
from tests.chaos.points import Point
from tests.harness.batches import BatchHarness, Launched, company_step, step
from tests.harness.handles import hq_of

Row = dict[str, Any]


def killed_at(point: Point, work: Callable[[], object]) -> None:
    """Do something in a process that dies at a point; database handles are its own."""
    process = os.fork()
    if process == 0:
        try:
            arm(point.fault())
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, f"it came past {point}"


@dataclass
class Desk:
    """The client `acme` and its pipeline `mine`: a person's step (`match`) and a company's (`firm`)."""

    harness: BatchHarness
    into: Into = field(default_factory=lambda: Into("acme", "mine", "by-hand", "hand"))

    @property
    def settings(self) -> Settings:
        return self.harness.settings

    def add(self, *leads: Mapping[str, str], into: Into | None = None) -> Gathered:
        """Take leads, as the API and the command line do."""
        return add_leads(hq_of(self.settings), self.settings, into or self.into, leads, actor=TESTER)

    def rows(self, query: str, *parameters: Any) -> list[Row]:
        """Rows of HQ as another connection sees them now."""
        found = self.harness.hq.execute(query, parameters).fetchall()
        self.harness.hq.rollback()
        return found

    def change(self, query: str, *parameters: Any) -> None:
        """Change something in HQ, committed."""
        self.harness.hq.execute(query, parameters)
        self.harness.hq.commit()

    def batch(self, key: str) -> Launched:
        """A batch as the engine's tests know it."""
        batch_id = self.rows("select id from batches where batch_key = %s", key)[0]["id"]
        return Launched(self.settings, self.harness.hq, self.harness.sandbox, key, batch_id, "acme")

    def workflows(self) -> list[WorkflowDefinition]:
        """The two steps."""
        return [step("match"), company_step("firm")]


@pytest.fixture
def desk(harness: BatchHarness) -> Desk:
    """A client who gets leads."""
    made = Desk(harness)
    hq, settings = hq_of(harness.settings), harness.settings
    add_client(hq, "acme", actor=TESTER)
    for workflow in made.workflows():
        add_workflow(hq, settings, workflow, actor=TESTER)
    add_pipeline(hq, pipeline_from_steps("mine", "match,firm"), "acme", actor=TESTER)
    add_pipeline(hq, pipeline_from_steps("other", "match"), "acme", actor=TESTER)
    return made
