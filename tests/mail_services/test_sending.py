"""Mail through Resend, SendGrid, Mailgun and Postmark: the approved words, the way to say stop, nothing tracked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from enrichment_assets.domain.mail.opt_out import PATH, read_opt_out
from enrichment_assets.domain.mail.service_answers import of_postmark, of_resend
from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.statuses import ErrorClass
from enrichment_assets.domain.suppression import Hasher
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.domain.yaml_text import load_yaml
from enrichment_assets.providers import build_providers
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.deliveries.delivering import deliver
from enrichment_assets.services.people.pepper import pepper_of
from tests.actors import TESTER
from tests.harness.batches import BatchHarness
from tests.harness.handles import hq_of

EXAMPLES = Path(__file__).parents[2] / "examples" / "mail"
SERVICES = ("resend", "sendgrid", "mailgun", "postmark")
TIDY = WorkflowDefinition.model_validate(
    {"slug": "tidy", "title": "Tidy", "step": 1, "provider": "local", "operation": "normalise_name", "mode": "local",
     "uses": ["first_name", "last_name"]}
)  # fmt: skip


def example(name: str) -> WorkflowDefinition:
    """The example with an uploaded title and company as its words, for drafts and gates have tests of their own."""
    text = (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8")
    read = load_yaml(text.replace("draft_subject", "title").replace("draft_body", "company_name"), name)
    return WorkflowDefinition.model_validate(
        {**read, "delivery": {**read["delivery"], "gate": "none", "approval": "none"}}
    )


def taken(sandbox: SandboxProcess, service: str) -> list[dict[str, Any]]:
    mails: list[dict[str, Any]] = httpx.post(f"{sandbox.url}/_sandbox/happen/{service}", json={}).json()["mails"]
    return mails


def test_each_service_is_sent_the_words_the_link_and_what_switches_tracking_off(
    harness: BatchHarness, sandbox: SandboxProcess
) -> None:
    rows = [
        {"first_name": "Bob", "last_name": "Bell", "email": "bob@example.com", "title": "Your greens",
         "company_name": "They are green."},
        {"first_name": "Cid", "last_name": "Cole", "email": "cid@example.com", "title": "Your tees",
         "company_name": "They are new."},
        {"first_name": "Dee", "last_name": "Dow", "title": "No address", "company_name": "Nobody gets it."},
    ]  # fmt: skip
    httpx.post(f"{sandbox.url}/_sandbox/happen/postmark", json={"list": "cid@example.com"}).raise_for_status()
    batch = harness.launch(rows, TIDY)
    batch.run()
    handle = hq_of(batch.settings)
    for name in SERVICES:
        add_workflow(handle, batch.settings, example(name), actor=TESTER)
    slugs = tuple(f"send-via-{name}" for name in SERVICES)

    def send() -> None:
        deliver(handle, batch.settings, batch.key, slugs, actor=TESTER, providers=build_providers(sandbox.url))

    send()
    send()
    mails = {name: taken(sandbox, name) for name in SERVICES}
    assert {name: len(found) for name, found in mails.items()} == {
        "resend": 2,
        "sendgrid": 2,
        "mailgun": 2,
        "postmark": 1,
    }

    def of(name: str, address: str) -> str:
        return next(text for text in map(json.dumps, mails[name]) if address in text)

    hasher = Hasher(pepper_of(handle, batch.settings) or "")
    for name in SERVICES:
        said = of(name, "bob@example.com")
        assert "They are green." in said and "Acme Inc, 1 Main Street" in said and "Your greens" in said
        token = said.split(PATH, 1)[1].split("\\", 1)[0].split(">", 1)[0]
        found = read_opt_out(token, hasher)
        assert found is not None and found.address == "bob@example.com", "the link takes off whom it is sent to"
        assert said.count(token) == 2, "in the text and in the headers"
        assert "List-Unsubscribe=One-Click" in said
    first = {name: mails[name][0] for name in SERVICES}
    off = {"click_tracking": {"enable": False, "enable_text": False}, "open_tracking": {"enable": False}}
    assert first["sendgrid"]["tracking_settings"] == {**off, "subscription_tracking": {"enable": False}}
    assert [first["mailgun"][f"o:tracking{what}"] for what in ("", "-clicks", "-opens")] == ["no"] * 3
    assert (first["postmark"]["TrackOpens"], first["postmark"]["TrackLinks"]) == (False, "None")

    ids = batch.rows("select destination, external_id from deliveries where state = 'delivered' order by 1, 2")
    assert len(ids) == 7 and all(row["external_id"] for row in ids), "by the service's id its events find the mail"
    states = batch.rows("select workflow_slug, status, reason from workflow_states where workflow_slug <> 'tidy'")
    refused = [
        row
        for row in states
        if row["workflow_slug"] == "send-via-postmark" and "on Postmark's list" in (row["reason"] or "")
    ]
    assert len(refused) == 1, [dict(row) for row in states]


@pytest.mark.parametrize(
    ("status", "name", "error"),
    [  # resend.com/docs/api-reference/errors
        (409, "concurrent_idempotent_requests", ErrorClass.RETRYABLE),
        (409, "invalid_idempotent_request", ErrorClass.INVALID_INPUT),
        (429, "rate_limit_exceeded", ErrorClass.RETRYABLE),
        (429, "daily_quota_exceeded", ErrorClass.QUOTA),
        (429, "monthly_quota_exceeded", ErrorClass.QUOTA),
        (403, "invalid_api_key", ErrorClass.AUTH),
        (422, "missing_required_field", ErrorClass.INVALID_INPUT),
        (500, "internal_server_error", ErrorClass.RETRYABLE),
        (200, "rate_limit_exceeded", None),
    ],
)
def test_resends_refusals(status: int, name: str, error: ErrorClass | None) -> None:
    assert of_resend(Answer(status, {}, json.dumps({"statusCode": status, "name": name}).encode())).error is error


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [  # postmarkapp.com/developer/api/overview#error-codes
        (422, 406, ErrorClass.INVALID_INPUT),
        (422, 300, ErrorClass.INVALID_INPUT),
        (422, 405, ErrorClass.QUOTA),
        (422, 412, ErrorClass.AUTH),
        (422, 401, ErrorClass.AUTH),
        (422, "406", ErrorClass.INVALID_INPUT),
        (401, 10, ErrorClass.AUTH),
        (429, None, ErrorClass.RETRYABLE),
        (503, 100, ErrorClass.RETRYABLE),
    ],
)
def test_postmarks_refusals(status: int, code: Any, error: ErrorClass) -> None:
    assert of_postmark(Answer(status, {}, json.dumps({"ErrorCode": code}).encode())).error is error


def test_a_repeated_key_of_resends_is_answered_with_the_first_mail(sandbox: SandboxProcess) -> None:
    mail = {"from": "ann@acme.example", "to": ["bob@example.com"], "subject": "Greens", "text": "Hello"}
    with httpx.Client(base_url=f"{sandbox.url}/resend", headers={"authorization": "Bearer re_test"}) as http:
        sent = [http.post("/emails", json=mail, headers={"Idempotency-Key": "k1"}).json()["id"] for _ in range(2)]
        assert sent[0] == sent[1] and len(taken(sandbox, "resend")) == 1
        other = http.post("/emails", json={**mail, "text": "Other"}, headers={"Idempotency-Key": "k1"})
        assert (other.status_code, other.json()["name"]) == (409, "invalid_idempotent_request")
