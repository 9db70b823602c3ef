"""What Instantly tells of leads: by webhook, by its lists where the webhook was disabled, and nothing counts twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from enrichment_assets.domain.operator_actions import Code
from enrichment_assets.domain.suppression import read_identity
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.campaigns import recovering
from enrichment_assets.services.campaigns.creating import create
from enrichment_assets.services.campaigns.listening import listen as listen_to_instantly
from enrichment_assets.services.catalog.configuration import add_client
from enrichment_assets.services.deliveries.connections import list_connections, list_events
from enrichment_assets.services.deliveries.listening import listen
from enrichment_assets.services.people.suppressing import Terms, is_suppressed, suppress
from enrichment_assets.services.pulls.connecting import connect
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from tests.actors import TESTER
from tests.chaos.dying import dies_at
from tests.chaos.points import LISTENING
from tests.outreach.test_campaigns import file, there

NAME = "acme-instantly"
WHO = ("ann", "bob", "cid", "dan", "eve", "fay")


class Desk:
    """A client whose campaign at Instantly has six leads, and whose events come to a receiver."""

    def __init__(self, hq: Hq, settings: Settings, sandbox: SandboxProcess) -> None:
        self.hq, self.settings, self.sandbox = hq, settings, sandbox
        add_client(hq, "acme", actor=TESTER)
        connect(hq, "instantly", "acme", "ACME_INSTANTLY_KEY", actor=TESTER)
        campaign = create(hq, settings, "acme", file(), actor=TESTER).campaign
        leads = [{"email": f"{name}@corp.example", "first_name": name.title()} for name in WHO]
        leads.append({"email": "g.w+golf@gmail.com"})
        there(sandbox, "POST", "/leads/add", {"campaign_id": campaign.external_id, "leads": leads})

    def happen(self, who: str, event: str, **told: Any) -> None:
        self.sandbox.happen("instantly", key="key-of-acme", email=f"{who}@corp.example", event=event, **told)

    def look(self) -> dict[str, str]:
        """Ask the connection and read what is kept; what could not be asked."""
        return listen(self.hq, self.settings, 30.0, name=NAME).troubles

    def events(self) -> Counter[tuple[str, str]]:
        found = list_events(self.hq, client="acme", limit=1_000)
        return Counter((one.kind, str(one.data.get("address")).partition("@")[0]) for one in found)

    def suppressed(self, address: str) -> list[str]:
        return [one.reason for one in is_suppressed(self.hq, self.settings, read_identity(address), client="acme")]

    def blocked(self) -> set[str]:
        return {one["bl_value"] for one in there(self.sandbox, "GET", "/block-lists-entries?limit=100")["items"]}

    def look_at_everything(self) -> dict[str, str]:
        """As after an hour: leads and the block list are due."""
        with self.hq.transaction() as connection:
            connection.execute("update event_sources set cursor = cursor - 'leads_at' - 'blocked_at'")
        return self.look()


@pytest.fixture
def desk(settings: Settings, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("ACME_INSTANTLY_KEY", "key-of-acme")
    monkeypatch.setattr(recovering, "SETTLED", timedelta(0))
    monkeypatch.setenv("ACME_WORD", "a word that only two know")
    with ReceiverProcess(settings) as receiver:
        settings = replace(settings, sandbox_url=sandbox.url, receiver_url=receiver.url)
        with open_hq(settings) as hq:
            yield Desk(hq, settings, sandbox)


def test_each_thing_counts_once_by_webhook_and_by_the_lists_that_are_looked_through(desk: Desk) -> None:
    desk.sandbox.configure(hold_callbacks=True)
    listening = listen_to_instantly(desk.hq, desk.settings, "acme", NAME, actor=TESTER, secret_variable="ACME_WORD")
    [hook] = there(desk.sandbox, "GET", "/webhooks")["items"]
    assert (hook["id"], hook["event_type"], hook["status"]) == (listening.webhook_id, "all_events", 1)

    desk.happen("ann", "sent")
    desk.happen("ann", "replied", text="Yes, call me")
    desk.happen("bob", "bounced")
    desk.happen("cid", "unsubscribed")
    desk.happen("dan", "out_of_office")
    desk.happen("eve", "interest", interest=1)
    assert desk.sandbox.flush_callbacks()["delivered"] == 7
    assert desk.look() == {}
    expected = Counter(
        {
            ("sent", "ann"): 1,
            ("replied", "ann"): 1,
            ("bounced", "bob"): 1,
            ("unsubscribed", "cid"): 1,
            ("auto_replied", "dan"): 2,  # the mail, and that the lead is out of office: two things that are told
            ("interested", "eve"): 1,
        }
    )
    assert desk.events() == expected
    assert desk.look_at_everything() == {}
    assert desk.events() == expected, "lists of events, mails and leads tell nothing of it again"
    assert desk.suppressed("cid@corp.example") == [f"unsubscribed: told by {NAME}"]
    assert desk.suppressed("bob@corp.example") and not desk.suppressed("ann@corp.example")
    with desk.hq.transaction() as connection:
        rows = connection.execute(
            "select reason, until is null as for_good from delivery_stops order by 1, 2"
        ).fetchall()
    assert {(row["reason"], row["for_good"]) for row in rows} == {
        ("interested", True),
        ("out of office", False),
        ("replied", True),
        ("unsubscribed", True),
    }


def test_a_webhook_that_does_not_say_the_word_tells_nothing_and_the_word_is_not_kept(desk: Desk) -> None:
    desk.sandbox.configure(hold_callbacks=True)
    listen_to_instantly(desk.hq, desk.settings, "acme", NAME, actor=TESTER, secret_variable="ACME_WORD")
    [hook] = there(desk.sandbox, "GET", "/webhooks")["items"]
    desk.happen("ann", "replied", text="Yes, call me")
    assert desk.sandbox.flush_callbacks()["delivered"] >= 1
    body = {
        "event_type": "lead_unsubscribed",
        "lead_email": "bob@corp.example",
        "timestamp": "2026-11-20T10:00:00.000Z",
    }
    for said in ({}, {"x-enrich-secret": "another word"}):
        assert httpx.post(hook["target_hook_url"], json={**body, "n": len(said)}, headers=said).status_code == 200

    def posted() -> list[tuple[str | None, str]]:
        with desk.hq.transaction() as connection:
            return [
                (row["error"], str(row["headers"]))
                for row in connection.execute(
                    "select error, headers from event_inbox where not headers ? 'x-enrich-polled' order by id"
                )
            ]

    assert desk.look() == {}
    told = posted()
    assert [error for error, _ in told[:-2]] == [None] * (len(told) - 2), "what Instantly says is believed"
    assert all(error for error, _ in told[-2:]), "what anybody says is not"
    assert not [headers for _, headers in told if "word" in headers], "of the word, the digest is kept"
    assert desk.events()["unsubscribed", "bob"] == 0


def test_who_dies_while_it_asks_or_reads_loses_nothing_and_counts_nothing_twice(desk: Desk) -> None:
    desk.sandbox.configure(hold_callbacks=True)
    listen_to_instantly(desk.hq, desk.settings, "acme", NAME, actor=TESTER)
    desk.happen("ann", "replied", text="Yes, call me")
    for point in LISTENING:
        assert dies_at(point, lambda: listen(open_hq(desk.settings, most=4), desk.settings, 30.0, name=NAME)), point
    assert desk.look_at_everything() == {}
    assert desk.events() == Counter({("replied", "ann"): 1})


def test_what_a_disabled_webhook_never_told_is_found_and_the_webhook_is_resumed(desk: Desk) -> None:
    desk.sandbox.configure(hold_callbacks=True)
    listen_to_instantly(desk.hq, desk.settings, "acme", NAME, actor=TESTER)
    [hook] = there(desk.sandbox, "GET", "/webhooks")["items"]
    gone = f"{hook['target_hook_url'].rpartition('/events/')[0]}/nowhere/{hook['target_hook_url'].rpartition('/')[2]}"
    there(desk.sandbox, "PATCH", f"/webhooks/{hook['id']}", {"target_hook_url": gone})
    desk.happen("ann", "unsubscribed")
    for _ in range(3):
        desk.sandbox.flush_callbacks()
    assert there(desk.sandbox, "GET", f"/webhooks/{hook['id']}")["status"] == -1
    # Nothing is told any more, and the list of webhook events has nothing of it.
    for who, event in (("bob", "replied"), ("cid", "auto_replied"), ("dan", "bounced"), ("eve", "unsubscribed")):
        desk.happen(who, event)
    desk.happen("fay", "interest", interest=-2)
    assert desk.sandbox.flush_callbacks()["flushed"] == 0
    assert there(desk.sandbox, "GET", "/webhook-events?limit=100&success=true")["items"] == []

    assert desk.look() == {}
    expected = Counter(
        {
            ("unsubscribed", "ann"): 1,  # from the list of webhook events: it keeps what it could not tell
            ("replied", "bob"): 1,  # from the inbox
            ("auto_replied", "cid"): 1,
            ("bounced", "dan"): 1,  # from the leads' records
            ("unsubscribed", "eve"): 1,
            ("not_interested", "fay"): 1,
        }
    )
    assert desk.events() == expected
    assert there(desk.sandbox, "GET", f"/webhooks/{hook['id']}")["status"] == 1, "it is told again"
    assert desk.look_at_everything() == {} and desk.events() == expected


def test_the_block_list_and_our_suppressions_are_brought_together(desk: Desk) -> None:
    listen_to_instantly(desk.hq, desk.settings, "acme", NAME, actor=TESTER)
    for value in ("rival.example", "Boss@Rival2.example", "gmail.com"):
        there(desk.sandbox, "POST", "/block-lists-entries", {"bl_value": value})
    terms = Terms("said no", client="acme")
    for value in ("ann@corp.example", "elsewhere.example", "gw@gmail.com", "+1 212 555 0123"):
        suppress(desk.hq, desk.settings, read_identity(value), terms, actor=TESTER)

    for_a_month = Terms("asked for a pause", days=30)
    suppress(desk.hq, desk.settings, read_identity("dan@corp.example"), for_a_month, actor=TESTER)

    assert desk.look() == {}
    assert desk.suppressed("somebody@rival.example") or desk.suppressed("rival.example")
    assert desk.suppressed("boss@rival2.example") == ["blocked at Instantly"]
    assert desk.suppressed("anybody@gmail.com") == [], "a mail provider is nobody: everybody there would be left out"
    # The mailbox is blocked in the one form that is compared, and as the lead there is written.
    assert desk.blocked() >= {"ann@corp.example", "elsewhere.example", "gw@gmail.com", "g.w+golf@gmail.com"}
    before = len(desk.blocked())
    assert desk.look_at_everything() == {} and len(desk.blocked()) == before
    # What we had blocked there comes back, and prolongs nothing.
    [pause] = is_suppressed(desk.hq, desk.settings, read_identity("dan@corp.example"), client="acme")
    assert pause.client is None and pause.expires_at is not None and "dan@corp.example" in desk.blocked()
    with desk.hq.transaction() as connection:
        rows = connection.execute(
            "select actor, count(*) as n from operator_actions where action = %s group by actor order by actor",
            (Code.SUPPRESSION_ADD.value,),
        ).fetchall()
    assert [(row["actor"], row["n"]) for row in rows] == [(str(TESTER), 5), (f"event:{NAME}", 1)]


def test_a_key_without_a_scope_for_one_part_is_told_and_the_other_parts_are_looked_at(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.sandbox.configure(hold_callbacks=True)
    listen_to_instantly(desk.hq, desk.settings, "acme", NAME, actor=TESTER)
    desk.happen("ann", "bounced")
    scopes = "leads:read+emails:read+webhooks:all+block_list_entries:all"
    monkeypatch.setenv("ACME_INSTANTLY_KEY", f"key-of-acme+{scopes}")
    troubles = desk.look()
    assert "webhook-events" in troubles[NAME] and "scope" in troubles[NAME]
    assert desk.events() == Counter({("bounced", "ann"): 1})
    [source] = list_connections(desk.hq, client="acme")
    assert source.error is not None and source.cursor is not None


def test_what_a_record_says_is_left_to_the_webhook_for_a_while() -> None:
    now = datetime(2026, 11, 29, 12, tzinfo=UTC)
    said = [
        recovering.is_settled({"timestamp_updated": text}, now)
        for text in ("2026-11-29T11:49:59.000Z", "2026-11-29T11:50:01Z", "2026-11-29T12:49:00+01:00", "?", None)
    ]
    assert said == [True, False, True, True, True]
