"""Mails of a batch leave once each, at their places, and what becomes of them is known."""

from __future__ import annotations

import email
import email.policy
from collections import Counter
from datetime import datetime, timedelta

from enrichment_assets.domain.delivery_events import DeliveryEvent, EventKind, EventSource
from enrichment_assets.services.deliveries.coming_back import take
from enrichment_assets.services.mail.mailboxes import resume_mailbox, set_caps
from enrichment_assets.services.mail.opting_out import opt_out, whom
from enrichment_assets.services.mail.preview import preview_mails
from enrichment_assets.services.operations.holding import pause, resume
from tests.actors import TESTER
from tests.harness.batches import BatchHarness
from tests.mail.post import MONDAY, NEW_YORK, people, posting


def test_a_sequence_leaves_over_days_each_mail_once_and_in_its_thread(harness: BatchHarness) -> None:
    """Two mailboxes of two and one a day, five people, two steps a day apart: ten mails in four days."""
    with posting(harness) as post:
        post.mailbox("ann", daily_cap=2)
        post.mailbox("bob", daily_cap=1)
        batch = post.batch(people(5), steps=2)
        assert post.server.taken == []
        post.until(MONDAY + timedelta(days=4, hours=12), batch, steps=2)

        sent = [email.message_from_bytes(one.content, policy=email.policy.default) for one in post.server.taken]
        assert Counter((one["To"], one["Subject"].startswith("Re: ")) for one in sent) == {
            (f"p{number:04}@club{number % 7}.example", follow): 1 for number in range(5) for follow in (False, True)
        }
        assert len({one["Message-ID"] for one in sent}) == 10
        rows = post.rows(
            "select m.*, b.address as mailbox, (m.sent_at at time zone 'America/New_York') as local "
            "from mail_messages m join mailboxes b on b.id = m.mailbox_id where state <> 'dropped' order by sent_at"
        )
        assert {row["state"] for row in rows} == {"sent"} and len(rows) == 10
        by_day = Counter((row["mailbox"], row["day"]) for row in rows)
        assert all(count <= {"ann@acme.example": 2, "bob@acme.example": 1}[box] for (box, _), count in by_day.items())
        assert all(9 <= row["local"].hour <= 17 and row["local"].date() == row["day"] for row in rows)
        assert max(row["day"] for row in rows) <= MONDAY.date() + timedelta(days=4)

        for number in range(5):
            first, second = (row for row in rows if row["recipient"].startswith(f"p{number:04}"))
            assert (first["step"], second["step"], second["thread"]) == (1, 2, first["id"])
            assert first["mailbox"] == second["mailbox"]  # whoever began goes on
            assert second["sent_at"] - first["sent_at"] >= timedelta(hours=20)
            (message,) = (one for one in sent if one["Message-ID"] == second["message_id"])
            assert message["In-Reply-To"] == message["References"] == first["message_id"]
            assert message["From"].addresses[0].addr_spec == second["mailbox"]

        before = len(post.server.taken)
        post.plan(batch, 2)
        post.plan(post.batch(people(5), steps=2), 2)  # the same people in another batch
        post.until(MONDAY + timedelta(days=7, hours=12), batch, steps=2)
        assert len(post.server.taken) == before

        deliveries = post.rows("select state, external_id from deliveries")
        assert {row["state"] for row in deliveries} == {"delivered"}
        assert {f"<{row['external_id']}>" for row in deliveries} == {one["Message-ID"] for one in sent}
        events = post.rows("select kind, source, item_id from delivery_events")
        assert Counter((row["kind"], row["source"].partition(":")[0]) for row in events) == {("sent", "mailbox"): 10}
        edits = post.rows("select distinct field, value from item_edits where field = 'prospect_status'")
        assert [(row["field"], row["value"]) for row in edits] == [("prospect_status", "contacted")]
        dated = post.rows("select max(value) as at from item_edits where field = 'email_sent_at'")
        assert datetime.fromisoformat(dated[0]["at"]) == rows[-1]["sent_at"]


def test_places_are_kept_in_the_zone_of_the_recipient_and_a_lowered_cap_counts_at_once(harness: BatchHarness) -> None:
    with posting(harness) as post:
        post.mailbox("ann", daily_cap=6)
        batch = post.batch([*people(3, country="Germany"), *people(6)[3:]])
        planned = post.rows("select recipient, scheduled_at from mail_messages order by recipient")
        berlin = [row["scheduled_at"].astimezone(NEW_YORK) for row in planned[:3]]
        assert all(one.hour < 11 for one in berlin)  # five in the afternoon there
        set_caps(post.hq, "ann@acme.example", actor=TESTER, daily_cap=2)
        post.until(MONDAY + timedelta(hours=15), batch)
        assert len(post.server.taken) == 2
        post.until(MONDAY + timedelta(days=2, hours=15), batch)
        assert len(post.server.taken) == 6
        assert set(
            Counter(row["day"] for row in post.rows("select day from mail_messages where state = 'sent'")).values()
        ) == {2}


def test_what_a_server_says_decides_about_the_mail_the_person_or_the_mailbox(harness: BatchHarness) -> None:
    """One refused for good, one greylisted, one of unknown fate, one whose address is no address, one that arrives."""
    with posting(harness) as post:
        post.mailbox("ann")
        batch = post.batch(people(5), steps=2)
        post.server.refused = {"p0000@club0.example": "550 5.1.1 no such user"}
        post.server.greylisted = {"p0001@club1.example": "451 4.7.1 greylisted, try again in 600 seconds"}
        post.server.lost = {"p0002@club2.example"}
        post.until(MONDAY + timedelta(hours=12), batch, steps=2)

        def stand(slug: str = "send-1") -> dict[str, str]:
            rows = post.rows(
                "select p.lead ->> 'email' as who, s.status from workflow_states s join planned_deliveries p "
                "on p.item_id = s.item_id and p.workflow_slug = s.workflow_slug where s.workflow_slug = %s",
                slug,
            )
            return {row["who"][:5]: row["status"] for row in rows}

        assert stand() == {
            "p0000": "FAILED",
            "p0001": "COMPLETED",
            "p0002": "AMBIGUOUS",
            "p0003": "COMPLETED",
            "p0004": "COMPLETED",
        }
        arrived = Counter(one.rcpt_to[0][:5] for one in post.server.taken)
        assert arrived == {"p0001": 1, "p0002": 1, "p0003": 1, "p0004": 1}
        states = {row["recipient"][:5]: row for row in post.rows("select * from mail_messages where step = 1")}
        assert {who: row["state"] for who, row in states.items()} == {
            "p0000": "refused",
            "p0001": "sent",
            "p0002": "unknown",
            "p0003": "sent",
            "p0004": "sent",
        }
        assert states["p0000"]["reply_code"] == 550 and states["p0000"]["bounced_at"] is not None
        assert "club0" not in states["p0000"]["reason"]
        kinds = Counter(row["kind"] for row in post.rows("select kind from delivery_events"))
        assert kinds == {"sent": 3, "bounced": 1}
        assert post.rows("select count(*) as n from suppressions")[0]["n"] == 1
        status = post.rows("select value from item_edits where field = 'email_status'")
        assert [row["value"] for row in status] == ["bounced"]

        # One has a copy in our own mailbox, one has answered, one has clicked the link in the mail.
        settings = batch.settings
        copied = DeliveryEvent(EventKind.SENT, post.clock.moment, "copy 1", delivery_id=states["p0002"]["delivery_id"])
        reply = DeliveryEvent(EventKind.REPLIED, post.clock.moment, "reply 1", address="p0003@club3.example")
        take(post.hq, settings, EventSource(states["p0002"]["client_id"], "imap:sent", "imap"), [copied, reply])
        (mail,) = (one for one in post.server.taken if one.rcpt_to[0].startswith("p0001"))
        link = str(email.message_from_bytes(mail.content)["List-Unsubscribe"]).strip("<>")
        said = whom(settings, link.rpartition("/")[2])
        assert said is not None and said.address == "p0001@club1.example" and opt_out(post.hq, settings, said)

        post.until(MONDAY + timedelta(days=2, hours=12), batch, steps=2)  # who did not get the first hears no second
        assert Counter(one.rcpt_to[0][:5] for one in post.server.taken) - arrived == {"p0002": 1, "p0004": 1}
        assert stand()["p0002"] == "COMPLETED"
        reasons = {row["who"][:5]: row["reason"] for row in post.rows(
            "select i.email as who, s.reason from workflow_states s join batch_items i on i.id = s.item_id "
            "where s.workflow_slug = 'send-2' and s.status = 'SKIPPED'"
        )}  # fmt: skip
        assert {who: reason.partition(":")[0] for who, reason in reasons.items()} == {
            "p0000": "out_of_sequence",
            "p0001": "suppressed",
            "p0003": "stopped",
        }


def test_a_mailbox_whose_login_is_refused_stops_and_the_others_send_its_first_mails(harness: BatchHarness) -> None:
    with posting(harness) as post:
        post.mailbox("ann", daily_cap=3)
        post.mailbox("bob", daily_cap=3)
        batch = post.batch(people(4))
        post.server.replies["MAIL"] = ["550 5.7.1 this mailbox is blocked"]
        post.until(MONDAY + timedelta(days=2), batch)
        boxes = {row["address"]: row["paused_reason"] for row in post.rows("select * from mailboxes")}
        assert list(boxes.values()).count(None) == 1
        (why,) = (reason for reason in boxes.values() if reason is not None)
        assert "SMTP 550 5.7.1 at MAIL" in why
        assert Counter(one.rcpt_to[0][:5] for one in post.server.taken) == {f"p{n:04}": 1 for n in range(4)}
        assert len({one.mail_from for one in post.server.taken[-2:]}) == 1
        (action,) = post.rows("select actor from operator_actions where action = 'mailbox.pause'")
        assert action["actor"] == "sensor:mailboxes"


def test_a_mailbox_with_too_many_bounces_stops_by_itself_until_somebody_lets_it_go_on(harness: BatchHarness) -> None:
    with posting(harness) as post:
        post.mailbox("ann", daily_cap=20)
        batch = post.batch(people(8))
        post.server.refused = {f"p000{n}@club{n}.example": "550 5.1.1 no such user" for n in (0, 1)}
        (first,) = post.rows("select min(scheduled_at) as at from mail_messages")
        post.at(first["at"] - timedelta(seconds=20), batch)
        assert {row["state"] for row in post.rows("select state from mail_messages")} == {"planned"}  # it did not wait
        post.until(MONDAY + timedelta(hours=12), batch)
        (box,) = post.rows("select paused_reason from mailboxes")
        assert box["paused_reason"].startswith("2 of ") and box["paused_reason"].endswith("more than 2%")
        sent = len(post.server.taken)
        assert sent < 6
        resume_mailbox(post.hq, "ann@acme.example", actor=TESTER)
        post.until(MONDAY + timedelta(days=2), batch)
        assert len(post.server.taken) == 6
        (box,) = post.rows("select paused_reason from mailboxes")
        assert box["paused_reason"] is None


def test_mails_of_a_held_batch_leave_their_places_to_others_until_the_batch_goes_on(harness: BatchHarness) -> None:
    with posting(harness) as post:
        post.mailbox("ann", daily_cap=2)
        batch = post.batch(people(4))
        pause(post.hq, batch.key, actor=TESTER)
        shown = preview_mails(post.hq, batch.key)
        assert (shown.mails, shown.batch_held) == ([], f"paused by {TESTER}")

        other = post.batch([*people(6)[4:]])
        post.until(MONDAY + timedelta(hours=12), other)
        assert sorted(one.rcpt_to[0][:5] for one in post.server.taken) == ["p0004", "p0005"]

        resume(post.hq, batch.key, actor=TESTER)
        (due,) = post.rows("select resume_at from batch_deliveries where batch_id = %s", batch.batch_id)
        assert due["resume_at"] <= post.clock.moment
        post.until(MONDAY + timedelta(days=2, hours=12), batch)
        assert sorted(one.rcpt_to[0][:5] for one in post.server.taken) == [f"p000{n}" for n in range(6)]
