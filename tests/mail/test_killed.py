"""A sender that is killed at each point of its way: what left is never sent again, what did not leave is not lost."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from enrichment_assets.installation.databases import open_hq
from enrichment_assets.providers import build_providers
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.deliveries.delivering import deliver, run_deliveries
from tests.actors import TESTER
from tests.chaos.dying import dies_at
from tests.chaos.points import MAIL, RESERVING, WOKEN, Point
from tests.delivery.test_delivering import finished
from tests.harness.batches import BatchHarness, Launched
from tests.mail.post import MONDAY, STEPS, mail_step, people, posting


def _killed(batch: Launched, point: Point) -> bool:
    """Whether a run in a process of its own came to the point and died there."""

    def run() -> None:
        hq = open_hq(batch.settings, most=4)
        run_deliveries(hq, batch.settings, batch.key, STEPS[:1], providers=build_providers(batch.sandbox.url))

    return dies_at(point, run)


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


def test_who_dies_while_places_are_reserved_or_a_mailbox_is_added_has_done_nothing(harness: BatchHarness) -> None:
    with posting(harness) as post:
        batch = finished(harness, people(2))
        add_workflow(post.hq, harness.settings, mail_step(1, gate="contact"), actor=TESTER)

        def plan() -> None:
            deliver(
                open_hq(batch.settings, most=4), batch.settings, batch.key, STEPS[:1], actor=TESTER,
                providers=build_providers(batch.sandbox.url),
            )  # fmt: skip

        assert dies_at(RESERVING, plan)
        assert post.rows("select 1 from gate_contacts") == []

        post.plan(batch)
        assert len(post.rows("select distinct item_id from gate_contacts")) == 2
        assert dies_at(WOKEN, lambda: post.mailbox("ann", hq=open_hq(batch.settings, most=4)))
        assert post.rows("select 1 from mailboxes") == []
        post.mailbox("ann")
        post.until(MONDAY + timedelta(days=2), batch)
        assert len(post.server.taken) == 2
