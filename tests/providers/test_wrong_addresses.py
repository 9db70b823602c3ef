"""A 404 is a miss only where the workflow, or its provider's contract, says so; never where work is started."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from enrichment_assets.domain.mapping import ResponseReader
from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.statuses import ErrorClass, Outcome, Status
from enrichment_assets.domain.workflow import ResponseMapping, WorkflowDefinition
from enrichment_assets.engine.decisions.decision import Decision, decide
from enrichment_assets.providers import build_providers
from tests.harness.batches import async_step, step

JSON = {"content-type": "application/json"}
PROVIDERS = build_providers()

WRONG_ADDRESSES: list[tuple[dict[str, str], bytes]] = [
    # n8n: packages/cli, webhook helpers ("is not registered", with a hint)
    (JSON, b'{"code":404,"message":"The requested webhook \\"POST x\\" is not registered.","hint":"..."}'),
    (JSON, b'{"detail":"Not Found"}'),  # FastAPI and Starlette, a route that does not exist
    (JSON, b'{"message":"no Route matched with those values"}'),  # Kong
    (JSON, b'{"message":"Not Found","statusCode":404}'),  # NestJS, AWS API Gateway
    (JSON, b'{"errors":[{"status":"404","title":"Not Found"}]}'),  # JSON:API
    (
        {"content-type": "application/problem+json"},
        b'{"type":"about:blank","title":"Not Found","status":404}',
    ),  # RFC 9457
    ({"content-type": "text/html"}, b"<html><center>nginx</center></html>"),
    ({}, b""),
]


class _Prepared:
    """What `decide` looks at of a step."""

    def __init__(self, workflow: WorkflowDefinition) -> None:
        self.workflow = workflow
        self.provider = PROVIDERS[workflow.provider]
        self.reader = ResponseReader(workflow)


def decided(workflow: WorkflowDefinition, status: int, headers: dict[str, str], body: bytes) -> Decision:
    prepared: Any = _Prepared(workflow)
    return decide(prepared, Answer(status, headers, body))


@pytest.mark.parametrize(("headers", "body"), WRONG_ADDRESSES)
@pytest.mark.parametrize("provider", ["http", "n8n", "clay"])
def test_a_404_is_a_wrong_address_for_whoever_starts_work_and_whoever_says_nothing(
    provider: str, headers: dict[str, str], body: bytes
) -> None:
    for make in (step, async_step):
        decision = decided(make("w", provider=provider), 404, headers, body)
        assert (decision.status, decision.error_class) == (Status.FAILED, ErrorClass.CONTRACT)


def test_a_workflow_says_by_which_statuses_its_api_knows_nothing() -> None:
    said = step("w", response={"found_if": "found", "not_found_status": [404, 410, 204]})
    for status, headers, body in [
        (404, JSON, b'{"error":"no such person"}'),
        (410, {}, b""),
        (204, {}, b""),
        (404, {"content-type": "text/plain"}, b"unknown"),
    ]:
        decision = decided(said, status, headers, body)
        assert (decision.status, decision.outcome) == (Status.COMPLETED, Outcome.NOT_FOUND)
    assert decided(said, 403, JSON, b"{}").error_class is ErrorClass.AUTH
    page = decided(said, 404, {"content-type": "text/html; charset=utf-8"}, b"<html>proxy</html>")
    assert (page.status, page.error_class) == (Status.FAILED, ErrorClass.CONTRACT)


@pytest.mark.parametrize("status", [200, 301, 401, 402, 403, 408, 429, 500, 503])
def test_a_status_about_the_caller_or_the_moment_can_be_no_miss(status: int) -> None:
    with pytest.raises(ValidationError, match="never says that a row is not known"):
        ResponseMapping(not_found_status=[status])


def test_a_workflow_that_is_answered_later_has_no_status_for_a_miss() -> None:
    with pytest.raises(ValidationError, match="not_found_status"):
        async_step("w", response={"external_id": "id", "not_found_status": [404]})


def test_n8n_says_that_the_workflow_is_not_active_and_to_retry() -> None:
    decision = decided(async_step("w", provider="n8n"), 404, *WRONG_ADDRESSES[0])
    assert decision.reason is not None
    assert "activate the workflow" in decision.reason and "retry" in decision.reason
    assert "replay" not in decision.reason and "mapping" not in decision.reason
