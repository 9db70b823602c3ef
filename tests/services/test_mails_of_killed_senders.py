"""A sender of mails that is killed again and again, at any line: a minute, so not in `make test`."""

from __future__ import annotations

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
