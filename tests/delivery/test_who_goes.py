"""Who goes to a destination and who does not: one person is one record there, whoever said no is left out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from enrichment_assets.domain.delivery_keys import delivery_key, identities_of_lead, normal_form
from enrichment_assets.domain.suppression import Identity, Kind, hasher_of
from enrichment_assets.installation.databases import open_hq
from enrichment_assets.providers import build_providers
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.deliveries.delivering import deliver
from enrichment_assets.services.people.pepper import must_compare, pepper_of
from enrichment_assets.services.people.suppressing import Terms, suppress
from enrichment_assets.store.deliveries import stops
from tests.actors import TESTER
from tests.delivery.crm import ask, contacts, destination
from tests.delivery.test_delivering import finished, people, sent
from tests.gate.opening import open_gate
from tests.harness.batches import BatchHarness, Launched
from tests.harness.handles import hq_of

Row = dict[str, Any]

BULK: Row = {
    "request": {"url": "/contacts/bulk", "body": {"contacts": "{{ members }}"}},
    "bulk": {
        "at_most": 100,
        "member": {"key": "{{ key }}", "list": "{{ target }}", "fields": "{{ fields }}"},
        "answers": "results",
        "match": {"sent": "key", "answered": "key"},
        "status": "status",
    },
    "price": {"estimate": "0"},
}


def test_a_person_is_known_however_the_address_and_the_profile_are_written() -> None:
    # Gmail ignores dots and what follows a plus (support.google.com/mail/answer/7436150); hosts know no case.
    same = [
        ("email", "Ann.Archer+news@GMail.com", "annarcher@googlemail.com"),
        ("email", " ann@ACME.com ", "ann@acme.com"),
        ("linkedin_url", "https://de.linkedin.com/in/Ann-Archer/", "linkedin.com/in/ann-archer"),
        ("phone", "+1 (212) 555-0123", "+12125550123"),
        ("company_domain", "https://www.acme.com/about", "acme.com"),
        ("apollo_contact_id", " 5f2A ", "5f2a"),
    ]
    for column, one, other in same:
        assert normal_form(column, one) == normal_form(column, other) is not None, (column, one)
    for column, value in (("email", "n/a"), ("linkedin_url", "https://linkedin.com/company/acme"), ("phone", "none")):
        assert normal_form(column, value) is None, (column, value)
    lead = {"email": "not an address", "linkedin_url": "linkedin.com/in/ann", "phone": True}
    assert [one.column for one in identities_of_lead(["email", "linkedin_url", "phone"], lead)] == ["linkedin_url"]
    (named,) = identities_of_lead(["email"], {"email": "ann@acme.com"})
    keys = {
        delivery_key(client, where, target, named.sha256, simulated=simulated)
        for client in ("acme", "globex")
        for where in ("crm", "crm-2")
        for target in ("", "7")
        for simulated in (True, False)
    }
    assert len(keys) == 16, "client, destination, target and world tell deliveries apart"


def test_many_share_a_request_each_with_a_fate_of_its_own_and_targets_keep_apart(harness: BatchHarness) -> None:
    hq, settings = hq_of(harness.settings), harness.settings
    fields = {"Email": "email", "refused": {"value": "{% if title == 'x' %}x{% endif %}"}}
    workflow = destination(
        "in-bulk", {"fields": fields, "update": None, "upsert": True, "target": "{{ city }}"}, **BULK
    )
    add_workflow(hq, settings, workflow, actor=TESTER)
    rows = [
        *people("Ann", "Bob", city="Bonn"),
        *people("Cid", city="Ulm"),
        *people("Dan", city="Bonn", title="x"),
        *people("Ann", city="Bonn"),
        {"first_name": "Eve", "last_name": "Byte", "company_name": "Acme"},
    ]
    batch = finished(harness, rows)
    done = sent(batch, "in-bulk")
    assert (done.plans[0].created, dict(done.plans[0].refused)) == (
        4,
        {"same_lead": 1, "no_identity: email, linkedin_url": 1},
    )
    made = contacts(harness.sandbox)
    assert [(one["list"], one["fields"]["Email"]) for one in sorted(made, key=lambda one: one["fields"]["Email"])] == [
        ("Bonn", "ann@acme.com"),
        ("Bonn", "bob@acme.com"),
        ("Ulm", "cid@acme.com"),
    ]
    assert len(batch.bulk_calls()) == 2, "one request for each target"
    states = batch.rows("select state, external_id is not null as known from deliveries order by item_id")
    assert [(row["state"], row["known"]) for row in states] == [
        ("delivered", True),
        ("delivered", True),
        ("delivered", True),
        ("refused", False),
    ]
    assert batch.state("in-bulk", 4)["status"] in ("SKIPPED", "FAILED")
    again = sent(batch, "in-bulk").plans[0]
    assert (again.created, dict(again.left)) == (1, {"unchanged": 3})


def test_two_batches_with_one_lead_at_once_end_in_one_record(harness: BatchHarness) -> None:
    add_workflow(hq_of(harness.settings), harness.settings, destination("once"), actor=TESTER)
    names = [f"P{number}" for number in range(12)]
    batches = [finished(harness, people(*names, title=title)) for title in ("a", "b")]

    def go(batch: Launched) -> None:
        with open_hq(batch.settings) as hq:
            providers = build_providers(batch.sandbox.url)
            deliver(hq, batch.settings, batch.key, ["once"], actor=TESTER, providers=providers)

    with ThreadPoolExecutor(max_workers=2) as threads:
        list(threads.map(go, batches))
    assert len(contacts(harness.sandbox)) == len(names)
    assert harness.hq.execute("select count(*) as n from deliveries where state = 'delivered'").fetchone() == {"n": 12}
    harness.hq.rollback()


def test_a_lead_that_comes_under_another_address_is_known_by_its_profile_or_its_item(harness: BatchHarness) -> None:
    add_workflow(hq_of(harness.settings), harness.settings, destination("known"), actor=TESTER)
    profile = "https://www.linkedin.com/in/ann-archer"
    first = finished(harness, [{**people("Ann")[0], "linkedin_url": profile}])
    sent(first, "known")
    moved = finished(harness, [{**people("Ann")[0], "email": "ann@globex.com", "linkedin_url": profile}])
    assert sent(moved, "known").plans[0].updated == 1
    only = finished(harness, [{"first_name": "Ann", "last_name": "Archer", "email": "ann@globex.com"}])
    assert dict(sent(only, "known").plans[0].left) == {"unchanged": 1}, "its new address is known by now too"
    assert [one["fields"]["Email"] for one in contacts(harness.sandbox)] == ["ann@globex.com"]
    assert first.rows("select count(*) as n from deliveries")[0]["n"] == 1


def test_whoever_said_no_or_has_answered_is_left_out_also_between_plan_and_call(harness: BatchHarness) -> None:
    hq, settings = hq_of(harness.settings), harness.settings
    add_workflow(hq, settings, destination("mailing", {"gate": "contact"}), actor=TESTER)
    add_workflow(hq, settings, destination("crm"), actor=TESTER)
    suppress(hq, settings, Identity(Kind.EMAIL, "ann@acme.com"), Terms("asked us"), actor=TESTER)
    pepper = pepper_of(hq, settings)
    batch = finished(harness, people("Ann", "Bob", "Cid"))
    open_gate(hq)
    client = batch.rows("select client_id from batches")[0]["client_id"]
    hasher = hasher_of(pepper)
    assert hasher is not None
    with hq.transaction() as connection:
        must_compare(connection, pepper)
        who = hasher.hashed(Identity(Kind.EMAIL, "bob@acme.com"))
        stops.add(connection, client, "tester", [stops.NewStop("replied", hash=who)], mark=hasher.mark)
    plan = sent(batch, "mailing").plans[0]
    assert (plan.created, dict(plan.refused)) == (1, {"suppressed: asked us": 1, "stopped: replied": 1})
    plan = sent(batch, "crm").plans[0]
    assert (plan.created, dict(plan.refused)) == (2, {"suppressed: asked us": 1}), "a CRM is told of who has answered"
    assert len(contacts(harness.sandbox)) == 3

    again = finished(harness, people("Cid", phone="+12125550123"))
    with hq.transaction() as connection:
        must_compare(connection, pepper)
        who = hasher.hashed(Identity(Kind.EMAIL, "cid@acme.com"))
        until = datetime.now(UTC) + timedelta(days=2)
        stops.add(
            connection, client, "tester", [stops.NewStop("out of office", hash=who, until=until)], mark=hasher.mark
        )
    sent(again, "mailing")
    state = again.state("mailing")
    assert state["status"] == "PENDING" and state["reason"] == "stopped: out of office"
    assert state["next_attempt_at"] is not None
    assert ask(harness.sandbox, "GET", "/contacts")["contacts"] == contacts(harness.sandbox)
