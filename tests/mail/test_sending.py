"""Mails of a batch leave once each, at their places, and what becomes of them is known."""

from __future__ import annotations

import email
import email.policy
from collections import Counter
from datetime import date, timedelta

from tests.harness.batches import BatchHarness
from tests.mail.post import MONDAY, NEW_YORK, people, posting


def test_a_sequence_leaves_over_days_each_mail_once_and_in_its_thread(harness: BatchHarness) -> None:
    """Two mailboxes of four and three a day, ten people, two steps a day apart: twenty mails in three days."""
    with posting(harness) as post:
        post.mailbox("ann", daily_cap=4)
        post.mailbox("bob", daily_cap=3)
        batch = post.batch(people(10), steps=2)
        assert post.server.taken == []
        post.until(MONDAY + timedelta(days=4), batch, steps=2)

        sent = [email.message_from_bytes(one.content, policy=email.policy.default) for one in post.server.taken]
        assert Counter((one["To"], one["Subject"].startswith("Re: ")) for one in sent) == {
            (f"p{number:04}@club{number % 7}.example", follow): 1 for number in range(10) for follow in (False, True)
        }
        assert len({one["Message-ID"] for one in sent}) == 20
        rows = post.rows(
            "select m.*, b.address as mailbox, (m.sent_at at time zone 'America/New_York') as local "
            "from mail_messages m join mailboxes b on b.id = m.mailbox_id where state <> 'dropped' order by sent_at"
        )
        assert {row["state"] for row in rows} == {"sent"} and len(rows) == 20
        by_day = Counter((row["mailbox"], row["day"]) for row in rows)
        assert all(count <= {"ann@acme.example": 4, "bob@acme.example": 3}[box] for (box, _), count in by_day.items())
        assert all(9 <= row["local"].hour <= 17 and row["local"].date() == row["day"] for row in rows)
        assert max(row["day"] for row in rows) <= date(2027, 3, 11)

        for number in range(10):
            first, second = (row for row in rows if row["recipient"].startswith(f"p{number:04}"))
            assert (first["step"], second["step"], second["thread"]) == (1, 2, first["id"])
            assert first["mailbox"] == second["mailbox"]  # whoever began goes on
            assert second["sent_at"] - first["sent_at"] >= timedelta(hours=20)
            (message,) = (one for one in sent if one["Message-ID"] == second["message_id"])
            assert message["In-Reply-To"] == message["References"] == first["message_id"]
            assert message["From"].addresses[0].addr_spec == second["mailbox"]

        before = len(post.server.taken)
        post.plan(batch, 2)
        post.plan(post.batch(people(10), steps=2), 2)  # the same people in another batch
        post.until(MONDAY + timedelta(days=6), batch, steps=2)
        assert len(post.server.taken) == before

        deliveries = post.rows("select state, external_id from deliveries")
        assert {row["state"] for row in deliveries} == {"delivered"}
        assert {f"<{row['external_id']}>" for row in deliveries} == {one["Message-ID"] for one in sent}
        events = post.rows("select kind, source, item_id from delivery_events")
        assert Counter((row["kind"], row["source"].partition(":")[0]) for row in events) == {("sent", "mailbox"): 20}
        edits = post.rows("select distinct field, value from item_edits where field = 'prospect_status'")
        assert [(row["field"], row["value"]) for row in edits] == [("prospect_status", "contacted")]
        dated = post.rows("select max(value) as at from item_edits where field = 'email_sent_at'")
        assert dated[0]["at"].startswith("2027-03-")


def test_places_are_kept_in_the_zone_of_the_recipient_and_a_lowered_cap_counts_at_once(harness: BatchHarness) -> None:
    with posting(harness) as post:
        post.mailbox("ann", daily_cap=6)
        batch = post.batch([*people(3, country="Germany"), *people(6)[3:]])
        planned = post.rows("select recipient, scheduled_at from mail_messages order by recipient")
        berlin = [row["scheduled_at"].astimezone(NEW_YORK) for row in planned[:3]]
        assert all(one.hour < 11 for one in berlin)  # five in the afternoon there
        from enrichment_assets.services.mail.mailboxes import set_caps
        from tests.actors import TESTER

        set_caps(post.hq, "ann@acme.example", actor=TESTER, daily_cap=2)
        post.until(MONDAY + timedelta(hours=15), batch)
        assert len(post.server.taken) == 2
        post.until(MONDAY + timedelta(days=2, hours=15), batch)
        assert len(post.server.taken) == 6
        assert set(
            Counter(row["day"] for row in post.rows("select day from mail_messages where state = 'sent'")).values()
        ) == {2}
