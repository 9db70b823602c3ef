"""The clients of Resend, SendGrid and Mailgun against the simulated ones; Postmark has none that is kept."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import resend
from mailgun.client import Client as Mailgun
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import ClickTracking, Mail, OpenTracking, TrackingSettings

from enrichment_assets.sandbox import SandboxProcess

ANN, BOB = "ann@acme.example", "bob@example.com"


def taken(sandbox: SandboxProcess, service: str, **told: Any) -> list[dict[str, Any]]:
    mails: list[dict[str, Any]] = httpx.post(f"{sandbox.url}/_sandbox/happen/{service}", json=told).json()["mails"]
    return mails


def test_resends_client_sends_once_for_a_key(sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resend, "api_url", f"{sandbox.url}/resend")
    monkeypatch.setattr(resend, "api_key", "re_test")
    mail: resend.Emails.SendParams = {"from": ANN, "to": [BOB], "subject": "Greens", "text": "Hello"}
    first = resend.Emails.send(mail, {"idempotency_key": "k1"})
    assert resend.Emails.send(mail, {"idempotency_key": "k1"})["id"] == first["id"]
    assert [one["to"] for one in taken(sandbox, "resend")] == [[BOB]]
    with pytest.raises(resend.exceptions.ResendError) as refused:
        resend.Emails.send({**mail, "text": "Other"}, {"idempotency_key": "k1"})
    assert refused.value.error_type == "invalid_idempotent_request"


def test_sendgrids_client_reads_the_id_from_a_header(sandbox: SandboxProcess) -> None:
    mail = Mail(from_email=ANN, to_emails=BOB, subject="Greens", plain_text_content="Hello")
    mail.tracking_settings = TrackingSettings(ClickTracking(False, False), OpenTracking(False))
    answer = SendGridAPIClient("SG.test", host=f"{sandbox.url}/sendgrid").send(mail)
    assert (answer.status_code, answer.body) == (202, b"") and answer.headers["X-Message-Id"]
    (said,) = taken(sandbox, "sendgrid")
    assert said["tracking_settings"] == {
        "click_tracking": {"enable": False, "enable_text": False},
        "open_tracking": {"enable": False},
    }, "as our own request says it"


def test_mailguns_client_sends_a_form(sandbox: SandboxProcess) -> None:
    client = Mailgun(auth=("api", "key-test"), api_url=f"{sandbox.url}/mailgun")
    data = {"from": ANN, "to": BOB, "subject": "Greens", "text": "Hello", "o:tracking": "no", "v:enrich_key": "k"}
    answer = client.messages.create(data=data, domain="mg.acme.example")
    assert (answer.status_code, answer.json()["message"]) == (200, "Queued. Thank you.")
    assert answer.json()["id"].endswith("@mg.acme.example>")
    assert [(one["o:tracking"], one["v:enrich_key"]) for one in taken(sandbox, "mailgun")] == [("no", "k")]
