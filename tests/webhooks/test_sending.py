"""Messages at a receiver: signed, again until they arrive, each webhook for itself."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from enrichment_assets.domain.errors import ConfigurationError, MissingVariableError, NotFoundError
from enrichment_assets.services.outgoing.registering import (
    add_webhook,
    disable_webhook,
    enable_webhook,
    find_webhook,
    recover_messages,
    remove_webhook,
    rotate_secret,
)
from enrichment_assets.services.outgoing.sending import deliver, send_test
from enrichment_assets.store.outgoing import messages
from tests.actors import TESTER
from tests.webhooks.conftest import VARIABLE, Desk, bodies

DAY = timedelta(days=1)


def test_what_happens_arrives_once_in_its_order_and_signed(desk: Desk) -> None:
    desk.add()
    for batch in ("acme-1", "acme-2", "acme-3"):
        desk.event(batch=batch)
    done = desk.send()
    assert (done.events, done.arrived, done.failed) == (3, 3, 0)
    taken = desk.taken()
    assert sorted(one["batch"] for one in bodies(taken)) == ["acme-1", "acme-2", "acme-3"]
    assert {one["client"] for one in bodies(taken)} == {"acme"} and taken[0]["body"]["type"] == "batch.paused"
    assert len({one["event_id"] for one in bodies(taken)}) == 3 and {one["signatures"] for one in taken} == {1}
    assert (desk.send().arrived, len(desk.taken())) == (0, 3)
    assert {row["state"] for row in desk.rows("select state from outgoing_messages")} == {"arrived"}


def test_a_client_hears_of_itself_alone_and_of_what_it_asked_for(desk: Desk) -> None:
    from enrichment_assets.services.catalog.configuration import add_client

    add_client(desk.hq, "beta", "Beta", actor=TESTER)
    desk.add("acme-hook", path="a", events=["batch.paused"])
    desk.add("beta-hook", path="b", client="beta", events=["batch.paused", "lead.ready"])
    desk.event(batch="acme-1")
    desk.event("lead.ready", item=1, full_name="Ann")
    desk.event("lead.ready", item=2, client="beta", full_name="Bob")
    assert desk.send().arrived == 2
    assert bodies(desk.taken("a"))[0]["batch"] == "acme-1" and len(desk.taken("a")) == 1
    assert bodies(desk.taken("b"))[0]["leads"][0]["full_name"] == "Bob" and len(desk.taken("b")) == 1


def test_leads_stand_together_as_the_webhook_asks_and_as_they_fit(desk: Desk) -> None:
    desk.add("single", path="one")
    desk.add("many", path="many", leads_per_message=3)
    for item in range(1, 6):
        desk.event("lead.ready", item=item, item_id=item, text="x" * (200_000 if item == 1 else 9))
    desk.event("lead.changed", item=1, item_id=1)
    assert desk.send().arrived == 6 + 3
    many = sorted([lead["item_id"] for lead in one["leads"]] for one in bodies(desk.taken("many")))
    assert many == [[1], [1, 2, 3], [4, 5]]
    assert all(len(one["leads"]) == 1 for one in bodies(desk.taken("one")))
    for item in (6, 7, 8):
        desk.event("lead.ready", item=item, item_id=item, text="x" * 140_000)
    desk.send()
    assert sorted(len(one["leads"]) for one in bodies(desk.taken("many"))[3:]) == [1, 2]


def test_a_message_that_fails_is_sent_again_by_its_schedule_with_the_same_id(desk: Desk) -> None:
    desk.add()
    desk.faulty(errors=1, error_status=[500])
    desk.event(batch="acme-1")
    waits = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000]
    for attempt, wait in enumerate(waits, start=1):
        assert desk.send().failed == 1
        message = desk.message()
        assert (message["state"], message["attempts"], message["last_status"]) == ("waiting", attempt, 500)
        left = (message["due_at"] - datetime.now(UTC)).total_seconds()
        assert wait - 5 < left <= wait * 1.1
        assert (desk.send().failed, desk.message()["attempts"]) == (0, attempt) or wait == 5
        desk.due()
    assert desk.send().failed == 1
    assert (desk.message()["state"], desk.message()["attempts"]) == ("given_up", 8)
    desk.due()
    assert desk.send().failed == 0
    given_up = desk.message()["message_id"]
    desk.faulty()
    done = recover_messages(desk.hq, "crm", datetime.now(UTC) - DAY, actor=TESTER)
    assert (done.given_up, done.missing) == (1, 0)
    assert desk.send().arrived == 1
    assert desk.taken()[0]["id"] == f"msg_{given_up.hex}" and desk.message()["attempts"] == 1
    assert recover_messages(desk.hq, "crm", datetime.now(UTC) - DAY, actor=TESTER).given_up == 0


@pytest.mark.parametrize(
    ("behaviour", "status", "says"),
    [
        ({"errors": 1, "error_status": [302]}, 302, "redirects are not followed"),
        ({"errors": 1, "error_status": [404]}, 404, "HTTP 404"),
        ({"resets": 1, "fault_after_work": False}, None, "reset|closed"),
    ],
)
def test_whatever_is_no_2xx_is_a_failure(
    desk: Desk, behaviour: dict[str, object], status: int | None, says: str
) -> None:
    import re

    desk.add()
    desk.faulty(**behaviour)
    desk.event(batch="acme-1")
    desk.send()
    message = desk.message()
    assert (message["state"], message["last_status"]) == ("waiting", status) and re.search(says, message["last_error"])
    assert desk.taken() == [] and desk.taken("moved") == []
    assert desk.webhook()["failing_since"] is not None and desk.webhook()["disabled_at"] is None


def test_a_receiver_that_took_a_message_and_died_is_sent_the_same_id_again(desk: Desk) -> None:
    desk.add()
    desk.faulty(timeouts=1, hang=0.1, fault_attempts=1)  # after the work
    desk.event(batch="acme-1")
    desk.send()
    desk.due()
    desk.send()
    first, second = desk.taken()
    assert first["id"] == second["id"] and (first["is_double"], second["is_double"]) == (False, True)
    assert first["body"] == second["body"] and desk.message()["state"] == "arrived"


def test_who_is_killed_between_sending_and_noting_is_succeeded_with_the_same_id(desk: Desk) -> None:
    desk.add()
    desk.event(batch="acme-1")
    with desk.hq.transaction() as connection:
        messages.lay_out(connection)
    with desk.hq.transaction() as connection:
        (claimed,) = messages.claim(connection, desk.webhook()["id"], 8)  # and nothing is heard of them any more
    assert desk.send().arrived == 0 and desk.taken() == []
    desk.change("update outgoing_messages set claimed_until = now() - interval '1 second'")
    assert desk.send().arrived == 1
    assert desk.taken()[0]["id"] == f"msg_{claimed.message_id.hex}"


DIES = """
import os, signal
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.services.outgoing.sending import deliver
from enrichment_assets.settings import Settings
from enrichment_assets.store.outgoing import messages
messages.note = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
settings = Settings.from_environment()
with open_hq(settings) as hq:
    deliver(hq, settings, 5.0)
"""


def test_a_process_that_dies_between_the_receivers_answer_and_its_note_repeats_and_loses_nothing(desk: Desk) -> None:
    desk.add()
    for number in range(3):
        desk.event(batch=f"acme-{number}")
    here = {"ENRICH_HOME": str(desk.settings.home), "ENRICH_SANDBOX_URL": desk.sandbox.url}
    databases = {"HQ_DATABASE_URL": desk.settings.hq_database_url or ""}
    died = subprocess.run(
        [sys.executable, "-c", DIES], env={**os.environ, **here, **databases}, timeout=120, check=False
    )
    assert died.returncode == -signal.SIGKILL
    assert {row["attempts"] for row in desk.rows("select attempts from outgoing_messages")} == {0}
    desk.change("update outgoing_messages set claimed_until = now() - interval '1 second'")
    assert desk.send().arrived == 3
    taken = desk.taken()
    assert len(taken) == 6 and len({one["id"] for one in taken}) == 3
    assert sum(one["is_double"] for one in taken) == 3


def test_a_webhook_that_is_gone_is_disabled_at_once_and_goes_on_when_it_is_enabled(desk: Desk) -> None:
    desk.add()
    desk.faulty(errors=1, error_status=[410])
    desk.event(batch="acme-1")
    assert desk.send().disabled == ["crm"]
    assert desk.webhook()["disabled_reason"] == "the receiver is gone (HTTP 410)"
    (action,) = desk.rows("select actor, name from operator_actions where action = 'webhook.disable'")
    assert action == {"actor": "sensor:webhooks", "name": "crm"}
    desk.faulty()
    desk.due()
    desk.event(batch="acme-2")  # while it is disabled: it gets no message
    assert (desk.send().arrived, len(desk.rows("select 1 from outgoing_messages"))) == (0, 1)
    with pytest.raises(ConfigurationError, match="enable it first"):
        recover_messages(desk.hq, "crm", datetime.now(UTC) - DAY, actor=TESTER)
    enable_webhook(desk.hq, "crm", actor=TESTER)
    assert desk.send().arrived == 1
    done = recover_messages(desk.hq, "crm", datetime.now(UTC) - DAY, actor=TESTER)
    assert (done.given_up, done.missing) == (0, 1)
    assert desk.send().arrived == 1
    assert sorted(one["batch"] for one in bodies(desk.taken())) == ["acme-1", "acme-2"]


def test_a_webhook_is_disabled_after_five_days_without_a_message_that_arrived(desk: Desk) -> None:
    desk.add()
    desk.faulty(errors=1, error_status=[500])
    desk.event(batch="acme-1")
    desk.send()
    for hours, disabled in ((119, False), (121, True)):
        desk.due()
        desk.change("update outgoing_webhooks set failing_since = now() - make_interval(hours => %s)", hours)
        desk.send()
        assert (desk.webhook()["disabled_at"] is not None) is disabled
    assert "5 days" in desk.webhook()["disabled_reason"]
    enable_webhook(desk.hq, "crm", actor=TESTER)
    desk.faulty()
    desk.due()
    desk.send()
    assert desk.webhook()["failing_since"] is None and desk.webhook()["last_error"] is None


def test_a_receiver_that_asks_to_be_left_alone_is(desk: Desk) -> None:
    desk.add()
    desk.faulty(rate_limited=1)  # 429 with Retry-After: 1
    for batch in ("acme-1", "acme-2"):
        desk.event(batch=batch)
    assert desk.send().failed == 2
    desk.faulty()
    desk.due()
    desk.change("update outgoing_webhooks set rests_until = now() + interval '1 hour'")
    assert desk.send().arrived == 0
    desk.change("update outgoing_webhooks set rests_until = now() - interval '1 second'")
    assert desk.send().arrived == 2


def test_a_slow_receiver_holds_up_nobody_else_and_is_tried_gently(desk: Desk) -> None:
    desk.add("slow", path="slow")
    desk.add("quick", path="quick")
    desk.change("update outgoing_webhooks set failing_since = now() where name = 'slow'")
    desk.change(
        "update outgoing_webhooks set url = replace(url, %s, %s) where name = 'slow'", "/webhooks/slow", "/http/echo"
    )
    for number in range(30):
        desk.event(batch=f"acme-{number}")
    desk.sandbox.configure(providers={"http": {"latency": "2s"}})
    assert desk.send(seconds=1.0).arrived == 31  # of the slow one a single message was tried
    assert len(desk.taken("quick")) == 30
    (last,) = desk.rows("select max(arrived_at) filter (where name = 'slow') - max(arrived_at) filter (where name = "
                        "'quick') as between from outgoing_webhooks")  # fmt: skip
    assert last["between"] > timedelta(seconds=0.5)


def test_while_a_secret_is_replaced_both_sign(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.add()
    monkeypatch.setenv("TEST_HOOK_NEW", "whsec_" + base64.b64encode(b"n" * 32).decode())
    rotate_secret(desk.hq, "crm", "TEST_HOOK_NEW", actor=TESTER)
    desk.event(batch="acme-1")
    assert desk.send().arrived == 1  # the receiver still knows the one before
    assert desk.taken()[0]["signatures"] == 2
    desk.change("update outgoing_webhooks set previous_until = now() - interval '1 second'")
    desk.event(batch="acme-2")
    assert desk.send().failed == 1  # HTTP 401: now it would have to know the new one
    actions = desk.rows("select before, after from operator_actions where action = 'webhook.rotate'")
    assert actions == [
        {"before": {"secrets": {"current": VARIABLE}}, "after": {"secrets": {"current": "TEST_HOOK_NEW"}}}
    ]


def test_a_secret_that_is_not_set_is_our_trouble_and_no_attempt(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.add()
    desk.event(batch="acme-1")
    monkeypatch.delenv(VARIABLE)
    done = desk.send()
    assert VARIABLE in done.troubles["crm"] and (done.arrived, done.failed) == (0, 0)
    assert (desk.message()["attempts"], desk.webhook()["failing_since"]) == (0, None)
    assert VARIABLE in desk.webhook()["last_error"]


def test_what_cannot_be_a_webhook_is_refused_and_writes_nothing(desk: Desk) -> None:
    desk.add()
    url = f"{desk.sandbox.url}/webhooks/x"
    for wrong, error in [
        (("nobody", "b", url, ["lead.ready"], VARIABLE), NotFoundError),
        (("acme", "crm", url, ["lead.ready"], VARIABLE), ConfigurationError),
        (("acme", "b", "https://10.0.0.1/", ["lead.ready"], VARIABLE), ConfigurationError),
        (("acme", "b", url, ["lead.gone"], VARIABLE), ConfigurationError),
        (("acme", "b", url, ["lead.ready"], "HQ_DATABASE_URL"), ConfigurationError),
        (("acme", "b", url, ["lead.ready"], "TEST_NOT_SET"), MissingVariableError),
    ]:
        with pytest.raises(error):
            add_webhook(desk.hq, desk.settings, *wrong, actor=TESTER)
    assert len(desk.rows("select 1 from outgoing_webhooks")) == 1
    (action,) = desk.rows("select after from operator_actions where action = 'webhook.add'")
    assert action["after"]["secrets"] == {"current": VARIABLE} and "whsec" not in str(action)


def test_an_address_that_was_allowed_when_it_was_given_is_looked_at_again_when_it_is_used(desk: Desk) -> None:
    desk.add()
    desk.event(batch="acme-1")
    desk.settings.home.joinpath("x").touch()
    from dataclasses import replace

    done = deliver(desk.hq, replace(desk.settings, sandbox_url=None), 5.0)
    assert (done.arrived, done.failed) == (0, 1)
    assert "https://" in desk.message()["last_error"] and desk.taken() == []


def test_a_test_message_goes_out_at_once_and_leaves_nothing_behind(desk: Desk) -> None:
    desk.add()
    sent = send_test(desk.settings, find_webhook(desk.hq, "crm"))
    assert (sent.arrived, sent.status) == (True, 200)
    assert desk.taken()[0]["body"]["type"] == "webhook.test" and desk.rows("select 1 from outgoing_messages") == []
    desk.faulty(errors=1, error_status=[500])
    assert send_test(desk.settings, find_webhook(desk.hq, "crm")).error == "HTTP 500"


def test_what_is_removed_or_disabled_is_sent_nothing(desk: Desk) -> None:
    desk.add()
    desk.event(batch="acme-1")
    with desk.hq.transaction() as connection:
        messages.lay_out(connection)
    disable_webhook(desk.hq, "crm", actor=TESTER)
    assert desk.send().arrived == 0
    assert remove_webhook(desk.hq, "crm", actor=TESTER).waiting == 1
    for table in ("outgoing_webhooks", "outgoing_messages", "outgoing_events"):
        assert desk.rows(f"select 1 from {table}") == []
    with pytest.raises(NotFoundError, match="there is no webhook 'crm'; there are: none"):
        find_webhook(desk.hq, "crm")
