"""What people do in ClickUp comes back: signed webhooks through the receiver, and a look of our own below them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, LiteralString

import httpx
import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.statuses import EventInboxStatus
from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.clickup.asking import ClickUpError
from enrichment_assets.services.deliveries.connections import list_connections, list_events, list_messages
from enrichment_assets.services.deliveries.listening import Listened, listen
from enrichment_assets.services.deliveries.subscribing import Subscribed, subscribe
from tests.actors import TESTER
from tests.clickup.test_simulated_clickup import TOKEN, ClickUp
from tests.harness.batches import BatchHarness, Launched, step
from tests.harness.handles import hq_of

TEAM = "9011000001"
OURS, HERS = "+14065550100", "+14065550199"
STEP = {
    "slug": "to-clickup", "provider": "clickup",
    "delivery": {"fields": {
        "name": {"value": "{{ full_name }}"}, "Phone": {"from": "phone"}, "Email": {"from": "email"},
        "Segment": {"from": "segment"}, "Top Opp 1": {"value": "{{ title }}"},
    }},
}  # fmt: skip


class Office:
    """Two leads that stand in ClickUp, the receiver, and a connection."""

    def __init__(self, batch: Launched, clickup: ClickUp, receiver: str) -> None:
        self.batch, self.clickup = batch, clickup
        self.settings = replace(batch.settings, receiver_url=receiver, sandbox_url=clickup.sandbox.url)
        self.hq = hq_of(batch.settings)
        self.items = [row["id"] for row in batch.rows("select id from batch_items order by row_number")]
        budget = clickup.fields["Segment"]["type_config"]["options"][1]["id"]
        self.tasks = [clickup.create(name, Phone=OURS, Segment=budget) for name in ("Ann Archer", "Ben Baker")]
        self._deliver()

    def _deliver(self) -> None:
        """Write down that both were delivered, as the engine does."""
        written = {"name": "x", "Phone": OURS, "Segment": "budget"}
        with self.hq.transaction() as connection:
            connection.execute(
                """insert into batch_deliveries
                     (batch_id, workflow_slug, client_id, position, automatic, asked_by, step)
                   select id, 'to-clickup', client_id, 0, false, 'tester', %s from batches where id = %s""",
                (json.dumps({"workflow": STEP}), self.batch.batch_id),
            )
            for item, task in zip(self.items, self.tasks, strict=True):
                connection.execute(
                    """insert into deliveries
                         (client_id, destination, target, identity_sha256, identity_field, key, state, external_id,
                          written, item_id, batch_id, version, actor, delivered_at)
                       select client_id, 'to-clickup', '', %s, 'email', %s, 'delivered', %s, %s, %s, id, 'v', 'tester',
                              now() from batches where id = %s""",
                    (task.encode(), task, task, json.dumps(written), item, self.batch.batch_id),
                )

    def listen(self, *, looks: bool = False) -> Listened:
        """Read what came; `looks`: and look for oneself."""
        self.clickup.sandbox.flush_callbacks()
        if looks:
            self.run("update event_sources set asked_at = null")
        return listen(self.hq, self.settings, 20)

    def connect(self, team: str = TEAM, **more: Any) -> Subscribed:
        told = {"team_id": team, **more}
        return subscribe(
            self.hq, self.settings, "acme", "acme-clickup", "clickup", "ACME_CLICKUP_SECRET", actor=TESTER, told=told
        )

    def run(self, statement: LiteralString) -> None:
        with self.hq.transaction() as connection:
            connection.execute(statement)

    def events(self) -> list[tuple[str, str | None, str | None]]:
        found = list_events(self.hq, client="acme")
        return [(one.kind, one.data.get("value"), one.actor) for one in reversed(found)]

    def edits(self) -> list[tuple[Any, ...]]:
        return [
            tuple(row.values()) for row in self.batch.rows("select field, value, edited_by from item_edits order by id")
        ]


@pytest.fixture
def office(harness: BatchHarness, sandbox_process: SandboxProcess) -> Iterator[Office]:
    clickup = ClickUp(sandbox_process)
    rows = [{"first_name": "Ann", "email": "ann@pines.example"}, {"first_name": "Ben", "email": "ben@oaks.example"}]
    batch = harness.launch(rows, step("find"))
    with ReceiverProcess(batch.settings) as receiver:
        yield Office(batch, clickup, receiver.url)
    clickup.http.close()


def test_corrections_moves_and_deletions_come_back_once_whatever_gets_lost(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    clickup, (ann, ben) = office.clickup, office.tasks
    monkeypatch.setenv("CLICKUP_API_TOKEN", TOKEN)
    made = office.connect(statuses={"contacted": "contacted", "closed": "not_interested"})
    clickup.sandbox.configure(providers={"clickup": {"callback_duplicate": 1}})

    # The secret is not set yet: what comes is kept, and waits.
    clickup.happen("field", task=ann, field="Phone", value="+1 (406) 555-0199")
    assert "ACME_CLICKUP_SECRET" in office.listen().troubles["acme-clickup"]
    assert office.events() == []
    monkeypatch.setenv("ACME_CLICKUP_SECRET", made.secret)
    clickup.happen("status", task=ann, status="contacted")
    # A write of ours that is under way comes back before its answer is stored: it is no correction.
    office.run("update deliveries set intended = jsonb_build_object('Email', 'new@pines.example')")
    clickup.ok("POST", f"/task/{ann}/field/{clickup.id('Email')}", {"value": "new@pines.example"})
    office.listen()
    rita = "Rita Marlow"
    assert office.events() == [
        ("field_changed", "+1 (406) 555-0199", rita), ("status_changed", "contacted", rita), ("contacted", None, rita),
    ]  # fmt: skip
    by = f"clickup:{rita}"
    assert office.edits() == [("phone", HERS, by)]

    # Looking finds nothing new in that; of what no webhook told, all of it.
    office.listen(looks=True)
    assert len(office.events()) == 3
    clickup.sandbox.configure(providers={"clickup": {"callback_drop": 1}})
    clickup.happen("field", task=ben, field="Segment", value="high-end")
    clickup.happen("status", task=ben, status="closed")
    clickup.happen("update", task=ben, archived=True)
    clickup.happen("add-task", list=clickup.list, name="Somebody else's task")
    assert office.listen().taken.new == 0
    office.listen(looks=True)
    assert office.events()[3:] == [
        ("field_changed", "high-end", None), ("status_changed", "closed", None), ("not_interested", None, None)
    ]  # fmt: skip
    office.listen(looks=True)
    assert len(office.events()) == 6
    assert "Somebody" not in str([row["body"] for row in office.batch.rows("select body from event_inbox")])
    assert (
        office.batch.rows("select reason from delivery_stops where lifted_at is null")[0]["reason"] == "not interested"
    )

    # A webhook that was suspended is armed again, and what was lost meanwhile is found: a task that is gone, too.
    clickup.sandbox.configure(providers={"clickup": {"callback_drop": 0}})
    number = clickup.ok("GET", f"/team/{TEAM}/webhook")["webhooks"][0]["id"]
    clickup.happen("webhook", id=number, status="suspended")
    clickup.happen("delete", task=ann)
    office.run("update event_sources set created_at = created_at - interval '2 days', cursor = cursor - 'swept_at'")
    office.listen(looks=True)
    assert sorted(kind for kind, _, _ in office.events()[6:]) == ["deleted", "noted"]
    assert clickup.ok("GET", f"/team/{TEAM}/webhook")["webhooks"][0]["health"]["status"] == "active"
    clickup.happen("delete", task=ben)
    office.listen()
    assert office.events()[-1][0] == "deleted"
    assert {one.status for one in list_messages(office.hq)} == {"read"}


def test_what_is_not_signed_is_dead_and_a_refused_connection_leaves_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKUP_API_TOKEN", TOKEN)
    with pytest.raises(ConfigurationError, match="cannot mean"):
        office.connect(statuses={"a": "sent"})
    with pytest.raises(ClickUpError, match="OAUTH_027"):
        office.connect("123")
    assert list_connections(office.hq) == []
    office.connect()
    monkeypatch.setenv("ACME_CLICKUP_SECRET", "another")
    office.clickup.happen("status", task=office.tasks[0], status="contacted")
    address = office.clickup.ok("GET", f"/team/{TEAM}/webhook")["webhooks"][0]["endpoint"]
    assert httpx.post(address, content=b"{}").status_code == 200
    office.listen()
    dead = list_messages(office.hq, status=EventInboxStatus.DEAD)
    assert [one.error for one in dead] == ["it is not signed by the connection's secret"] * len(dead)
    assert len(dead) >= 2
    assert office.events() == [("status_changed", "contacted", None)], "nobody is believed, and our own look found it"
