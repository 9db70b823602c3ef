"""A batch whose leads have drafts, as the engine would leave it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.services.catalog.seeding import registry
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from tests.harness.handles import hq_of
from tests.warehouse.hq_data import Answer, Lead, seed_batch

BATCH, DRAFTS = "acme-1", "personalise-email"
GRADES = ("A", "A", "B", "C")
"""Of the leads, in their order; the last one has no draft."""


@dataclass
class Desk:
    """An installation with a batch of four leads, three of which have a drafted mail."""

    settings: Settings
    hq: Hq
    raw: psycopg.Connection[dict[str, Any]]
    items: list[int]

    def name(self, place: int) -> str:
        """What commands call the draft of a lead."""
        return f"{self.items[place]}/{DRAFTS}"

    def change(self, query: str, *values: Any) -> None:
        """Change HQ as the engine would, committed."""
        self.raw.execute(query, values)
        self.raw.commit()

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Rows as they are now."""
        found = self.raw.execute(query, values).fetchall()
        self.raw.rollback()
        return found

    def rewrite(self, place: int, body: str) -> None:
        """Have another answer of the model's for a lead: as a retry or a replay leaves it."""
        self.change(
            "update enrichment_results set fields = fields || %s where item_id = %s and workflow_slug = %s",
            json.dumps({"draft_body": body}),
            self.items[place],
            DRAFTS,
        )


def _lead(number: int, grade: str) -> Lead:
    facts = [f"Lead {number} opened an office in Boston"]
    answers = [
        Answer("gather-facts", fields={"facts": facts}, provider="local"),
        Answer("qualify-lead", fields={"lead_grade": grade}, provider="openai"),
    ]
    if grade in "AB":
        draft = {"draft_subject": f"Boston, {number}", "draft_body": f"Hello {number}.\nCongratulations – on Boston."}
        answers.append(Answer(DRAFTS, fields={**draft, "draft_facts": [1]}, provider="openai"))
    else:
        answers.append(Answer(DRAFTS, provider="openai", status="SKIPPED", outcome=None, reason="run_if"))
    return Lead({"first_name": f"Ann{number}", "company_name": f"Alpha {number}"}, answers)


@pytest.fixture
def desk(settings: Settings, hq: psycopg.Connection[dict[str, Any]]) -> Desk:
    """The batch, by the shipped workflows."""
    seeded = seed_batch(hq, [_lead(n, grade) for n, grade in enumerate(GRADES, 1)], batch_key=BATCH)
    shipped = builtin_workflows()
    (row,) = hq.execute("select blueprint from batches where id = %s", [seeded.batch_id]).fetchall()
    for step in row["blueprint"]["steps"]:
        step["workflow"] = shipped[step["workflow"]["slug"]].model_dump(mode="json", by_alias=True)
    hq.execute("update batches set blueprint = %s where id = %s", [json.dumps(row["blueprint"]), seeded.batch_id])
    hq.commit()
    handle = hq_of(settings)
    with registry(handle):
        pass
    return Desk(settings, handle, hq, seeded.item_ids)


Change = Callable[[Desk], None]
