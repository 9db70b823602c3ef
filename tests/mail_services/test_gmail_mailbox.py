"""A mailbox of Google's sends its mails as any other: at their places, once, in their thread."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import httpx
import pytest

from enrichment_assets.domain.mail.mailboxes import MailboxKind
from enrichment_assets.services.mail.domain_questions import Said
from enrichment_assets.services.mail.domain_standing import accept, check
from enrichment_assets.services.mail.mailboxes import list_mailboxes
from enrichment_assets.wire.dns_names import DnsNames
from tests.actors import TESTER
from tests.harness.batches import BatchHarness
from tests.mail.post import MONDAY, people, posting

ANN = "ann@acme.example"


def test_mails_leave_through_gmail_at_their_places_and_in_their_thread(
    harness: BatchHarness, names: DnsNames, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": f"rewriting+{ANN}"}
    monkeypatch.setenv("ACME_GMAIL", json.dumps(told))
    sandbox = harness.sandbox.url
    with posting(harness) as post:
        post.mailbox("ann", kind=MailboxKind.GMAIL, settings={}, secrets={"credentials": "ACME_GMAIL"}, daily_cap=10)
        batch = post.batch(people(2), steps=2)
        assert post.rows("select 1 from mail_messages where slot is not null") == [], "its domain was not checked"
        check(post.hq, harness.settings, ANN, Said(), names, actor=TESTER)
        accept(post.hq, ANN, "a domain of a test", actor=TESTER)
        post.plan(batch, 2)
        post.until(MONDAY + timedelta(days=4), batch, steps=2)

        with httpx.Client(
            base_url=f"{sandbox}/gmail/gmail/v1/users/me", headers={"authorization": f"Bearer ya29.{ANN}"}
        ) as http:
            listed = http.get("/messages").json()["messages"]
            shown = [http.get(f"/messages/{one['id']}", params={"format": "raw"}).json() for one in listed]
        sent = [base64.urlsafe_b64decode(one["raw"]).decode() for one in shown]
        assert len(sent) == 4 and len({one["threadId"] for one in listed}) == 2, (
            "two people, two mails each, a thread each"
        )
        assert all("List-Unsubscribe-Post: List-Unsubscribe=One-Click" in one for one in sent)
        assert post.server.taken == [], "nothing by SMTP"
        rows = post.rows("select state, message_id from mail_messages where state <> 'dropped'")
        assert {row["state"] for row in rows} == {"sent"}
        ids = {f"<{row['external_id']}>" for row in post.rows("select external_id from deliveries")}
        assert ids == {row["message_id"] for row in rows}, "known by the Message-ID that was read back"
        assert all(one.endswith("@mail.gmail.com>") for one in ids), "which Gmail had changed"

        httpx.post(f"{sandbox}/_sandbox/happen/gmail", json={"mailbox": ANN, "revoke": True}).raise_for_status()
        later = post.batch(people(5)[3:])
        post.until(MONDAY + timedelta(days=8), later)
        (box,) = list_mailboxes(post.hq)
        assert box.mailbox.paused_at is not None and "535 at AUTH" in (box.mailbox.paused_reason or "")
        calls = post.rows("select count(*) as n from provider_calls where http_status = 535")
        assert calls[0]["n"] <= 2, "a grant that is gone is not tried again and again"
