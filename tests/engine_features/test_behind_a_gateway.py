"""A language model behind a gateway that sits on a rate limit: time-outs and headers to fit (docs/workflows.md)."""

from __future__ import annotations

from typing import Any

from enrichment_assets.domain.workflow import WorkflowDefinition
from tests.harness.batches import BatchHarness, people, step

ONE_RATE_LIMIT = '{"rate_limited": 1, "fault_attempts": 1, "gateway_retries": 1}'
"""The first call of each question is over the rate; the gateway waits a second before it says so."""


def asks(slug: str, harness: BatchHarness, timeout: float, **faults: str) -> WorkflowDefinition:
    request: dict[str, Any] = {
        "method": "POST",
        "url": "/v1/chat/completions",
        "headers": {"authorization": "Bearer key-one", **({"x-sandbox-faults": faults["faults"]} if faults else {})},
        "body": {"model": "m", "messages": [{"role": "user", "content": f"{slug}: {{{{first_name}}}}"}]},
    }
    return step(
        slug,
        base_url=f"{harness.sandbox.url}/gateway",
        request=request,
        provides={slug: "choices[0].message.content"},
        response={"error_if": "error"},
        retry={"base": 0.01, "max": 0.02, "timeout": timeout, "attempts": 2},
    )


def test_a_patient_step_waits_as_the_gateway_says_and_a_hasty_one_does_not_know_what_became_of_its_call(
    harness: BatchHarness,
) -> None:
    patient = asks("patient", harness, timeout=20.0, faults=ONE_RATE_LIMIT)
    hasty = asks("hasty", harness, timeout=0.3, faults=ONE_RATE_LIMIT)
    batch = harness.launch(people(1), patient, hasty)
    batch.run()
    assert (batch.state("patient")["status"], batch.state("hasty")["status"]) == ("COMPLETED", "AMBIGUOUS")
    assert batch.state("hasty")["reason"] == "no answer within our own time-out of 0.3 s (`retry.timeout`)"
    (call,) = batch.calls("patient")
    assert (call["attempt"], call["http_status"]) == (2, 200)
    waited = (call["sent_at"] - call["created_at"]).total_seconds()
    assert waited >= 1.9  # a second at the gateway, and the one that its llm_provider-retry-after asked for


def test_a_spent_budget_stops_the_step_and_blames_no_row(harness: BatchHarness) -> None:
    harness.sandbox.configure(providers={"gateway": {"quota": "0"}})
    batch = harness.launch(people(3), asks("spent", harness, timeout=20.0))
    report = batch.run()
    harness.sandbox.configure(providers={"gateway": None})
    assert not report.finished
    assert batch.statuses("spent")["FAILED"] <= 1
    assert batch.statuses("spent")["PENDING"] >= 2
