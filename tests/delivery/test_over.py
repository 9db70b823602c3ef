"""A batch that is over (cancelled, given up, archived): what it was to deliver ends until that is taken back."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta

import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.engine.run.advance import Interrupted
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.providers import build_providers
from enrichment_assets.services.batches.replacing import give_up_batch
from enrichment_assets.services.catalog import archiving
from enrichment_assets.services.catalog.configuration import add_workflow, set_workflow_enabled
from enrichment_assets.services.deliveries.delivering import deliver, order, run_deliveries
from enrichment_assets.services.deliveries.due import deliver_due
from enrichment_assets.services.deliveries.resolving import Decision, list_deliveries, resolve_delivery
from enrichment_assets.services.deliveries.standing import deliveries
from enrichment_assets.services.operations.holding import cancel, pause, resume
from enrichment_assets.services.operations.retrying import retry
from enrichment_assets.store.deliveries.batches import due_deliveries
from tests.actors import TESTER
from tests.chaos.dying import dies_at
from tests.chaos.points import SENT
from tests.delivery.crm import FIND, contacts, destination
from tests.delivery.test_delivering import finished, people
from tests.harness.batches import BatchHarness, Launched
from tests.harness.handles import hq_of
from tests.mail.post import STEPS, posting
from tests.mail.post import people as crowd
from tests.mail.test_since_the_plan import NoPartitions, a_day, arrived

TO = "to-crm"


def planned(batch: Launched, *slugs: str) -> None:
    """Plan the batch's leads, and let none go."""
    stopped = threading.Event()
    stopped.set()
    providers = build_providers(batch.sandbox.url)
    with suppress(Interrupted):
        deliver(
            hq_of(batch.settings), batch.settings, batch.key, slugs, actor=TESTER, providers=providers, stop=stopped
        )


def due(batch: Launched) -> list[str]:
    """Deliveries of which something is due."""
    with hq_of(batch.settings).transaction() as connection:
        return [one.workflow_slug for one in due_deliveries(connection) if one.batch_key == batch.key]


def gone_by(batch: Launched, slug: str = TO) -> dict[str, int]:
    """What the platform does of it by itself, and where its leads stand then."""
    providers = build_providers(batch.sandbox.url)
    return deliver_due(hq_of(batch.settings), batch.settings, batch.key, slug, actor=TESTER, providers=providers)


def test_what_was_planned_ends_with_its_batch_and_goes_once_that_is_taken_back(harness: BatchHarness) -> None:
    hq, settings = hq_of(harness.settings), harness.settings
    add_workflow(hq, settings, destination(TO), actor=TESTER)

    def put(change: object, batch: Launched) -> None:
        change(hq, settings, "batch", batch.key, partitions=NoPartitions(), actor=TESTER)  # type: ignore[operator]

    paused = finished(harness, people("Pia"))
    planned(paused, TO)
    assert pause(hq, paused.key, actor=TESTER).states == {TO: 1}
    assert (due(paused), paused.state(TO)["status"]) == ([], "PENDING"), "who pauses means to go on"
    assert [one.reason for one in deliveries(hq, paused.key).counts] == [f"paused by {TESTER}"]
    assert resume(hq, paused.key, actor=TESTER).states == {TO: 1}
    assert due(paused) == [TO]
    assert [one.reason for one in deliveries(hq, paused.key).counts] == [None]
    set_workflow_enabled(hq, TO, enabled=False, actor=TESTER)
    assert [one.reason for one in deliveries(hq, paused.key).counts] == ["it is switched off"]
    set_workflow_enabled(hq, TO, enabled=True, actor=TESTER)

    batch = finished(harness, people("Ann", "Bob"))
    planned(batch, TO)
    report = cancel(hq, batch.key, actor=TESTER, reason="wrong list")
    assert report.states == {TO: 2}
    why = f"cancelled by {TESTER}: wrong list"
    assert [(row["status"], row["reason"]) for row in batch.states(TO)] == [("CANCELLED", why)] * 2
    assert due(batch) == [] and gone_by(batch) == {"cancelled": 2}
    for asking in (order, planned):
        with pytest.raises(ConfigurationError, match="is delivered: cancelled by cli:tester: wrong list") as refusal:
            asking(hq, settings, batch.key, [TO], actor=TESTER) if asking is order else planned(batch, TO)
        assert refusal.value.code == "delivery.of_batch_that_is_over"
    retry(hq, settings, batch.key, actor=TESTER)
    assert due(batch) == [TO]
    assert gone_by(batch) == {"delivered": 2}
    assert len(contacts(harness.sandbox)) == 2

    later = finished(harness, people("Cid"))
    planned(later, TO)
    put(archiving.archive, later)
    assert (later.state(TO)["status"], later.state(TO)["reason"]) == ("CANCELLED", "the batch is archived")
    assert due(later) == []
    put(archiving.restore, later)
    assert due(later) == [TO] and gone_by(later) == {"delivered": 1}

    left = finished(harness, people("Dan"))
    planned(left, TO)
    give_up_batch(hq, left.key, actor=TESTER)
    assert left.state(TO)["reason"] == "the batch was given up" and due(left) == []
    assert len(contacts(harness.sandbox)) == 3


@pytest.mark.parametrize("asked", [False, True], ids=["for a person", "that can be asked"])
def test_a_call_under_way_is_waited_for_and_nobody_knows_of_it_where_its_run_died(
    harness: BatchHarness, asked: bool
) -> None:
    hq, settings = hq_of(harness.settings), harness.settings
    add_workflow(hq, settings, destination(TO, {"find": {**FIND, "settles": 3600}} if asked else {}), actor=TESTER)
    batch = finished(harness, people("Ann"))
    planned(batch, TO)
    providers = build_providers(batch.sandbox.url)
    assert dies_at(
        SENT, lambda: run_deliveries(open_hq(settings, most=4), settings, batch.key, [TO], providers=providers)
    )
    assert cancel(hq, batch.key, actor=TESTER).states == {}
    assert batch.state(TO)["status"] == "PENDING"
    batch.change("update runners set expires_at = now() - interval '1 s' where ended_at is null")
    assert due(batch) == [TO]
    assert gone_by(batch) == {"ambiguous": 1}
    (one,) = list_deliveries(hq, client="acme")
    assert (one.state, due(batch)) == ("unknown", [])
    assert resolve_delivery(hq, one.id, Decision.NOT_DELIVERED, actor=TESTER).state == "refused"
    assert gone_by(batch) == {"cancelled": 1} and due(batch) == []
    assert resolve_delivery(hq, one.id, Decision.DELIVERED, actor=TESTER, external_id="7").state == "delivered"


def test_mails_of_a_cancelled_batch_do_not_leave_and_another_batch_may_write_to_their_people(
    harness: BatchHarness,
) -> None:
    with posting(harness) as post:
        post.mailbox()
        batch = post.batch(crowd(2), gate="contact")
        post.at(post.clock.moment, batch)
        assert len(post.rows("select 1 from mail_messages where state = 'planned'")) == 2
        assert cancel(post.hq, batch.key, actor=TESTER).states == {STEPS[0]: 2}
        again = finished(harness, [dict(one) for one in crowd(2)])
        post.plan(again)
        a_day(post, batch, again)
        assert arrived(post) == [one["email"] for one in crowd(2)]
        assert {row["status"] for row in again.states(STEPS[0])} == {"COMPLETED"}, "planned again, it has left"
        retry(post.hq, batch.settings, batch.key, actor=TESTER)
        post.clock.set(post.clock.moment + timedelta(minutes=1))
        assert gone_by(batch, STEPS[0]) == {"skipped": 2}, "planned anew: the gate knows who was written to meanwhile"
        a_day(post, batch, again)
        assert len(arrived(post)) == 2
