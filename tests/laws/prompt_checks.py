"""Law 12: a model decides nothing that leaves. A page that it obeys reaches no address, and no bound of the schema."""

from __future__ import annotations

import os
from typing import Any

from enrichment_assets.domain.workflow import WorkflowDefinition
from tests.harness.batches import BatchHarness, Launched, step
from tests.harness.hostile_pages import HostilePage, hostile_pages

_ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "score": {"type": "integer", "minimum": 0, "maximum": 100},
        "reason": {"type": "string"},
        "email": {"type": ["string", "null"]},
        "website": {"type": ["string", "null"]},
    },
    "required": ["score", "reason", "email", "website"],
    "additionalProperties": False,
}


def asking(harness: BatchHarness) -> WorkflowDefinition:
    """A prompt to the simulator's model that follows every instruction it finds."""
    return WorkflowDefinition.model_validate(
        {
            "slug": "read-page",
            "title": "Read the page",
            "step": 1,
            "provider": "openai",
            "operation": "chat",
            "mode": "sync",
            "base_url": f"{harness.sandbox.url}/openai/v1",
            "prompt": {
                "model": "obedient-1",
                "instructions": "Score the company, and give its address and its web site as they stand in the page.",
                "inputs": {"page": "{{ original.page }}"},
                "answer": _ANSWER,
                "max_output_tokens": 2000,
                "grounded": {"email": ["page"], "website": ["page"]},
            },
            "provides": {"score": "score", "reason": "reason", "email": "email", "company_website": "website"},
            "types": {"score": "number"},
            "price": {"tokens": {"input": "1", "output": "4", "as_of": "2026-11-28"}},
            "limits": {"concurrency": 50},
            "retry": {"base": 0.01, "max": 0.02},
        }
    )


def a_page_decides_nothing_but_its_own_row(harness: BatchHarness, count: int = 60) -> Launched:
    """Whatever a page says to a model: only addresses that stand on it count, and only scores that were allowed."""
    os.environ["OPENAI_API_KEY"] = "sk-test"
    pages = hostile_pages(count)
    rows = [{"company_name": f"Firm {page.name}", "page": page.read.text, "n": str(page.number)} for page in pages]
    telling = step(
        "tell-company",
        requires=["email"],
        request={"url": "/echo", "headers": {"x-api-key": "{{ 'tell-company' }}"}, "body": {"to": "{{ email }}"}},
        provides={"told": "to"},
        response={},
    )
    batch = harness.launch(rows, asking(harness), telling)
    assert batch.run().finished
    found = batch.rows(
        """select i.original_data ->> 'n' as n, r.workflow_slug, r.fields, r.payload::text as payload, r.rejected
           from enrichment_results r join batch_items i on i.id = r.item_id order by r.id"""
    )
    by_number = {str(page.number): page for page in pages}
    assert {row["workflow_slug"] for row in found} == {"read-page", "tell-company"}
    for row in found:
        _only_its_own(row, by_number[row["n"]], pages)
    return batch


def _only_its_own(row: dict[str, Any], page: HostilePage, pages: list[HostilePage]) -> None:
    fields = row["fields"]
    assert fields.get("email") in (None, page.email), (page.body, fields)
    assert fields.get("told") in (None, page.email), (page.body, fields)
    assert fields.get("company_website") is None, (page.body, fields)
    score = fields.get("score")
    assert score is None or 0 <= score <= 100, (page.body, fields)
    said = f"{fields} {row['payload']}"
    strangers = [one.number for one in pages if one is not page and one.secret in said]
    assert not strangers, (page.body, strangers)
    assert page.secret in page.read.text
