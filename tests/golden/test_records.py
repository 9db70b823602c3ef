"""Golden records: which value is shown, how sure a record is, what it cost; and from leads to the published table."""

from __future__ import annotations

import json
from decimal import Decimal

import psycopg
import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.domain.name_agreement import names_differ, person_name_key
from enrichment_assets.services.insight.golden import known_person
from enrichment_assets.services.insight.queries import ask
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import ensure_built, load_project, publish_organisations
from tests.golden.records import Leads, Value
from tests.harness.handles import hq_of
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead

ANN = {"first_name": "Ann", "last_name": "Archer", "email": "ann@acme.com"}


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("Ann Archer", "Anna Archer", False),
        ("A. Archer", "Ann Archer", False),
        ("Ann Archer", "Archer Ann", False),
        ("Jo Dale", "Joseph Dale", True),  # two letters begin many names
        ("Bob Miller", "Robert Miller", True),
        ("Ann Archer", "Ann Miller", True),
        ("Maria del Carmen Ruiz", "Maria Ruiz", False),
        ("Müller, Jörg", "Jorg Muller", False),
        ("Wang Wei", "Wang Fang", True),
        ("Jean-Luc Picard", "Jean Picard", False),
    ],
)
def test_names_differ_unless_one_is_a_way_of_writing_the_other(one: str, other: str, differ: bool) -> None:
    keys = [person_name_key(None, None, name) for name in (one, other)]
    assert names_differ(keys[0] or "", keys[1] or "") is differ
    assert names_differ(keys[1] or "", keys[0] or "") is differ


def test_the_best_value_is_a_persons_correction_then_a_verified_then_the_newest_one(leads: Leads) -> None:
    key = Value("linkedin_url", "https://www.linkedin.com/in/ann")
    named = Value("full_name", "Ann Archer")
    leads.add(
        "c",
        [
            {"values": [key, named, Value("email", "old@acme.com"), Value("title", "Clerk", days=1)]},
            {
                "values": [
                    key,
                    named,
                    Value(
                        "email", "ann@acme.com", "workflow", "find", "valid", priority=10, rule="email from verified"
                    ),
                    Value("title", "Boss", days=9),
                    Value("city", "Bonn", "human", priority=0, rule="* from human", days=1),
                ]
            },
            {"values": [key, named, Value("title", "Chief", days=5), Value("city", "Berlin", days=99)]},
            {
                "values": [
                    key,
                    named,
                    Value("title", "CEO", "workflow", "w", priority=50, rule="* from workflow", rank=2),
                ]
            },
        ],
    )
    leads.build("lead_people", "golden_people", "people")
    [row] = leads.rows("select email, email_status, title, city, sources_disagree, leads, cost, confidence from people")
    assert row[:4] == ("ann@acme.com", "valid", "Boss", "Bonn"), "a value that its own lead does not show is no winner"
    assert json.loads(row[4]) == ["city", "email", "title"], "but it is one that disagrees"
    assert row[5:] == (4, Decimal("0.400000"), "HIGH")


def test_confidence_follows_from_identifiers_and_agreement(leads: Leads) -> None:
    page = {"linkedin_url": "https://www.linkedin.com/in/ann"}
    cases = {
        "high": [{**ANN, **page}],
        "medium": [ANN],
        "medium-disagree": [{**ANN, **page}, {**ANN, "last_name": "Archer-Bolt", **page}],
        "low-name": [{"first_name": "Ann", "last_name": "Archer"}],
        "low-nameless": [{"email": "ann@acme.com"}],
        "hold": [ANN, {**ANN, "first_name": "Zoe", "last_name": "Zett"}],
    }
    for client, given in cases.items():
        leads.add(client, given)
    leads.add("firm", [{"company_name": "Acme", "company_domain": "acme.com", "email": "info@acme.com"}])
    leads.build("lead_people", "golden_people", "people")
    found = {client: {row[0] for row in leads.rows("select confidence from people where client_slug = ?", client)}
             for client in cases}  # fmt: skip
    assert found == {client: {client.partition("-")[0].upper()} for client in cases}
    assert leads.rows("select * from people where client_slug = 'firm'") == [], "an office's mailbox is no person"


def test_an_id_stays_when_more_becomes_known_and_nothing_crosses_from_client_to_client(leads: Leads) -> None:
    leads.add("one", [ANN])
    leads.add("two", [ANN])
    leads.build("lead_people")
    before = dict(leads.rows("select client_slug, person_id from lead_people"))
    assert before["one"] != before["two"]
    leads.add("one", [{**ANN, "email": "Ann+x@acme.com", "phone": "+12125550123"}], batch="b2")
    leads.build("lead_people", "golden_people", "people")
    rows = leads.rows("select person_id, batches, leads from people where client_slug = 'one'")
    assert rows == [(before["one"], '["one-b1","one-b2"]', 2)]


def test_records_are_built_for_who_asks_published_and_left_alone_while_nothing_is_new(
    build: Build, settings: Settings
) -> None:
    hq = hq_of(settings)
    answer = Answer("find", {"x": 1}, {"linkedin_url": "https://www.linkedin.com/in/ann-archer"}, cost="0.25")
    build([Lead({**ANN, "company_name": "Acme", "company_domain": "acme.com"}, [answer])], batch_key="b1")
    build([Lead({"full_name": "Ann Archer", "linkedin_url": "https://www.linkedin.com/in/ann-archer"})], batch_key="b2")
    build([Lead(ANN)], batch_key="other", client="globex")
    [ann] = known_person(hq, settings, "ANN+list@acme.com", "acme")
    assert (ann.batches, ann.leads, ann.confidence) == (("b1", "b2"), 2, "HIGH")
    assert sum(ann.cost.values()) == Decimal("0.25")
    assert known_person(hq, settings, "https://linkedin.com/in/Ann-Archer") == [ann]
    assert len(known_person(hq, settings, "ann@acme.com")) == 2, "of every client"
    assert known_person(hq, settings, "bob@acme.com") == []
    with pytest.raises(ConfigurationError, match="an office's mailbox"):
        known_person(hq, settings, "info@acme.com")

    assert ensure_built(settings) == [], "nothing has come since"
    build([Lead({**ANN, "title": "CEO"})], batch_key="b3", select=["final_leads", "lead_values"])
    with ask(hq, settings, "select count(*) as people from hq.batches") as answered:
        assert list(answered.rows()) == [(4,)], "a word of the same letters builds nothing"
    with ask(hq, settings, "select title, leads from people where client_slug = 'acme'") as answered:
        assert list(answered.rows()) == [("CEO", 3)]
    with ask(hq, settings, "select company_name, leads, confidence from golden_companies") as answered:
        assert list(answered.rows()) == [("Acme", 1, "MEDIUM")]

    publish_organisations(hq, settings, [])
    with psycopg.connect(settings.workspace_database_url or "") as workspace:
        assert workspace.execute("select to_regclass('golden_people')").fetchone() == (None,), "another one was built"
        workspace.rollback()
        publish_organisations(hq, settings)
        rows = workspace.execute("select client_slug, leads from golden_people order by 1").fetchall()
        secured = workspace.execute("select relrowsecurity from pg_class where relname = 'golden_people'").fetchone()
    assert (rows, secured) == ([("acme", 3), ("globex", 1)], (True,))
    of_golden = {model.name for model in load_project().models.values() if model.on_demand}
    assert of_golden == {"lead_companies", "golden_companies", "lead_people", "golden_people"}
