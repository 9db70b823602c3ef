"""A lead that the client has already is not paid for again, whoever asks, and nobody is taken for somebody else."""

from __future__ import annotations

from typing import Any

import pytest

from enrichment_assets.domain.known import known_by
from enrichment_assets.domain.role_mailboxes import is_role_mailbox
from enrichment_assets.domain.suppression import read_identity
from enrichment_assets.services.people.suppressing import Terms, suppress
from tests.actors import TESTER
from tests.engine.hostile_server import answering
from tests.engine_features.test_fanout import children, search
from tests.harness.batches import BatchHarness, Launched, step
from tests.harness.handles import hq_of

Row = dict[str, Any]


def stands(batch: Launched, slug: str = "find") -> list[tuple[str, str | None]]:
    return [(row["status"], row["reason"]) for row in batch.states(slug)]


@pytest.mark.parametrize(
    ("address", "is_an_offices"),
    [
        ("info@acme.com", True),
        ("no-reply@acme.com", True),
        ("Sales.UK@acme.com", True),
        ("kontakt@acme.de", True),  # German: contact
        ("info2@acme.com", True),
        ("info+web@acme.com", True),
        ("accounts_payable@acme.com", True),
        ("postmaster@acme.com", True),  # RFC 2142, section 5
        ("rrhh@acme.es", True),  # recursos humanos
        ("maria.sales@acme.com", False),  # Sales is a surname
        ("ann.archer@acme.com", False),
        ("informa@acme.com", False),
        ("salesforce.guru@acme.com", False),
        ("a.info@acme.com", False),
    ],
)
def test_an_offices_mailbox_names_no_person(address: str, is_an_offices: bool) -> None:
    assert is_role_mailbox(address) is is_an_offices


@pytest.mark.parametrize(
    ("cells", "compared"),
    [
        ({"first_name": "Ann", "email": "Ann+x@acme.com", "company_domain": "acme.com"}, {"ann@acme.com"}),
        ({"full_name": "Ann Archer", "company_domain": "acme.com"}, set()),  # a name joins nobody
        ({"full_name": "Ann Archer", "email": "info@acme.com"}, set()),  # the office's, not hers
        ({"title": "Owner", "company_domain": "acme.com"}, set()),  # somebody at the company, not the company
        ({"apollo_contact_id": "5f1", "company_domain": "acme.com"}, set()),
        (
            {"email": "a.nn@gmail.com", "linkedin_url": "http://de.linkedin.com/in/Ann-Archer/?x=1"},
            {"ann@gmail.com", "https://www.linkedin.com/in/ann-archer"},
        ),
        ({"company_name": "Acme", "company_website": "https://WWW.acme.com/about"}, {"acme.com"}),
        ({"company_name": "Acme", "company_domain": "shop.acme.com"}, {"shop.acme.com"}),  # never cut to acme.com
        ({"company_name": "Acme", "company_domain": "gmail.com"}, set()),  # a mail provider's host
        ({"company_name": "Acme", "company_website": "facebook.com/acme"}, set()),  # a page on a platform
        ({"company_name": "Acme", "company_website": "acme.wixsite.com/home"}, set()),
        ({"company_name": "Acme", "email": "info@acme.com", "company_domain": "acme.com"}, {"info@acme.com"}),
        ({"email": "bob@acme.com", "company_domain": "acme.com"}, {"bob@acme.com"}),  # somebody's own address
        (
            {"company_name": "MIT", "company_linkedin_url": "linkedin.com/school/mit/"},
            {"linkedin.com/company/mit"},
        ),
        ({"company_name": "Acme"}, set()),
        ({}, set()),
    ],
)
def test_a_lead_is_compared_by_addresses_profiles_and_hosts_and_never_by_a_name(cells: Row, compared: set[str]) -> None:
    assert {one.value for one in known_by(cells).compared} == compared


def test_what_a_company_step_finds_is_no_identity_of_a_person() -> None:
    found = [{"email": "ann@acme.com", "linkedin_url": "linkedin.com/in/ann"}]
    person = known_by({"full_name": "Ann Archer"}, (), found)
    assert person.further == frozenset()
    assert len(known_by({"full_name": "Ann Archer"}, found).further) == 2
    records = [{"email_records": [{"address": "x@acme.com", "role": "candidate"}, {"address": "y@acme.com"}]}]
    assert {one.value for one in known_by({"title": "CEO"}, records).further} == {"y@acme.com"}


def test_a_known_lead_is_skipped_in_every_step_and_says_which_batch_has_it(harness: BatchHarness) -> None:
    ann = {"first_name": "Ann", "email": "ann@acme.com", "n": "1"}
    with answering() as server:
        server.bodies["/x"] = b'{"found": true, "mail": "Dan.Dale@gmail.com", "page": "linkedin.com/in/dan-dale"}'
        finds = {"url": server.url + "/x", "body": {"n": "{{original.n}}"}}
        first = harness.launch(
            [ann, {"first_name": "Dan", "last_name": "Dale", "n": "2", "company_domain": "beta.com"}],
            step("find", request=finds, provides={"email": "mail", "linkedin_url": "page"}),
        )
        firms = harness.launch([{"company_name": "Gamma", "company_domain": "gamma.com"}], step("find"))
        again: list[Row] = [
            {"first_name": "Anna", "email": "Ann+list@ACME.com"},
            {"first_name": "D.", "email": "dandale+vip@googlemail.com"},  # found by a step of the first batch
            {"first_name": "Dan", "Person Linkedin Url": "https://www.linkedin.com/in/dan-dale/"},
            {"first_name": "Ann", "email": "ann@beta.com"},  # the name alone, and the company alone
            {"Company Name": "Gamma Inc", "Website": "http://www.gamma.com"},
            {"Company Name": "Acme", "Website": "acme.com"},  # so far only somebody's employer
            {"first_name": "Eve", "Company Name": "Gamma", "Website": "gamma.com"},  # a new person at a known company
        ]
        early = harness.launch(again, step("find"), step("more"), known="skip")
        first.run()
        late = harness.launch(again, step("find"), step("more"), known="skip")
    new, was, co = ("PENDING", None), ("SKIPPED", f"known: in batch {first.key}"), f"known: in batch {firms.key}"
    assert stands(early) == [was, new, new, new, ("SKIPPED", co), new, new], "nothing was found yet"
    by_early = ("SKIPPED", f"known: in batch {early.key}")
    assert stands(late) == stands(late, "more") == [was, was, was, by_early, ("SKIPPED", co), by_early, new]
    late.run()
    assert late.asked("find") == 1 and late.asked("more") == 1, "for Eve alone"
    refreshed = harness.launch(again, step("find"), known="refresh")
    plain = harness.launch(again, step("find"))
    assert refreshed.statuses() == plain.statuses() == {"PENDING": 7}


def test_another_client_a_batch_given_up_and_what_was_never_answered_make_nobody_known(harness: BatchHarness) -> None:
    rows: list[Row] = [{"first_name": "Ann", "email": "ann@acme.com"}, {"first_name": "Bob", "email": "bob@acme.com"}]
    harness.launch(rows, step("find"), client="globex")
    failed = harness.launch(rows, step("find"))
    failed.change("update workflow_states set status = 'FAILED' where batch_id = %s", failed.batch_id)
    given_up = harness.launch(rows, step("find"))
    given_up.change("update batches set given_up_at = now() where id = %s", given_up.batch_id)
    simulated = harness.launch(rows, step("find"))
    simulated.change(
        "update batches set blueprint = blueprint || '{\"simulated\": true}' where id = %s", simulated.batch_id
    )
    batch = harness.launch(rows, step("find"), known="skip")
    assert stands(batch) == [("PENDING", None)] * 2
    suppress(hq_of(batch.settings), batch.settings, read_identity("bob@acme.com"), Terms("no"), actor=TESTER)
    again = harness.launch(rows, step("find"), known="skip")
    assert stands(again) == [("SKIPPED", f"known: in batch {batch.key}"), ("PENDING", None)], "who said no is no lead"
    again.run()
    assert stands(again)[1] == ("SKIPPED", "suppressed: no")


def test_emitted_children_are_compared_with_earlier_leads_and_known_to_later_ones(harness: BatchHarness) -> None:
    plan: Row = {"company_name": "Pine Golf", "company_domain": "pine.com", "n": "1"}
    people = [
        {"first_name": "Ann", "email": "ann@pine.com"},
        {"first_name": "Bob", "email": "bob@pine.com"},
        {"company_name": "Oak Golf", "company_domain": "oak.com"},
    ]
    first = harness.launch([{"first_name": "Ann", "email": "ann@pine.com"}], step("later"))
    batch = harness.launch([plan], search(people), step("later"), known="skip")
    batch.run()
    by_name = {row["first_name"] or row["company_name"]: row["id"] for row in children(batch)}
    states = {row["item_id"]: (row["status"], row["reason"]) for row in batch.states("later")}
    assert states[by_name["Ann"]] == ("SKIPPED", f"known: in batch {first.key}")
    assert states[by_name["Bob"]][0] == states[by_name["Oak Golf"]][0] == "COMPLETED"

    other = harness.launch([{**plan, "company_domain": "elm.com"}], search(people), step("later"), known="skip")
    other.run()
    reasons = {row["reason"] for row in other.states("later") if row["row_number"] == 0}
    assert reasons == {f"known: in batch {first.key}", f"known: in batch {batch.key}"}
    assert other.asked("later") == 2, "those of the batch before alone"
