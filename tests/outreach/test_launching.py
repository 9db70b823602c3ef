"""Leads of a batch go into a campaign: each with its fate, once, changed where it changed, looked up when in doubt."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from enrichment_assets.domain.errors import ConfigurationError, NotFoundError
from enrichment_assets.domain.suppression import read_identity
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.providers import build_providers
from enrichment_assets.registry.loader import builtin_workflows
from enrichment_assets.services.access.api_keys import create_key
from enrichment_assets.services.campaigns.creating import create
from enrichment_assets.services.campaigns.launching import DELIVERY, Launch, launch, plan_launch
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.deliveries.delivering import Delivered, run_deliveries
from enrichment_assets.services.people.suppressing import Terms, suppress
from enrichment_assets.services.pulls.connecting import connect
from enrichment_assets.services.shapes.deliveries import LeadDelivery
from enrichment_assets.settings import Settings
from enrichment_assets.store.hq import Hq
from enrichment_assets.web.api.app import build_api
from tests.actors import TESTER
from tests.delivery.test_delivering import LOCAL
from tests.gate.opening import open_gate
from tests.harness.batches import BatchHarness, Launched
from tests.harness.handles import hq_of
from tests.outreach.test_campaigns import file, there

KEY = "key-of-acme"
ORIGIN = "http://127.0.0.1:8730"


def person(name: str, address: str | None = None, **columns: str) -> dict[str, Any]:
    email = f"{name.lower()}@corp.example" if address is None else address
    return {"first_name": name, "last_name": "Archer", "email": email, "company_name": "Corp", **columns}


class Office:
    """A client with a campaign at Instantly, and batches of its leads."""

    def __init__(self, harness: BatchHarness) -> None:
        self.harness, self.sandbox = harness, harness.sandbox
        self.hq: Hq = hq_of(harness.settings)
        self.settings: Settings = replace(harness.settings, sandbox_url=harness.sandbox.url)

    def batch(self, *rows: dict[str, Any]) -> Launched:
        batch = self.harness.launch(list(rows), LOCAL)
        batch.run()
        return batch

    def campaign(self, name: str = "Golf") -> str:
        made = create(self.hq, self.settings, "acme", file(name), actor=TESTER)
        return str(made.campaign.external_id)

    def asked(self, batch: Launched, campaign: str = "Golf", **more: Any) -> Launch:
        return Launch("acme", campaign, batch.key, **more)

    def launch(self, batch: Launched, campaign: str = "Golf", **more: Any) -> Delivered:
        providers = build_providers(self.sandbox.url)
        asked = self.asked(batch, campaign, **more)
        return launch(self.hq, self.settings, asked, actor=TESTER, providers=providers)

    def leads(self, campaign: str) -> dict[str, dict[str, Any]]:
        found = there(self.sandbox, "POST", "/leads/list", {"campaign": campaign, "limit": 100})["items"]
        assert len({one["email"] for one in found}) == len(found)
        return {one["email"].partition("@")[0]: one for one in found}


@pytest.fixture
def office(harness: BatchHarness, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setenv("ACME_INSTANTLY_KEY", KEY)
    office = Office(harness)
    first = office.batch(person("Zoe"))
    assert first.client == "acme"
    connect(office.hq, "instantly", "acme", "ACME_INSTANTLY_KEY", actor=TESTER)
    open_gate(office.hq)
    yield office


def states(batch: Launched) -> dict[str, tuple[str, str | None]]:
    rows = batch.rows(
        "select i.row_number as n, w.status, w.reason from workflow_states w join batch_items i on i.id = w.item_id "
        "where w.workflow_slug = 'instantly-campaign' and w.batch_id = %s order by 1",
        batch.batch_id,
    )
    return {str(row["n"]): (row["status"], row["reason"]) for row in rows}


def test_each_lead_has_its_fate_and_a_second_launch_changes_what_changed(office: Office) -> None:
    campaign = office.campaign()
    there(office.sandbox, "POST", "/block-lists-entries", {"bl_value": "bob@corp.example"})
    suppress(office.hq, office.settings, read_identity("cid@corp.example"), Terms("no", client="acme"), actor=TESTER)
    batch = office.batch(person("Ann", title="CEO"), person("Bob"), person("Cid"), person("Dan"))
    plan = plan_launch(office.hq, office.settings, office.asked(batch, where=["first_name!=Dan"]))
    assert (plan.created, plan.not_chosen, sum(plan.refused.values())) == (2, 1, 1)
    assert office.leads(campaign) == {}

    done = office.launch(batch, where=["first_name!=Dan"])
    assert set(office.leads(campaign)) == {"ann"}
    assert office.leads(campaign)["ann"]["payload"]["title"] == "CEO"
    shown = LeadDelivery.of(batch.key, done.plans[0], done.stands, done.stopped)
    assert shown.failed == {"it is on the block list": 1}
    calls = [one for one in office.sandbox.calls() if one["operation"] == "leads/add"]
    assert len(calls) == 1, "one call for all"
    row = batch.rows("select * from deliveries where state = 'delivered'")[0]
    assert (row["target"], row["external_id"]) == (campaign, office.leads(campaign)["ann"]["id"])

    again = office.batch(person("Ann", title="Founder"), person("Eve"))
    second = office.launch(again).plans[0]
    assert (second.created, second.updated) == (1, 1)
    found = office.leads(campaign)
    assert set(found) == {"ann", "eve"}
    assert (found["ann"]["id"], found["ann"]["payload"]["title"]) == (row["external_id"], "Founder")
    assert dict(office.launch(again).plans[0].left) == {"unchanged": 2}
    actions = batch.rows("select action, actor from operator_actions where kind = 'campaign' order by id")
    assert [row["action"] for row in actions] == ["campaign.create", *["campaign.launch"] * 3]


def test_after_a_lost_answer_leads_are_looked_up_and_none_is_added_twice(office: Office) -> None:
    campaign = office.campaign()
    batch = office.batch(*(person(name) for name in ("Ann", "Bob", "Joann")))
    office.sandbox.configure(providers={"instantly": {"resets": 1, "fault_attempts": 1}})
    office.launch(batch)
    office.sandbox.configure(providers={"instantly": None})
    for _ in range(3):
        batch.change("update deliveries set ended_at = now() - interval '2 hours'")
        batch.due()
        office.launch(batch)
    assert set(office.leads(campaign)) == {"ann", "bob", "joann"}
    rows = batch.rows("select state, external_id from deliveries order by id")
    assert {row["state"] for row in rows} == {"delivered"}
    assert {row["external_id"] for row in rows} == {one["id"] for one in office.leads(campaign).values()}


def test_two_campaigns_of_a_client_share_no_setting_and_nobody_is_in_both(office: Office) -> None:
    golf, tennis = office.campaign("Golf"), office.campaign("Tennis")
    office.launch(office.batch(person("Ann")), "Golf")
    batch = office.batch(person("Ann"), person("Bob"))
    office.launch(batch, "Tennis")
    assert (set(office.leads(golf)), set(office.leads(tennis))) == ({"ann"}, {"bob"})
    assert [word for word, _ in states(batch).values()] == ["FAILED", "COMPLETED"]
    assert "in the campaign or workspace already" in str(states(batch)["1"][1])


def test_a_campaign_whose_mails_name_what_is_not_sent_is_not_launched(office: Office) -> None:
    odd = file("Odd", "Hello {{nickname}}, {{ firstName }} {{companyName|you}}")
    create(office.hq, office.settings, "acme", odd, actor=TESTER)
    batch = office.batch(person("Ann"))
    with pytest.raises(ConfigurationError) as raised:
        office.launch(batch, "Odd")
    assert raised.value.code == "campaign.variable_unsent"
    assert "nickname" in raised.value.what and "firstName" not in raised.value.what
    with pytest.raises(NotFoundError):
        office.launch(batch, "Nothing")
    assert not [one for one in office.sandbox.calls() if one["operation"].startswith("leads")]


def test_a_lead_without_what_a_mail_names_is_left_out_unless_the_mail_has_other_words(office: Office) -> None:
    """`companyName` is Instantly's own name of a column, `title` one that the delivery made up."""
    body = "{{companyName}} {{title}} {{phone|a number}}"
    made = create(office.hq, office.settings, "acme", file("Odd", body), actor=TESTER)
    batch = office.batch(person("Ann", title="CEO"), person("Bob"), person("Cid", company_name=""))
    assert dict(plan_launch(office.hq, office.settings, office.asked(batch, "Odd")).refused) == {
        "missing_input: title": 1,
        "missing_input: company_name, title": 1,
    }
    office.launch(batch, "Odd")
    assert set(office.leads(str(made.campaign.external_id))) == {"ann"}


def test_a_variable_that_is_a_list_is_refused_by_name_and_a_joined_one_is_sent(office: Office) -> None:
    campaign = office.campaign()
    shipped = builtin_workflows()["instantly-campaign"]
    text = shipped.model_dump_json(by_alias=True, exclude_defaults=True)
    told = json.loads(text) | {"slug": "with-tags"}
    told["bulk"]["member"]["custom_variables"]["tags"] = "{{ [first_name, last_name] }}"
    add_workflow(office.hq, office.settings, WorkflowDefinition.model_validate(told), actor=TESTER)
    batch = office.batch(person("Ann"))
    office.launch(batch, delivery="with-tags")
    row = batch.rows("select status, reason from workflow_states where workflow_slug = 'with-tags'")[0]
    assert "custom_variables/tags must be string" in row["reason"]
    assert office.leads(campaign) == {}

    told |= {"slug": "with-joined-tags"}
    told["bulk"]["member"]["custom_variables"]["tags"] = "{{ [first_name, last_name] | join(', ') }}"
    add_workflow(office.hq, office.settings, WorkflowDefinition.model_validate(told), actor=TESTER)
    office.launch(batch, delivery="with-joined-tags")
    assert office.leads(campaign)["ann"]["payload"]["tags"] == "Ann, Archer"

    told |= {"slug": "with-a-name-of-theirs"}
    told["bulk"]["member"]["custom_variables"]["step"] = "{{ title }}"
    add_workflow(office.hq, office.settings, WorkflowDefinition.model_validate(told), actor=TESTER)
    with pytest.raises(ConfigurationError) as raised:
        office.launch(batch, delivery="with-a-name-of-theirs")
    assert raised.value.code == "campaign.variable_collides"


def test_a_launch_over_http_is_planned_and_the_running_platform_takes_the_leads_there(office: Office) -> None:
    campaign = office.campaign()
    batch = office.batch(person("Ann"), person("Bob"))
    key = create_key(office.hq, "panel", ["pulls:read", "deliveries:send"], client="acme", actor=TESTER).text
    asked = {"campaign": "Golf", "batch": batch.key, "where": ["first_name=Ann"]}

    async def ask() -> tuple[httpx.Response, ...]:
        transport = httpx.ASGITransport(build_api(office.hq, office.settings, [ORIGIN]))
        headers = {"authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as http:
            return (
                await http.post("/api/campaigns/launch", json=asked),
                await http.get("/api/campaigns"),
                await http.post("/api/campaigns/launch", json={**asked, "batch": "globex-1-leads"}),
                await http.post("/api/campaigns/launch", json={**asked, "campaign": "Nothing"}),
                await http.post("/api/campaigns/launch", json={**asked, "where": "first_name=Ann"}),
                await http.post("/api/campaigns/launch", json={"campaign": "Golf"}),
                await http.post("/api/campaigns/launch", json={**asked, "client": "globex"}),
            )

    planned, listed, *refused = asyncio.run(ask())
    assert planned.status_code == 202, planned.text
    assert (planned.json()["created"], planned.json()["not_chosen"]) == (1, 1)
    assert [one["name"] for one in listed.json()["items"]] == ["Golf"]
    assert [one.status_code for one in refused] == [404, 404, 422, 422, 404]
    assert refused[0].json()["message"] == "client acme has no batch 'globex-1-leads'"
    assert office.leads(campaign) == {}, "the API has no keys of services"

    run_deliveries(office.hq, office.settings, batch.key, [DELIVERY], providers=build_providers(office.sandbox.url))
    assert set(office.leads(campaign)) == {"ann"}
