"""A thousand mails over three days, and a sender that is killed again and again: minutes, so not in `make test`."""

from __future__ import annotations

import email
import email.policy
import os
import random
import signal
import time as real_time
from collections import Counter
from datetime import timedelta

import pytest

from enrichment_assets.installation.databases import open_hq
from enrichment_assets.providers import build_providers
from enrichment_assets.services.deliveries.delivering import run_deliveries
from tests.harness.batches import BatchHarness, Launched
from tests.mail.post import MONDAY, STEPS, Post, people, posting

pytestmark = [pytest.mark.services, pytest.mark.timeout(1_800)]


def test_a_thousand_mails_over_three_days_arrive_once_each(harness: BatchHarness) -> None:
    with posting(harness) as post:
        for number in range(20):
            post.mailbox(f"sender{number:02}", daily_cap=17)
        began = real_time.monotonic()
        batch = post.batch(people(1_000, domains=300))
        post.until(MONDAY + timedelta(days=2, hours=12), batch)
        seconds = real_time.monotonic() - began
        assert Counter(one.rcpt_to[0] for one in post.server.taken) == {
            f"p{number:04}@club{number % 300}.example": 1 for number in range(1_000)
        }
        for one in post.server.taken:
            head = one.content.partition(b"\r\n\r\n")[0]
            parsed = email.message_from_bytes(one.content, policy=email.policy.default)
            assert parsed["To"].addresses[0].addr_spec == one.rcpt_to[0] and b"=?" not in head
            assert head.count(b"\r\nList-Unsubscribe: <http") == 1
        days = Counter(
            (row["mailbox_id"], row["day"]) for row in post.rows("select mailbox_id, day from mail_messages")
        )
        assert len({day for _, day in days}) == 3 and max(days.values()) <= 17
        print(f"1,000 mails in {seconds:.0f} s")


def _killed(post: Post, batch: Launched, after: float) -> None:
    """A run in a process of its own that is ended at any line."""
    child = os.fork()
    if child == 0:
        try:
            hq = open_hq(batch.settings, most=4)
            run_deliveries(hq, batch.settings, batch.key, STEPS[:1], providers=build_providers(batch.sandbox.url))
        finally:
            os._exit(0)
    real_time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_a_sender_that_is_killed_at_any_line_sends_nothing_twice_and_loses_nothing(harness: BatchHarness) -> None:
    chance = random.Random(18)
    with posting(harness) as post:
        for number in range(8):
            post.mailbox(f"sender{number}", daily_cap=20)
        batch = post.batch(people(240, domains=60))
        kills = 0
        for step in range(60):
            post.clock.set(MONDAY + timedelta(days=step // 20, hours=1, minutes=25 * (step % 20)))
            _killed(post, batch, chance.uniform(0.0, 1.2))
            kills += 1
        post.until(MONDAY + timedelta(days=4, hours=12), batch)
        arrived = Counter(one.rcpt_to[0] for one in post.server.taken)
        stands = {
            row["who"]: row["status"]
            for row in post.rows(
                "select i.email as who, s.status from workflow_states s join batch_items i on i.id = s.item_id "
                "where s.workflow_slug = 'send-1'"
            )
        }
        assert max(arrived.values()) == 1
        assert {who for who, status in stands.items() if status == "COMPLETED"} <= arrived.keys()
        assert set(stands.values()) <= {"COMPLETED", "AMBIGUOUS"} and len(stands) == 240
        assert arrived.keys() <= stands.keys()
        held = post.rows(
            "select mailbox_id, day, count(*) as n from mail_messages where slot is not null group by 1, 2"
        )
        assert max(row["n"] for row in held) <= 20
        print(kills, "kills:", Counter(stands.values()), len(arrived), "arrived")
