"""Mails wait for their morning, and what was said since they were planned counts: nothing goes where nothing should."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from enrichment_assets.domain.delivery_events import DeliveryEvent, EventKind, EventSource
from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.linkedin import linkedin_person
from enrichment_assets.domain.suppression import Identity, Kind
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.providers import build_providers
from enrichment_assets.services.catalog import archiving
from enrichment_assets.services.catalog.configuration import add_workflow, set_workflow_enabled
from enrichment_assets.services.deliveries.coming_back import take
from enrichment_assets.services.deliveries.delivering import run_deliveries
from enrichment_assets.services.deliveries.due import deliver_due
from enrichment_assets.services.deliveries.gate_rules import stop
from enrichment_assets.services.deliveries.resolving import Decision, list_deliveries, resolve_delivery
from enrichment_assets.services.insight.editing import edit_lead
from enrichment_assets.services.operations.holding import cancel, pause, resume
from enrichment_assets.services.people.erasing import ask, carry_out
from enrichment_assets.services.people.identifying import whom_of
from enrichment_assets.services.people.inventory import scope_of
from enrichment_assets.services.people.suppressing import Terms, suppress
from enrichment_assets.store.deliveries.batches import due_deliveries
from tests.actors import TESTER
from tests.delivery.test_delivering import finished
from tests.harness.batches import BatchHarness, Launched
from tests.mail.post import MONDAY, STEPS, Post, mail_step, people, posting

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
        assert batch.state(STEP, 1)["reason"] == "delivered, says event:mail-came-back"
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


def test_nobody_is_written_to_who_said_no_before_a_mail_or_between_two_whichever_way_they_said_it(
    harness: BatchHarness,
) -> None:
    with posting(harness) as post:
        for number in range(2):
            post.mailbox(f"box{number}", daily_cap=40, domain_cap=40)
        hq, settings = post.hq, harness.settings

        def told(kind: EventKind) -> Callable[[dict[str, str]], object]:
            def take_it(one: dict[str, str]) -> object:
                event = DeliveryEvent(kind, post.clock.moment, f"{kind} {one['email']}", address=one["email"])
                return take(hq, settings, EventSource(client, "tool", "smartlead"), [event])

            return take_it

        def kept_out(kind: Kind, value: Callable[[dict[str, str]], str]) -> Callable[[dict[str, str]], object]:
            return lambda one: suppress(hq, settings, Identity(kind, value(one)), Terms("no"), actor=TESTER)

        def erased(one: dict[str, str]) -> object:
            scope = scope_of(hq, settings, settings.hq_database_url or "", None)
            return carry_out(scope, ask(scope, whom_of(one["email"], None, None, None), "asked", actor=TESTER))

        ways: list[Callable[[dict[str, str]], object]] = [
            *(told(kind) for kind in (EventKind.UNSUBSCRIBED, EventKind.COMPLAINED, EventKind.REPLIED)),
            kept_out(Kind.EMAIL, lambda one: one["email"]),
            kept_out(Kind.LINKEDIN, lambda one: linkedin_person(one["linkedin_url"]) or ""),
            kept_out(Kind.DOMAIN, lambda one: one["email"].partition("@")[2]),
            lambda one: stop(hq, settings, "acme", Identity(Kind.EMAIL, one["email"]), "left", actor=TESTER),
            erased,
        ]
        crew = [
            {**one, "linkedin_url": f"https://www.linkedin.com/in/p-{number}"}
            for number, one in enumerate(people(2 * len(ways) + 1, domains=99))
        ]
        batch = post.batch(crew, steps=2)
        client = post.rows("select id from clients where slug = 'acme'")[0]["id"]
        post.at(post.clock.moment, batch, 2)
        for way, one in zip(ways, crew, strict=False):
            way(one)
        post.until(MONDAY + timedelta(hours=11), batch, 2)
        for way, one in zip(ways, crew[len(ways) :], strict=False):
            way(one)
        post.until(MONDAY + timedelta(days=4), batch, 2)
        got = Counter(arrived(post))
        assert {one["email"]: got[one["email"]] for one in crew} == {
            one["email"]: number // len(ways) for number, one in enumerate(crew)
        }


def test_a_mail_goes_to_the_address_that_is_known_by_and_to_nobody_where_whoever_answered_cannot_be_known(
    harness: BatchHarness,
) -> None:
    with posting(harness) as post:
        post.mailbox()
        other = mail_step(1).model_dump(mode="json", by_alias=True, exclude_unset=True)
        other["request"]["body"]["to"] = "{{ title }}"
        add_workflow(post.hq, harness.settings, WorkflowDefinition.model_validate(other), actor=TESTER)
        batch = finished(harness, [{**people(1)[0], "title": "someone@else.example"}])
        post.plan(batch)
        a_day(post, batch)
        assert arrived(post) == []
        assert "another address than the lead's `email`" in batch.state(STEP)["reason"]

        second = post.batch(people(2)[1:])
        client = post.rows("select id from clients where slug = 'acme'")[0]["id"]
        answer = DeliveryEvent(EventKind.REPLIED, post.clock.moment, "r1", address=people(2)[1]["email"])
        take(post.hq, batch.settings, EventSource(client, "tool", "smartlead"), [answer])
        elsewhere = replace(batch.settings, suppression_pepper="another pepper " * 4)
        due = post.rows("select min(next_attempt_at) as at from workflow_states where batch_id = %s", second.batch_id)
        post.clock.set(max(due[0]["at"], post.clock.moment) + timedelta(minutes=1))
        run_deliveries(post.hq, elsewhere, second.key, [STEP], providers=build_providers(second.sandbox.url))
        assert (arrived(post), second.state(STEP)["status"]) == ([], "PENDING")
