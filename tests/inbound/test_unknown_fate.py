"""A mail whose reply was lost is looked for in the mailbox that gets copies; what is not there a person has to say."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from enrichment_assets.services.deliveries.connections import add_connection
from enrichment_assets.services.deliveries.listening import listen
from enrichment_assets.services.deliveries.resolving import Decision, resolve_delivery
from tests.actors import TESTER
from tests.gate.opening import open_gate
from tests.harness.batches import BatchHarness
from tests.inbound.imap_server import PASSWORD, USER, imap_server
from tests.mail.post import MONDAY, people, posting


def test_a_copy_says_that_a_mail_left_and_nothing_is_sent_again_by_itself(
    harness: BatchHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_COPIES", PASSWORD)
    with posting(harness) as post, imap_server() as copies:
        open_gate(post.hq)
        server = {"host": "127.0.0.1", "port": post.server.port, "security": "plain"}
        post.mailbox("ann", settings={**server, "bcc": USER.upper()})
        add_connection(
            post.hq, "acme", "copies", "imap", actor=TESTER, secret_variable="ACME_COPIES", settings=copies.settings
        )
        post.server.replies["message"] = ["take-and-hang-up", "hang-up"]
        batch = post.batch(people(2))
        post.until(MONDAY + timedelta(hours=12), batch)
        (taken,) = post.server.taken
        assert [to.lower() for to in taken.rcpt_to][1:] == [USER]

        def states() -> Counter[str]:
            return Counter(row["state"] for row in post.rows("select state from deliveries"))

        assert states() == {"unknown": 2}
        listen(post.hq, harness.settings, 20, name="copies")
        assert states() == {"unknown": 2}, "a copy that is not there (yet) proves nothing"
        copies.put(taken.content, folder="Spam")
        with copies.at() as box:
            box.folder.set("Spam")
            box.move(box.uids(), "INBOX")
        listen(post.hq, harness.settings, 20, name="copies")
        assert states() == {"delivered": 1, "unknown": 1}
        actors = post.rows("select actor from operator_actions where action = 'delivery.resolve'")
        assert [row["actor"] for row in actors] == ["event:copies"]
        there = post.rows("select external_id from deliveries where state = 'delivered'")[0]["external_id"]
        assert f"Message-ID: <{there}>".encode() in taken.content

        post.until(MONDAY + timedelta(days=1), batch)
        assert len(post.server.taken) == 1
        left = post.rows("select id from deliveries where state = 'unknown'")[0]["id"]
        resolve_delivery(post.hq, left, Decision.NOT_DELIVERED, actor=TESTER)
        post.at(MONDAY + timedelta(days=1, hours=2), batch)  # it is due at once, and gets another place
        post.until(MONDAY + timedelta(days=3), batch)
        assert len({one.rcpt_to[0] for one in post.server.taken}) == len(post.server.taken) == 2
        assert states() == {"delivered": 2}
