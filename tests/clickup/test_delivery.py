"""Leads become tasks in the list of their segment's folder, once; what changed is written, nobody's work is undone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from enrichment_assets.domain.delivery_events import DeliveryEvent, EventKind, EventSource
from enrichment_assets.providers import build_providers
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.catalog.clients import set_client_config
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.deliveries.coming_back import take
from enrichment_assets.services.deliveries.delivering import Delivered, deliver, run_deliveries
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.clickup.places import TEAM
from tests.clickup.test_simulated_clickup import TOKEN, ClickUp
from tests.delivery.crm import FIND, contacts, destination
from tests.gate.opening import open_gate
from tests.harness.batches import BatchHarness, Launched, step
from tests.harness.handles import hq_of

SLUG = "clickup-new-leads"
COLUMNS = {
    "segment": "text", "segment_confidence": "integer", "top_opportunity": "text", "top_opportunity_score": "integer",
    "second_opportunity": "text", "second_opportunity_score": "integer", "conversation_starters_text": "text",
}  # fmt: skip
SAID = {name: f"{{{{ original.get('{name}') }}}}" for name in COLUMNS}
ASSESS = step(
    "assess",
    request={"url": "/echo", "body": {**SAID, "n": "{{ item.id }}"}},
    provides={n: {"from": f"json.{n}", "column": {"type": kind, "description": "x"}} for n, kind in COLUMNS.items()},
    response={"found_if": "json.segment"},
    price={"estimate": "0", "not_found": "0"},
)
"""Stands for the golf course's assessment: what the row says of itself."""

ANN = {
    "full_name": "Ann Archer",
    "first_name": "Ann",
    "last_name": "Archer",
    "title": "Head Pro",
    "company_name": "Pines # 9",
    "email": "ann@pines.example",
    "phone": "+1 406 555 0100",
    "linkedin_url": "linkedin.com/in/ann-archer",
    "segment": "high-end",
    "segment_confidence": "8",
    "top_opportunity": "range_ball_buy",
    "top_opportunity_score": "9",
    "conversation_starters_text": "Your *new* range\n[see](http://evil.example) #1",
}
BEN = {"full_name": "Ben Baker", "company_name": "Oaks", "email": "ben@oaks.example", "segment": "budget"}
CID = {"full_name": "Cid \U0001f3cc Cole", "company_name": "P" * 300, "email": "cid@elms.example", "segment": "both"}


class Desk:
    """A client whose leads go to a workspace."""

    def __init__(self, harness: BatchHarness, clickup: ClickUp) -> None:
        self.harness, self.clickup, self.hq = harness, clickup, hq_of(harness.settings)

    def configure(self) -> None:
        changes = {"parameters.team_id": TEAM, "parameters.assignees": {"high-end": "rita@fairway.example"}}
        set_client_config(self.hq, self.harness.settings, "acme", SLUG, actor=TESTER, set_values=changes)
        told = {"parameters.team_id": TEAM}
        set_client_config(self.hq, self.harness.settings, "acme", "clickup-tell-reply", actor=TESTER, set_values=told)

    def batch(self, *rows: dict[str, str]) -> Launched:
        made = self.harness.launch(list(rows), ASSESS)
        made.run()
        return made

    def send(self, batch: Launched, *slugs: str) -> Delivered:
        providers = build_providers(self.clickup.sandbox.url)
        return deliver(self.hq, batch.settings, batch.key, slugs or [SLUG], actor=TESTER, providers=providers)

    def tasks(self) -> dict[str, dict[str, Any]]:
        found = self.clickup.happen("tasks")["tasks"]
        return {one["name"]: one for one in found if not one["deleted"]}

    def states(self, batch: Launched, slug: str = SLUG) -> list[tuple[Any, ...]]:
        query = "select status, reason from workflow_states where workflow_slug = %s and batch_id = %s order by item_id"
        return [tuple(row.values()) for row in batch.rows(query, slug, batch.batch_id)]


def values(task: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one["value"] for one in task["custom_fields"] if "value" in one}


@pytest.fixture
def desk(
    harness: BatchHarness, settings: Settings, sandbox_process: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    monkeypatch.setenv("CLICKUP_API_TOKEN", TOKEN)
    clickup = ClickUp(sandbox_process)
    made = Desk(harness, clickup)
    yield made
    clickup.http.close()


ANN_TASK, BEN_TASK = "Ann Archer - Head Pro | Pines # 9", "Ben Baker | Oaks"


def test_leads_become_tasks_and_a_second_batch_updates_them_and_keeps_what_a_rep_changed(desk: Desk) -> None:
    lists = {one["folder"]["name"]: one["id"] for one in desk.clickup.places["lists"]}
    desk.clickup.happen("edit-field", field="Segment", options={"budget": "cheap"})
    desk.clickup.happen("add-field", name="Email", type="email", home=lists["Both"])
    desk.clickup.happen("lose")  # the first task is made, and its answer is a gateway's 502
    batch = desk.batch(ANN, BEN, CID)
    desk.configure()
    desk.send(batch)
    states = desk.states(batch)
    assert [status for status, _ in states] == ["COMPLETED"] * 3, states
    tasks = desk.tasks()
    assert len(tasks) == 3, "the one whose answer was lost was found by our key, and not made again"
    ann, ben = tasks[ANN_TASK], tasks[BEN_TASK]
    assert (ann["folder"]["name"], ann["list"]["name"], ben["folder"]["name"]) == ("High-end", "New Leads", "Budget")
    assert ann["markdown_description"] == "- Your \\*new\\* range\n- \\[see\\](http://evil.example) \\#1"
    assert [one["email"] for one in ann["assignees"]] == ["rita@fairway.example"]
    said = values(ann)
    key = said.pop("Enrichment Key")
    assert len(key) == 40
    assert said == {
        "Segment": 0, "Confidence": "8", "Email": "ann@pines.example", "Phone": "+14065550100",
        "LinkedIn": "https://www.linkedin.com/in/ann-archer", "Top Opp 1": "range_ball_buy", "Top Opp 1 Score": "9",
    }  # fmt: skip
    # What a field does not take is left out, and said; the rest goes.
    reasons = " ".join(reason or "" for _, reason in states)
    assert "`Segment` has no option for it; it has high-end, cheap, both" in reasons
    assert "2 fields `Email`" in reasons
    assert sorted(values(ben)) == ["Email", "Enrichment Key"]
    (cid,) = (one for name, one in tasks.items() if name not in (ANN_TASK, BEN_TASK))
    assert (len(cid["name"]), cid["name"][:14], sorted(values(cid))) == (
        250, "Cid \U0001f3cc Cole | P", ["Enrichment Key", "Segment"]
    )  # fmt: skip

    _what_people_do_there_starts_something(desk, batch, ann["id"], cid["id"])

    # A rep corrects a number and moves the card, another deletes one; a second batch has other values.
    desk.clickup.happen("field", task=ann["id"], field="Phone", value="+1 406 555 0199")
    desk.clickup.happen("move", task=ann["id"], to=lists["Budget"])
    desk.clickup.happen("delete", task=ben["id"])
    later = {**ANN, "phone": "+1 406 555 0177", "segment_confidence": "9", "title": "Director", "segment": "both"}
    second = desk.batch(later, {**BEN, "title": "Owner"}, CID)
    written = desk.clickup.happen("tasks")["field_writes"]
    desk.send(second)
    stands = dict(zip(("ann", "ben", "cid"), desk.states(second), strict=True))
    assert stands["ann"] == ("COMPLETED", "left as it is there: Phone")
    assert stands["ben"][0] == "SKIPPED"
    assert stands["ben"][1].startswith("deleted_there"), "and it is not made again"
    assert stands["cid"] == ("SKIPPED", "unchanged")
    tasks = desk.tasks()
    assert len(tasks) == 2
    ann = tasks["Ann Archer - Director | Pines # 9"]
    said = values(ann)
    assert (said["Phone"], said["Confidence"], said["Segment"]) == ("+1 406 555 0199", "9", 2)
    assert (ann["folder"]["name"], said["Enrichment Key"]) == ("Budget", key)
    assert desk.clickup.happen("tasks")["field_writes"] == written + 2, "each field that changed, once"


def _what_people_do_there_starts_something(desk: Desk, batch: Launched, ann: str, cid: str) -> None:
    """A card that is moved starts a sequence, a reply is told at the task, and who said no is not written to."""
    start = destination(
        "start-sequence", {"follows": {"delivery": SLUG, "status": ["Contacted"]}, "gate": "contact", "find": FIND}
    )
    add_workflow(desk.hq, desk.harness.settings, start, actor=TESTER)
    open_gate(desk.hq)
    desk.send(batch, "start-sequence", "clickup-tell-reply")
    waits = f"{SLUG}: waits until it is Contacted"
    assert [one[1] for one in desk.states(batch, "start-sequence")] == [waits] * 3
    client = batch.rows("select client_id from batches where id = %s", batch.batch_id)[0]["client_id"]
    source, now = EventSource(client, "acme-clickup", "clickup"), datetime.now(UTC)

    def heard(kind: EventKind, task: str, **said: Any) -> None:
        take(desk.hq, batch.settings, source, [DeliveryEvent(kind, now, f"{kind}:{task}", external_id=task, **said)])

    heard(EventKind.STATUS_CHANGED, ann, value="contacted")
    heard(EventKind.STATUS_CHANGED, cid, value="contacted")
    heard(EventKind.NOT_INTERESTED, cid)
    providers = build_providers(desk.clickup.sandbox.url)
    run_deliveries(desk.hq, batch.settings, batch.key, ["start-sequence"], providers=providers)
    stands = desk.states(batch, "start-sequence")
    assert [status for status, _ in stands] == ["COMPLETED", "PENDING", "SKIPPED"], stands
    assert "not interested" in stands[2][1]
    assert [one["fields"]["Email"] for one in contacts(desk.clickup.sandbox)] == ["ann@pines.example"]
    heard(EventKind.REPLIED, ann)
    run_deliveries(desk.hq, batch.settings, batch.key, ["clickup-tell-reply"], providers=providers)
    found = {one["id"]: one["comments"] for one in desk.clickup.happen("tasks")["tasks"]}
    assert [one["comment_text"][:22] for one in found[ann]] == ["Ann Archer has replied"]
    assert found[cid] == []
