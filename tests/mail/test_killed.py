"""A sender that is killed at each point of its way: what left is never sent again, what did not leave is not lost."""

from __future__ import annotations

import os
import signal
from collections import Counter
from datetime import timedelta

from enrichment_assets.installation.databases import open_hq
from enrichment_assets.providers import build_providers
from enrichment_assets.services.deliveries.delivering import run_deliveries
from tests.chaos import faults
from tests.chaos.points import MAIL, Point
from tests.harness.batches import BatchHarness, Launched
from tests.mail.post import MONDAY, STEPS, people, posting


def _killed(batch: Launched, point: Point) -> bool:
    """Whether a run in a process of its own came to the point and died there."""
    child = os.fork()
    if child == 0:
        try:
            faults.arm(point.fault())
            hq = open_hq(batch.settings, most=4)
            run_deliveries(hq, batch.settings, batch.key, STEPS[:1], providers=build_providers(batch.sandbox.url))
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_a_sender_that_dies_sends_nothing_twice_and_loses_nothing(harness: BatchHarness) -> None:
    with posting(harness) as post:
        for number in range(len(MAIL)):
            post.mailbox(f"sender{number}", daily_cap=1)
        batch = post.batch(people(len(MAIL)))
        for point in MAIL:
            (due,) = post.rows("select min(next_attempt_at) as at from workflow_states where status = 'PENDING'")
            post.clock.set(max(due["at"], post.clock.moment) + timedelta(minutes=1))
            assert _killed(batch, point), f"no run came to {point}"
            post.clock.set(post.clock.moment + timedelta(minutes=4))  # its lease is over
        post.until(MONDAY + timedelta(days=3, hours=12), batch)
        arrived = Counter(one.rcpt_to[0] for one in post.server.taken)
        assert set(arrived.values()) == {1}
        stands = {
            row["who"]: row["status"]
            for row in post.rows(
                "select i.email as who, s.status from workflow_states s join batch_items i on i.id = s.item_id "
                "where s.workflow_slug = %s",
                STEPS[0],
            )
        }
        assert {who for who, status in stands.items() if status == "COMPLETED"} <= arrived.keys()
        # Who died behind the server's 250, and who died between the intent and the first byte: nobody knows of either.
        unknown = {who for who, status in stands.items() if status == "AMBIGUOUS"}
        assert set(stands.values()) == {"COMPLETED", "AMBIGUOUS"} and len(unknown) >= 2
        assert unknown & arrived.keys() and unknown - arrived.keys()
        held = post.rows("select count(*) as n from mail_messages where slot is not null group by mailbox_id, day")
        assert {row["n"] for row in held} == {1}
