"""A mailbox is read by Gmail's history: answers and bounces are taken once, also after the history has expired."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest

from enrichment_assets.domain.mail.mailboxes import MailboxKind
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.catalog.clients import add_client
from enrichment_assets.services.deliveries.connections import add_connection, list_messages
from enrichment_assets.services.deliveries.listening import listen
from enrichment_assets.services.mail.mailboxes import NewMailbox, add_mailbox
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.harness.handles import hq_of

ME = "ann@acme.example"
BOUNCE = """\
From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\r
To: ann@acme.example\r
Subject: Delivery Status Notification (Failure)\r
Message-ID: <bounce-1@mx.google.com>\r
Content-Type: multipart/report; boundary="b"; report-type=delivery-status\r
\r
--b\r
Content-Type: text/plain; charset="UTF-8"\r
\r
Your message wasn't delivered to cid@example.com because the address couldn't be found.\r
\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; googlemail.com\r
\r
Final-Recipient: rfc822; cid@example.com\r
Action: failed\r
Status: 5.1.1\r
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.\r
\r
--b\r
Content-Type: message/rfc822\r
\r
Message-ID: <m2@acme.example>\r
To: cid@example.com\r
Subject: Your greens\r
\r
Hello\r
--b--\r
"""


def answer(number: int, to: int) -> str:
    return (
        f"Message-ID: <r{number}@example.com>\r\nFrom: Bob <bob@example.com>\r\nTo: {ME}\r\nSubject: Re: Greens\r\n"
        f"In-Reply-To: <m{to}@acme.example>\r\nDate: Sun, 29 Nov 2026 09:00:00 +0000\r\n\r\nSounds good, call me.\r\n"
    )


def test_what_comes_to_a_gmail_mailbox_is_taken_once(
    settings: Settings, hq: psycopg.Connection[dict[str, Any]], sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": ME}
    monkeypatch.setenv("ACME_GMAIL", json.dumps(told))
    handle, installation = hq_of(settings), replace(settings, sandbox_url=sandbox.url)
    add_client(handle, "acme", "Acme", actor=TESTER)
    add_mailbox(
        handle, "acme", actor=TESTER,
        new=NewMailbox(ME, MailboxKind.SMTP, {"host": "127.0.0.1", "security": "plain"}, {}, "Acme, 1 Road", "UTC"),
    )  # fmt: skip
    hq.execute(
        """
        insert into mail_messages (client_id, mailbox_id, recipient, receiving_domain, message_id, state, day,
            scheduled_at, sent_at)
        select m.client_id, m.id, p.name || '@example.com', 'example.com', '<m' || p.n || '@acme.example>', 'sent',
               current_date, now(), now()
        from mailboxes m, unnest('{bob,cid}'::text[]) with ordinality as p(name, n)
        """
    )
    hq.commit()
    add_connection(handle, "acme", "acme-gmail", "gmail", actor=TESTER, secret_variable="ACME_GMAIL")

    def happen(**what: Any) -> None:
        httpx.post(f"{sandbox.url}/_sandbox/happen/gmail", json={"mailbox": ME, **what}).raise_for_status()

    def arrive(text: str) -> None:
        happen(raw=base64.b64encode(text.encode()).decode())

    def look() -> list[str]:
        done = listen(handle, installation, 20, name="acme-gmail")
        assert (done.dead, done.troubles) == (0, {})
        rows = hq.execute("select kind from delivery_events order by id").fetchall()
        hq.commit()
        return [row["kind"] for row in rows]

    arrive(answer(0, 1))
    assert look() == [], "what was there before the connection is not read"
    arrive(answer(1, 1))
    arrive(BOUNCE)
    arrive(answer(2, 7).replace("bob@example.com", "stranger@example.net"))
    assert look() == ["replied", "bounced"], "a stranger's mail is no answer of ours"
    assert look() == ["replied", "bounced"]
    kept = len(list_messages(handle, limit=100))

    happen(expire=True)
    arrive(answer(3, 1))
    happen(expire=True)
    assert look() == ["replied", "bounced", "replied", "replied"], "read anew: what was before the connection, too"
    assert len(list_messages(handle, limit=100)) == kept + 3
    assert look().count("bounced") == 1

    happen(revoke=True)
    troubled = listen(handle, installation, 20, name="acme-gmail")
    assert troubled.troubles == {"acme-gmail": "Google refuses the grant: it was revoked, or the password changed"}, (
        "told, and nothing else is tried"
    )
