"""Mails wait for their morning, and what was said since they were planned counts: nothing goes where nothing should."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from enrichment_assets.domain.delivery_events import DeliveryEvent, EventKind, EventSource
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.providers import build_providers
from enrichment_assets.services.catalog import archiving
from enrichment_assets.services.catalog.configuration import set_workflow_enabled
from enrichment_assets.services.deliveries.coming_back import take
from enrichment_assets.services.deliveries.due import deliver_due
from enrichment_assets.services.deliveries.resolving import Decision, list_deliveries, resolve_delivery
from enrichment_assets.services.insight.editing import edit_lead
from enrichment_assets.services.operations.holding import cancel, pause, resume
from enrichment_assets.store.deliveries.batches import due_deliveries
from tests.actors import TESTER
from tests.harness.batches import BatchHarness, Launched
from tests.mail.post import STEPS, Post, people, posting

(STEP, *_) = STEPS
PROFILE = "https://www.linkedin.com/in/p-archer"


class NoPartitions:
    """Batches are no partitions of any Dagster here."""

    def add(self, batch_key: str) -> None:
        """Nothing is added."""

    def remove(self, batch_key: str) -> None:
        """Nothing is taken out."""


def a_day(post: Post, *batches: Launched) -> None:
    """A day goes by: whatever is due is looked at when it is, as the platform does by itself."""
    end = post.clock.moment + timedelta(days=1)
    with post.hq.transaction() as connection:
        now_due = {one.batch_key for one in due_deliveries(connection)}
    for batch in (one for one in batches if one.key in now_due):
        providers = build_providers(batch.sandbox.url)
        deliver_due(post.hq, batch.settings, batch.key, STEP, actor=TESTER, providers=providers)
    for _ in range(40):
        due = post.rows(
            "select batch_id, coalesce(min(next_attempt_at), %s) as at from workflow_states "
            "where status = 'PENDING' and workflow_slug = %s group by batch_id order by at",
            post.clock.moment,
            STEP,
        )
        found = [(row["at"], one) for row in due for one in batches if one.batch_id == row["batch_id"]]
        if not found or found[0][0] > end:
            break
        at, batch = found[0]
        post.clock.set(max(at, post.clock.moment) + timedelta(minutes=1))
        providers = build_providers(batch.sandbox.url)
        deliver_due(post.hq, batch.settings, batch.key, STEP, actor=TESTER, providers=providers)
    post.clock.set(end)


def arrived(post: Post) -> list[str]:
    """To whom mail went."""
    return sorted(one.rcpt_to[0] for one in post.server.taken)


def test_what_is_put_away_or_switched_off_sends_nothing_and_a_corrected_address_is_the_one_that_counts(
    harness: BatchHarness,
) -> None:
    def put(change: Callable[..., Any], kind: Any, name: str) -> None:
        change(post.hq, harness.settings, kind, name, partitions=NoPartitions(), actor=TESTER)

    with posting(harness) as post:
        post.mailbox()
        batch = post.batch([{**one, "linkedin_url": PROFILE} if not n else one for n, one in enumerate(people(2))])
        first = batch.rows("select min(id) as id from batch_items")[0]["id"]
        right = "right@club0.example"
        edit_lead(post.hq, batch.settings, batch.key, first, "email", right, actor=TESTER, by="ann")
        for rests, goes_on in (
            (
                lambda: set_workflow_enabled(post.hq, STEP, enabled=False, actor=TESTER),
                lambda: set_workflow_enabled(post.hq, STEP, enabled=True, actor=TESTER),
            ),
            (lambda: put(archiving.archive, "client", "acme"), lambda: put(archiving.restore, "client", "acme")),
            (lambda: put(archiving.archive, "batch", batch.key), lambda: put(archiving.restore, "batch", batch.key)),
        ):
            rests()
            post.at(post.clock.moment + timedelta(hours=7), batch)
            with post.hq.transaction() as connection:
                assert due_deliveries(connection) == []
            post.clock.set(post.clock.moment + timedelta(hours=17))
            goes_on()
        assert arrived(post) == []
        with post.hq.transaction() as connection:
            assert [one.batch_key for one in due_deliveries(connection)] == [batch.key]
        a_day(post, batch)
        assert arrived(post) == ["p0001@club1.example", right]
        told = {row["recipient"] for row in post.rows("select recipient from mail_messages where state = 'sent'")}
        assert told == set(arrived(post)), "an answer from there is known by where it went"

        # A no is said of one address; the person behind it is not written to at another one either.
        client = post.rows("select id from clients where slug = 'acme'")[0]["id"]
        no = DeliveryEvent(EventKind.UNSUBSCRIBED, post.clock.moment, "u1", address=right)
        assert take(post.hq, batch.settings, EventSource(client, "acme-tool", "smartlead"), [no]).suppressed == 1
        again = post.batch([{**people(1)[0], "email": "archer@private.example", "linkedin_url": PROFILE}])
        a_day(post, batch, again)
        assert again.state(STEP)["reason"] == "stopped: unsubscribed"
        assert len(post.server.taken) == 2


def test_a_mail_that_a_person_thought_lost_is_not_sent_again_once_something_came_back_of_it(
    harness: BatchHarness,
) -> None:
    with posting(harness) as post:
        post.mailbox()
        batch = post.batch(people(2))
        post.server.lost = {one["email"] for one in people(2)}
        a_day(post, batch)
        post.server.lost = set()
        unknown = sorted(list_deliveries(post.hq, client="acme"), key=lambda one: one.item_id)
        assert [one.state for one in unknown] == ["unknown", "unknown"]
        for one in unknown:
            assert resolve_delivery(post.hq, one.id, Decision.NOT_DELIVERED, actor=TESTER).state == "refused"
        proof = DeliveryEvent(EventKind.DELIVERED, post.clock.moment, "d1", address=people(1)[0]["email"])
        take(post.hq, batch.settings, EventSource(unknown[0].client_id, "acme-tool", "postmark"), [proof])
        a_day(post, batch)
        a_day(post, batch)
        assert arrived(post) == ["p0000@club0.example", "p0001@club1.example", "p0001@club1.example"]
        assert batch.state(STEP, 1)["reason"] == "delivered_before"
        stands = post.rows("select state, generation from deliveries order by item_id")
        assert [tuple(row.values()) for row in stands] == [("delivered", 1), ("delivered", 1)]
        mails = post.rows("select count(*) as n from mail_messages where state = 'sent' and message_id is not null")
        assert mails == [{"n": 2}]


def test_one_delivery_of_a_batch_is_paused_alone_and_goes_on_where_it_stood(harness: BatchHarness) -> None:
    with posting(harness) as post:
        post.mailbox()
        batch = post.batch(people(2))
        held = pause(post.hq, batch.key, actor=TESTER, workflow=STEP, reason="the offer changes")
        assert held.states == {STEP: 2}
        post.at(post.clock.moment + timedelta(hours=7), batch)
        assert arrived(post) == []
        with pytest.raises(ConfigurationError, match="is a delivery"):
            cancel(post.hq, batch.key, actor=TESTER, workflow=STEP)
        with pytest.raises(NotFoundError, match="has no workflow 'send-9'"):
            pause(post.hq, batch.key, actor=TESTER, workflow="send-9")
        post.clock.set(post.clock.moment + timedelta(hours=17))
        assert resume(post.hq, batch.key, actor=TESTER, workflow=STEP).states == {STEP: 2}
        a_day(post, batch)
        assert len(arrived(post)) == 2
