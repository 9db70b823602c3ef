"""Leads go to a CRM over HTTP: once, again where they changed, and not where somebody said no."""

from __future__ import annotations

from typing import Any

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.providers import build_providers
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.deliveries.delivering import Delivered, deliver, plan_deliveries, run_deliveries
from tests.actors import TESTER
from tests.delivery.crm import CONTACT, FIND, ask, contacts, destination
from tests.harness.batches import BatchHarness, Launched
from tests.harness.handles import hq_of

Row = dict[str, Any]

LOCAL = WorkflowDefinition.model_validate(
    {
        "slug": "tidy",
        "title": "Tidy",
        "step": 1,
        "provider": "local",
        "operation": "normalise_name",
        "mode": "local",
        "uses": ["first_name", "last_name"],
    }
)


def people(*names: str, **columns: str) -> list[Row]:
    return [
        {
            "first_name": name,
            "last_name": "Archer",
            "email": f"{name.lower()}@acme.com",
            "company_name": "Acme",
            **columns,
        }
        for name in names
    ]


def finished(harness: BatchHarness, rows: list[Row], **more: Any) -> Launched:
    batch = harness.launch(rows, LOCAL, **more)
    batch.run()
    return batch


def sent(batch: Launched, *to: str, **more: Any) -> Delivered:
    providers = build_providers(batch.sandbox.url)
    return deliver(hq_of(batch.settings), batch.settings, batch.key, to, actor=TESTER, providers=providers, **more)


def test_a_lead_is_made_once_left_alone_and_written_again_where_it_changed(harness: BatchHarness) -> None:
    hq = hq_of(harness.settings)
    add_workflow(hq, harness.settings, destination(), actor=TESTER)
    batch = finished(harness, people("Ann", "Bob"))

    plan = plan_deliveries(hq, harness.settings, batch.key, ["to-crm"])[0]
    assert (plan.leads, plan.created, plan.updated) == (2, 2, 0)
    assert contacts(harness.sandbox) == []

    done = sent(batch, "to-crm")
    assert done.plans[0].created == 2
    made = contacts(harness.sandbox)
    assert sorted((one["fields"] for one in made), key=lambda fields: str(fields["Email"])) == [
        {"Email": "ann@acme.com", "Name": "Ann Archer"},
        {"Email": "bob@acme.com", "Name": "Bob Archer"},
    ]
    rows = batch.rows("select * from deliveries order by item_id")
    assert [(row["state"], row["external_id"], row["generation"]) for row in rows] == [
        ("delivered", made[0]["id"], 1),
        ("delivered", made[1]["id"], 1),
    ]
    assert [one["key"] for one in made] == [row["key"] for row in rows]

    again = sent(batch, "to-crm").plans[0]
    assert (again.created, again.updated, dict(again.left)) == (0, 0, {"unchanged": 2})

    second = finished(harness, [*people("Ann", phone="+12125550123"), *people("Cid")])
    plan = sent(second, "to-crm").plans[0]
    assert (plan.created, plan.updated) == (1, 1)
    assert [one["fields"].get("Phone") for one in contacts(harness.sandbox)] == ["+12125550123", None, None]
    assert len(contacts(harness.sandbox)) == 3


LOST = '{"resets": 1, "fault_attempts": 1, "fault_after_work": true}'


def lossy(slug: str, delivery: Row | None = None) -> WorkflowDefinition:
    """A destination that makes a contact, and whose first answer about it is lost."""
    request = {"url": "/contacts", "body": CONTACT, "headers": {"x-sandbox-faults": LOST}}
    return destination(slug, delivery, request=request)


def test_after_a_lost_answer_the_destination_is_asked_and_without_a_question_a_person(harness: BatchHarness) -> None:
    hq, settings = hq_of(harness.settings), harness.settings
    asked = {**FIND, "settles": 0}
    for workflow in (
        lossy("asked", {"find": asked, "target": "asked"}),
        lossy("not-asked", {"target": "not-asked"}),
        lossy("repeated", {"upsert": True, "update": None, "target": "repeated"}),
    ):
        add_workflow(hq, settings, workflow, actor=TESTER)
    batch = finished(harness, people("Ann"))
    done = sent(batch, "asked", "not-asked", "repeated")
    assert [plan.created for plan in done.plans] == [1, 1, 1]

    there = {row["destination"]: row for row in batch.rows("select * from deliveries")}
    assert {name: row["state"] for name, row in there.items()} == {
        "asked": "delivered",
        "not-asked": "unknown",
        "repeated": "delivered",
    }
    made = contacts(harness.sandbox)
    assert sorted(one["list"] for one in made) == ["asked", "not-asked", "repeated", "repeated"]
    assert there["asked"]["external_id"] == next(one["id"] for one in made if one["list"] == "asked")
    assert there["asked"]["written"] == {"Email": "ann@acme.com", "Name": "Ann Archer"}
    assert batch.state("asked")["status"] == "COMPLETED"
    assert batch.state("not-asked")["status"] == "AMBIGUOUS"
    assert [call["state"] for call in batch.calls("asked")] == ["applied"]

    again = sent(batch, "asked", "not-asked")
    assert dict(again.plans[0].left) == {"unchanged": 1}
    assert again.plans[1].under_way == 1
    assert len(contacts(harness.sandbox)) == 4


def test_an_answer_that_was_lost_before_anything_was_made_is_asked_about_until_its_index_has_settled(
    harness: BatchHarness,
) -> None:
    hq = hq_of(harness.settings)
    faults = '{"resets": 1, "fault_attempts": 1, "fault_after_work": false}'
    request = {"url": "/contacts", "body": CONTACT, "headers": {"x-sandbox-faults": faults}}
    workflow = destination("asked", {"find": {**FIND, "settles": 3600}}, request=request)
    add_workflow(hq, harness.settings, workflow, actor=TESTER)
    batch = finished(harness, people("Ann"))
    sent(batch, "asked")
    assert contacts(harness.sandbox) == []
    assert batch.state("asked")["status"] == "PENDING"
    assert "its index may lag" in batch.state("asked")["reason"]
    assert [row["state"] for row in batch.rows("select state from deliveries")] == ["unknown"]

    batch.change("update deliveries set ended_at = now() - interval '2 hours'")
    batch.due()
    providers = build_providers(batch.sandbox.url)
    run_deliveries(hq, batch.settings, batch.key, ["asked"], providers=providers)
    assert batch.state("asked")["status"] == "COMPLETED"
    assert len(contacts(harness.sandbox)) == 1
    assert [(call["state"], call["attempt"]) for call in batch.calls("asked")] == [("applied", 2)]


def test_what_a_rep_wrote_stays_each_changed_field_is_written_alone_and_a_deleted_lead_is_not_made_again(
    harness: BatchHarness,
) -> None:
    hq, settings = hq_of(harness.settings), harness.settings
    there = "/contacts/{{ delivery.external_id }}"
    by_field = {
        "update": None,
        "read": {"request": {"method": "GET", "url": there}, "current": "fields"},
        "field_update": {
            "request": {"url": f"{there}/fields/{{{{ field.name }}}}", "body": {"value": "{{ field.value }}"}}
        },
        "fields": {
            "Email": {"from": "email", "write": "never"},
            "Company": "company_name",
            "Title": "title",
            "Phone": {"from": "phone", "write": "if_empty"},
        },
    }
    add_workflow(hq, settings, destination("fields", by_field), actor=TESTER)
    first = finished(harness, people("Ann", title="CEO"))
    sent(first, "fields")
    number = contacts(harness.sandbox)[0]["id"]
    ask(harness.sandbox, "POST", f"/contacts/{number}/fields/Phone", {"value": "rep's"})

    changed = {"title": "Founder", "phone": "+12125550123", "company_name": "Acme Inc"}
    second = finished(harness, [{**people("Ann")[0], **changed}])
    assert sent(second, "fields").plans[0].updated == 1
    found = contacts(harness.sandbox)
    assert [one["fields"] for one in found] == [
        {"Email": "ann@acme.com", "Company": "Acme Inc", "Title": "Founder", "Phone": "rep's"}
    ]
    assert found[0]["writes"] == 4, "made, the rep's, and one for each of two changed fields"
    row = second.rows("select * from deliveries")[0]
    assert (row["generation"], row["written"]["Title"]) == (3, "Founder")
    assert dict(sent(second, "fields").plans[0].left) == {"unchanged": 1}, "the phone differs, and may not be written"

    ask(harness.sandbox, "DELETE", f"/contacts/{number}")
    third = finished(harness, [{**people("Ann")[0], "title": "Chair"}])
    sent(third, "fields")
    assert third.state("fields")["reason"].startswith("deleted_there")
    assert contacts(harness.sandbox) == [] and third.rows("select state from deliveries")[0]["state"] == "deleted"
    assert list(sent(third, "fields").plans[0].refused) == ["deleted_there: the destination does not know it any more"]
