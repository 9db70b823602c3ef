"""Events of sending services, from the POST to what follows: signed ones count once, others do not count."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enrichment_assets.domain.signatures import standard_webhooks_signature
from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.services.catalog.clients import add_client
from enrichment_assets.services.deliveries.connections import add_connection
from enrichment_assets.services.deliveries.listening import listen
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.handles import hq_of

RESEND = "whsec_" + base64.b64encode(b"a secret of this test, made up").decode()


def bounce_of_resend(address: str) -> bytes:
    data = {"email_id": "e1", "to": [address], "bounce": {"type": "Permanent", "subType": "General"}}
    return json.dumps({"type": "email.bounced", "created_at": "2026-11-29T09:00:00Z", "data": data}).encode()


def svix(body: bytes, number: str) -> dict[str, str]:
    now = str(int(time.time()))
    signature = standard_webhooks_signature(RESEND, number, now, body)
    return {"svix-id": number, "svix-timestamp": now, "svix-signature": signature}


def mailgun(address: str, token: str, key: bytes = b"mailgun key") -> bytes:
    signature = hmac.new(key, b"1764370800" + token.encode(), hashlib.sha256).hexdigest()
    signed = {"timestamp": "1764370800", "token": token, "signature": signature}
    return json.dumps({"signature": signed, "event-data": {"event": "complained", "recipient": address}}).encode()


def test_signed_events_count_once_and_others_do_not(
    settings: Settings, hq: psycopg.Connection[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    monkeypatch.setenv("ACME_RESEND", RESEND)
    monkeypatch.setenv("ACME_SENDGRID", base64.b64encode(public).decode())
    monkeypatch.setenv("ACME_MAILGUN", "mailgun key")
    handle = hq_of(settings)
    add_client(handle, "acme", "Acme", actor=TESTER)
    secrets = {"resend": "ACME_RESEND", "sendgrid": "ACME_SENDGRID", "mailgun": "ACME_MAILGUN", "postmark": None}
    paths = {
        kind: add_connection(handle, "acme", f"acme-{kind}", kind, actor=TESTER, secret_variable=variable).path or ""
        for kind, variable in secrets.items()
    }
    spam = b'[{"event":"spamreport","email":"cid@example.com","sg_event_id":"s1","timestamp":1764370800}]'
    stamp = "1764370800"
    signature = base64.b64encode(private.sign(stamp.encode() + spam, ec.ECDSA(SHA256()))).decode()
    name = "x-twilio-email-event-webhook-"
    twilio = {f"{name}signature": signature, f"{name}timestamp": stamp}
    hard, other = bounce_of_resend("bob@example.com"), bounce_of_resend("eve@example.com")
    inactive = json.dumps({"RecordType": "SubscriptionChange", "Recipient": "dee@example.com", "Origin": "Recipient",
                           "SuppressSending": True, "SuppressionReason": "ManualSuppression"}).encode()  # fmt: skip
    posts = [
        ("resend", hard, svix(hard, "msg_1")),
        ("resend", hard + b" ", svix(hard + b" ", "msg_1")),  # tried again
        ("resend", other, svix(hard, "msg_2")),  # another body than was signed
        ("sendgrid", spam, twilio),
        ("sendgrid", spam.replace(b"cid", b"eve"), twilio),
        ("mailgun", mailgun("fay@example.com", "token-1"), {}),
        ("mailgun", mailgun("eve@example.com", "token-1"), {}),  # the signature of a message beside another event
        ("mailgun", mailgun("eve@example.com", "token-2", b"guessed"), {}),
        ("postmark", inactive, {}),
    ]
    with ReceiverProcess(settings) as receiver:
        for kind, body, headers in posts:
            answer = httpx.post(receiver.url + paths[kind], content=body, headers=headers, timeout=30)
            assert answer.status_code == 200, (kind, answer.text)
    done = listen(handle, settings, 20)
    assert (done.read, done.dead) == (6, 3), done.troubles
    rows = hq.execute(
        "select source, kind, data ->> 'address' as who from delivery_events order by source, id"
    ).fetchall()
    assert [(row["source"], row["kind"], row["who"]) for row in rows] == [
        ("acme-mailgun", "complained", "fay@example.com"),
        ("acme-postmark", "unsubscribed", "dee@example.com"),
        ("acme-resend", "bounced", "bob@example.com"),
        ("acme-sendgrid", "complained", "cid@example.com"),
    ]
    kept = hq.execute("select count(*) as n from suppressions where kind = 'email'").fetchone()
    assert kept is not None and kept["n"] == 4, "each of the four, and nobody whom a stranger named"
