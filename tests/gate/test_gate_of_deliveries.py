"""The gate stands before a delivery that contacts people: in its dry run, its plan, and once more before one leaves."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from enrichment_assets.domain.delivery_events import DeliveryEvent, EventKind, EventSource
from enrichment_assets.domain.gate.countries import Consent
from enrichment_assets.domain.gate.rules import ListKind
from enrichment_assets.domain.suppression import read_identity
from enrichment_assets.engine.run.advance import Interrupted
from enrichment_assets.providers import build_providers
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.deliveries.coming_back import take
from enrichment_assets.services.deliveries.delivering import plan_deliveries, run_deliveries
from enrichment_assets.services.deliveries.gate_lists import put_rows
from enrichment_assets.services.deliveries.gate_rules import (
    Agreed,
    let_pass,
    record_consent,
    set_rule,
    withdraw_consent,
)
from tests.actors import TESTER
from tests.delivery.crm import contacts, destination
from tests.delivery.test_delivering import finished, people, sent
from tests.harness.batches import BatchHarness, Launched
from tests.harness.handles import hq_of


def _now() -> datetime:
    return datetime.now(UTC)


def reasons(batch: Launched) -> list[tuple[str, str | None]]:
    return [(row["status"], row["reason"]) for row in batch.states("to-people")]


def test_whom_the_gate_refuses_is_counted_by_rule_and_goes_nowhere_and_updates_are_no_contact(
    harness: BatchHarness,
) -> None:
    hq, settings = hq_of(harness.settings), harness.settings
    add_workflow(hq, settings, destination("to-people", {"gate": "contact"}), actor=TESTER)
    add_workflow(hq, settings, destination(), actor=TESTER)
    rows = [*people("Ann", "Bob", "Cid", "Dan"), *people("Eve", company_name="Beta", email="eve@beta.com")]
    batch = finished(harness, rows)
    assert dict(plan_deliveries(hq, settings, batch.key, ["to-people"])[0].refused) == {"gate: country": 5}
    set_rule(hq, "acme", "country", {"unknown": "opt_out"}, actor=TESTER)
    assert dict(plan_deliveries(hq, settings, batch.key, ["to-people"])[0].refused) == {"gate: email_verified": 5}
    set_rule(hq, "acme", "email_verified", {"on": "false"}, actor=TESTER)
    put_rows(hq, settings, "acme", ListKind.CUSTOMERS, [{"company_name": "BETA Inc"}], "crm", actor=TESTER)
    dry = plan_deliveries(hq, settings, batch.key, ["to-people", "to-crm"])
    assert (dry[0].created, dict(dry[0].refused)) == (3, {"gate: company_cap": 1, "gate: customer": 1})
    assert (dry[1].created, dict(dry[1].refused)) == (5, {}), "a CRM may have everybody"
    sent(batch, "to-people")
    capped = "gate: company_cap: 3 others of the company within 30 days, 3 are allowed"
    assert reasons(batch) == [("COMPLETED", None)] * 3 + [("SKIPPED", capped), ("SKIPPED", "gate: customer: BETA Inc")]
    assert len(contacts(harness.sandbox)) == 3
    # Planned again, they are left alone, and have been contacted all the same.
    assert dict(sent(batch, "to-people").plans[0].left) == {"unchanged": 3}
    # The next batch: who is there already is written again, for that is no contact; a colleague is not.
    second = finished(harness, [*people("Ann", phone="+12125550123"), *people("Fay")])
    plan = sent(second, "to-people").plans[0]
    assert (plan.updated, dict(plan.refused)) == (1, {"gate: company_cap": 1})
    # An event about a record is about its delivery, and by the address about the newest one of the person.
    there = batch.rows(
        "select d.id, d.external_id, d.item_id, d.client_id from batch_items i join deliveries d on d.item_id = i.id "
        "where i.row_number in (2, 3) and i.batch_id = %s order by i.row_number",
        batch.batch_id,
    )
    bob, cid = there
    source = EventSource(bob["client_id"], "acme-crm", "webhook")
    told = [
        DeliveryEvent(EventKind.STATUS_CHANGED, _now(), "1", external_id=bob["external_id"], value="Contacted"),
        DeliveryEvent(EventKind.DELETED, _now(), "2", destination="to-people", external_id=cid["external_id"]),
        DeliveryEvent(EventKind.REPLIED, _now(), "3", address="Bob@Acme.com"),
    ]
    take(hq, settings, source, told)
    assert batch.rows("select delivery_id, item_id, followed from delivery_events order by id") == [
        {"delivery_id": bob["id"], "item_id": bob["item_id"], "followed": None},
        {"delivery_id": cid["id"], "item_id": cid["item_id"], "followed": "deleted there"},
        {"delivery_id": bob["id"], "item_id": bob["item_id"], "followed": "stopped"},
    ]
    assert batch.rows("select state from deliveries where id = %s", cid["id"]) == [{"state": "deleted"}]


def test_a_list_that_grows_after_the_plan_still_refuses_before_anything_leaves(harness: BatchHarness) -> None:
    hq, settings = hq_of(harness.settings), harness.settings
    add_workflow(hq, settings, destination("to-people", {"gate": "contact"}), actor=TESTER)
    batch = finished(harness, people("Ann", "Bob", "Eve", company_name="", country="Germany"))
    set_rule(hq, "acme", "email_verified", {"on": "false"}, actor=TESTER)
    set_rule(hq, "acme", "country", {"unknown": "opt_out"}, actor=TESTER)
    for name in ("ann", "bob", "eve"):
        who, agreed = read_identity(f"{name}@acme.com"), Agreed(Consent.EXPRESS, "a form")
        record_consent(hq, settings, "acme", who, agreed, actor=TESTER)
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        sent(batch, "to-people", stop=stop)
    assert {status for status, _ in reasons(batch)} == {"PENDING"}
    withdraw_consent(hq, settings, "acme", read_identity("ann@acme.com"), actor=TESTER)
    rows = [{"email": "bob@acme.com"}]
    put_rows(hq, settings, "acme", ListKind.COMPETITORS, rows, "crm", actor=TESTER)
    let_pass(hq, batch.states("to-people")[2]["item_id"], ["competitor"], "asked by Jane", actor=TESTER)
    let_pass(hq, batch.states("to-people")[0]["item_id"], ["competitor"], "asked by Jane", actor=TESTER)
    run_deliveries(hq, settings, batch.key, ["to-people"], providers=build_providers(harness.sandbox.url))
    assert reasons(batch) == [
        ("SKIPPED", "gate: country: no consent is recorded any more"),
        ("SKIPPED", "gate: competitor: acme.com"),
        ("COMPLETED", None),
    ]
    assert [one["fields"]["Email"] for one in contacts(harness.sandbox)] == ["eve@acme.com"]
