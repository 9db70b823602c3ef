"""Leads go to a CRM over HTTP: once, again where they changed, and not where somebody said no."""

from __future__ import annotations

from typing import Any

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.providers import build_providers
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.deliveries.delivering import Delivered, deliver, plan_deliveries
from tests.actors import TESTER
from tests.delivery.crm import contacts, destination
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
    assert [one["fields"] for one in made] == [
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
