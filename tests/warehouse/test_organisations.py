"""Organisations resolved: what is joined, what is never joined, and how each join is explained."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from enrichment_assets.domain.company_names import company_name_key
from enrichment_assets.domain.errors import NotFoundError
from enrichment_assets.services.insight.work_history import job_changes, moves, together_with, worked_at
from enrichment_assets.settings import Settings
from enrichment_assets.warehouse import open_warehouse
from enrichment_assets.warehouse.functions import add_functions
from tests.harness.handles import hq_of
from tests.warehouse.conftest import Build
from tests.warehouse.hq_data import Answer, Lead


def job(name: str | None, identity: str | None = None, **more: object) -> dict[str, object]:
    return {"organization_name": name, "organization_id": identity, "title": "x", **more}


def history(*jobs: dict[str, object]) -> Answer:
    return Answer("match", {"person": {"employment_history": list(jobs)}})


def groups(connection: duckdb.DuckDBPyConnection) -> list[list[str]]:
    """The names of each organisation."""
    rows = connection.execute(
        "select list(distinct name order by name) from organisation_aliases where alias_kind = 'name' "
        "group by client_slug, organisation_id order by 1"
    ).fetchall()
    return [row[0] for row in rows]


def aliases(settings: Settings, *keys: str) -> dict[str, tuple[str, str]]:
    rows = open_warehouse(settings).execute(
        "select alias_key, organisation_id, rule from organisation_aliases where list_contains(?, alias_key)",
        [list(keys)],
    )
    return {key: (identity, rule) for key, identity, rule in rows.fetchall()}


def test_one_customer_in_five_spellings_is_one_organisation(build: Build, settings: Settings) -> None:
    build(
        [
            Lead({"company_name": "Acme, Inc.", "company_website": "https://www.acme.com/about"}),
            Lead({"company_name": "ACME"}),
            Lead({"company_name": "acme.com"}),
            Lead({"company_name": "https://www.linkedin.com/company/acme-inc/"}),
            Lead(
                {},
                [
                    Answer(
                        "org",
                        {
                            "organization": {
                                "id": "a1",
                                "name": "Acme Inc",
                                "website_url": "http://acme.com",
                                "linkedin_url": "http://linkedin.com/company/acme-inc",
                            }
                        },
                    )
                ],
            ),
            Lead({}, [history(job("Acme Incorporated", "a1"))]),
        ]
    )
    found = aliases(settings, "apollo:a1", "name:acme", "host:acme.com", "linkedin:acme-inc")
    assert len(found) == 4
    assert len({identity for identity, _ in found.values()}) == 1
    assert open_warehouse(settings).execute("select count(*) from organisations").fetchall() == [(1,)]


def test_part_of_a_name_joins_nothing(build: Build) -> None:
    warehouse = build([Lead({}, [history(job("Virginia", "1"), job("West Virginia", "2"), job("Virginia Tech", "3"))])])
    assert groups(warehouse) == [["Virginia"], ["Virginia Tech"], ["West Virginia"]]


def test_a_shared_domain_joins_nothing(build: Build) -> None:
    warehouse = build(
        [
            Lead({"company_name": "Office of A", "company_website": "a.house.gov"}),
            Lead({"company_name": "Office of B", "company_website": "b.house.gov"}),
            Lead({"company_name": "Office of C", "company_website": "house.gov"}),
            Lead({"company_name": "Office of D", "company_website": "house.gov"}),
            Lead({"company_name": "Page One", "company_website": "https://facebook.com/one"}),
            Lead({"company_name": "Page One", "company_website": "https://facebook.com/two"}),
        ]
    )
    assert groups(warehouse) == [["Office of A"], ["Office of B"], ["Office of C"], ["Office of D"], ["Page One"]]


def test_a_name_that_two_organisations_have_joins_neither_and_says_so(build: Build, settings: Settings) -> None:
    build(
        [
            Lead({}, [history(job("Phoenix", "1"), job("Phoenix Ltd", "2"))]),
            Lead({"company_name": "Phoenix"}),
        ]
    )
    warehouse = open_warehouse(settings)
    assert warehouse.execute("select count(*) from organisations").fetchall() == [(3,)]
    assert warehouse.execute(
        "select distinct is_ambiguous, rule from organisation_aliases where alias_key = 'name:phoenix'"
    ).fetchall() == [(True, "ambiguous")]
    assert len(worked_at(hq_of(settings), settings, "phoenix").organisations) == 3


def test_a_chain_of_identifiers_is_followed_to_its_end(build: Build, settings: Settings) -> None:
    def answer(number: int, page: int) -> Lead:
        known = {"id": f"{number}", "linkedin_url": f"linkedin.com/company/l{page}"}
        return Lead({}, [Answer("org", {"organization": known})])

    chain = [answer(n, n) for n in range(1, 7)] + [answer(n + 1, n) for n in range(1, 6)]
    build(chain)
    assert open_warehouse(settings).execute("select count(*), max(aliases) from organisations").fetchall() == [(1, 12)]


def test_ids_are_stable_when_more_is_learnt_and_differ_between_clients(build: Build, settings: Settings) -> None:
    build([Lead({}, [history(job("Acme", "a1"))])], client="acme")
    before = aliases(settings, "apollo:a1")
    build([Lead({"company_name": "Acme", "company_website": "acme.com"}), Lead({}, [history(job("ACME Ltd", "a1"))])])
    assert aliases(settings, "apollo:a1")["apollo:a1"][0] == before["apollo:a1"][0]
    build([Lead({}, [history(job("Acme", "a1"))])], client="globex")
    rows = open_warehouse(settings).execute(
        "select count(distinct organisation_id) from organisation_aliases where alias_key = 'apollo:a1'"
    )
    assert rows.fetchall() == [(2,)]


def test_every_join_names_its_rule_and_evidence(build: Build, settings: Settings) -> None:
    build([Lead({"company_name": "ACME"}), Lead({}, [history(job("Acme Inc.", "a1"))])])
    rows = (
        open_warehouse(settings)
        .execute("select alias_key, rule, evidence from organisation_aliases order by alias_key")
        .fetchall()
    )
    assert rows == [
        ("apollo:a1", "identifier", '"Acme Inc.", apollo:a1'),
        ("name:acme", "only_name", '"ACME"'),
    ]


def people(found: object) -> list[str]:
    return sorted({row[found.columns.index("person_name")] for row in found.rows}, key=str)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def careers(shared: Build) -> Settings:
    shared(
        [
            Lead(
                {"full_name": "Ada"},
                [
                    history(
                        job("Globex", "g", start_date="2021-01-01", current=True),
                        job("Acme Inc", "a", start_date="2015", end_date="2020-12-31", current=False),
                    )
                ],
            ),
            Lead({"full_name": "Bob"}, [history(job("ACME", "a", start_date="2018-06", end_date="2019"))]),
            Lead({"full_name": "Cyd"}, [history(job("Acme", "a", end_date="2012"))]),
            Lead({"full_name": "Dee"}, [history(job("Acme", "a", start_date="2022-03", current=True))]),
            Lead({"full_name": "Eve"}, [history(job("Acme", "a"))]),
        ]
    )
    return shared.settings


def test_everyone_who_worked_there_on_a_day_with_certainty_told(careers: Settings) -> None:
    assert people(worked_at(hq_of(careers), careers, "acme")) == ["Ada", "Bob", "Cyd", "Dee", "Eve"]
    found = worked_at(hq_of(careers), careers, "acme", on=date(2019, 3, 1))
    told = {row[found.columns.index("person_name")]: row[found.columns.index("certainty")] for row in found.rows}
    assert told == {"Ada": "certain", "Bob": "possible", "Eve": "possible"}
    assert people(worked_at(hq_of(careers), careers, "acme", before=date(2013, 1, 1))) == ["Cyd", "Eve"]
    assert people(worked_at(hq_of(careers), careers, "acme", after=date(2021, 1, 1))) == ["Dee", "Eve"]
    assert people(worked_at(hq_of(careers), careers, "ACME", exact=True)) == ["Bob"]


def test_who_was_there_at_the_same_time(careers: Settings) -> None:
    assert people(together_with(hq_of(careers), careers, "acme", "bob")) == ["Ada", "Eve"]


def test_who_moved_and_whose_job_changed(careers: Settings) -> None:
    assert people(moves(hq_of(careers), careers, "acme", "globex")) == ["Ada"]
    assert people(moves(hq_of(careers), careers, "globex", "acme")) == []
    assert people(job_changes(hq_of(careers), careers, date(2020, 1, 1))) == ["Ada"]
    assert people(job_changes(hq_of(careers), careers, date(2022, 1, 1))) == []


def test_organisations_that_are_not_built_are_not_blamed_on_the_name(settings: Settings) -> None:
    with pytest.raises(NotFoundError, match="the table `organisations` is not built yet"):
        worked_at(hq_of(settings), settings, "Acme")


def test_an_unknown_organisation_is_refused_not_answered_with_nobody(careers: Settings) -> None:
    with pytest.raises(NotFoundError, match="No organisation is known as `acm`"):
        worked_at(hq_of(careers), careers, "acm")


def organisation(**said: object) -> dict[str, object]:
    return {"organization": said}


def test_the_id_100_of_two_services_behind_one_provider_is_two_organisations(build: Build, settings: Settings) -> None:
    build(
        [
            Lead({}, [Answer("ask-alder", organisation(id=100, name="Alder"), provider="http")]),
            Lead({}, [Answer("ask-birch", organisation(id=100, name="Birch"), provider="http")]),
            Lead({}, [Answer("ask-cedar", organisation(id=100, name="Cedar"), provider="clay")]),
            Lead({}, [Answer("ask-dogwood", organisation(id=100, name="Dogwood"), provider="n8n")]),
            Lead({}, [Answer("match", history(job("Elm", "100")).payload, provider="apollo")]),
            Lead({}, [Answer("histories", history(job("Fir", "100")).payload, provider="http")]),
            Lead({}, [Answer("org", organisation(id=100, name="Elm Ltd"), provider="apollo")]),
        ]
    )
    rows = open_warehouse(settings).execute(
        "select alias_key, list(distinct name order by name) from organisation_aliases "
        "where alias_kind = 'provider_id' group by all order by 1"
    )
    assert rows.fetchall() == [
        ("apollo:100", ["Elm"]),
        ("clay/ask-cedar:100", ["Cedar"]),
        ("http/ask-alder:100", ["Alder"]),
        ("http/ask-birch:100", ["Birch"]),
        ("http/histories:100", ["Fir"]),
        ("n8n/ask-dogwood:100", ["Dogwood"]),
    ]
    assert len(worked_at(hq_of(settings), settings, "100").organisations) == 6
    assert people(worked_at(hq_of(settings), settings, "http/histories:100")) == [None]


def test_workflows_that_declare_one_namespace_share_ids(build: Build, settings: Settings) -> None:
    build(
        [
            Lead({}, [Answer("one", organisation(id=7, name="Alder"), provider="http", id_namespace="coresignal")]),
            Lead(
                {}, [Answer("two", organisation(id=7, name="Alder B.V."), provider="http", id_namespace="coresignal")]
            ),
        ]
    )
    assert set(aliases(settings, "coresignal:7")) == {"coresignal:7"}
    assert open_warehouse(settings).execute("select count(*) from organisations").fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (
            organisation(
                id=1, name="Alder", website_url="http://www.alder.example", linkedin_url="linkedin.com/company/alder"
            ),
            {"company": {"id": "z9", "name": "ALDER Holding", "website": "alder.example",
                         "linkedin_url": "https://de.linkedin.com/company/Alder/"}},
        ),
        (
            organisation(id=1, name="Alder", linkedin_url="https://www.linkedin.com/company/alder/about"),
            {"data": {"company": {"id": "z9", "name": "Alder Group", "linkedin": "linkedin.com/school/alder"}}},
        ),
        (
            organisation(id=1, name="Alder & Sons GmbH", primary_domain="alder.example"),
            {"person": {"company": {"id": "z9", "name": "Alder and Sons", "domain": "https//alder.example"}}},
        ),
    ],
)  # fmt: skip
def test_two_providers_that_name_one_page_and_domain_mean_one_organisation(
    build: Build, settings: Settings, one: dict[str, object], two: dict[str, object]
) -> None:
    build([Lead({}, [Answer("first", one, provider="apollo")]), Lead({}, [Answer("second", two, provider="pdl")])])
    found = aliases(settings, "apollo:1", "pdl:z9")
    assert len(found) == 2 and len({identity for identity, _ in found.values()}) == 1


def test_what_a_workflow_provides_is_a_mention_of_its_company(build: Build, settings: Settings) -> None:
    said = {
        "company_name": "Alder",
        "company_domain": "alder.example",
        "company_linkedin_url": "linkedin.com/company/al",
    }
    build(
        [
            Lead({}, [Answer("research", {"text": "..."}, said, provider="http")]),
            Lead({}, [Answer("org", organisation(id="a1", name="Alder Inc", website_url="alder.example"))]),
        ]
    )
    found = aliases(settings, "apollo:a1", "linkedin:al", "name:alder", "host:alder.example")
    assert len(found) == 4 and len({identity for identity, _ in found.values()}) == 1


def test_nothing_is_no_identity_of_an_organisation(build: Build, settings: Settings) -> None:
    nothing = [
        organisation(id="", name="Alder"), organisation(id="null", name="Birch"), organisation(id=0, name="Cedar"),
        organisation(name="Self-employed", website_url="n.a"), organisation(name="Stealth Startup", website_url="N.A."),
        organisation(name="Confidential", linkedin_url="https://www.linkedin.com/company/unavailable/"),
        organisation(name="Dogwood", website_url="https://play.google.com/store/apps/details?id=1"),
        organisation(name="Elm", website_url="jobs.lever.co/elm"), organisation(name="Fir", website_url="gmail.com"),
    ]  # fmt: skip
    build([Lead({}, [Answer(f"org-{n}", answer)]) for n, answer in enumerate(nothing)])
    rows = open_warehouse(settings).execute("select alias_key, rule from organisation_aliases order by 1").fetchall()
    names = ("alder", "birch", "cedar", "dogwood", "elm", "fir")
    assert rows == [(f"name:{name}", "alone") for name in names]


NAMES = st.text(max_size=30) | st.lists(
    st.sampled_from(
        ["Acme", "Inc.", "GmbH", "& Co", "’s", "ß", "İ", "S.A.", "A/S", "The", "™", "株式会社", "ООО", ",", "é", "."]
    )
).map(" ".join)


@settings_of_hypothesis(max_examples=20, deadline=None)
@given(st.lists(NAMES, min_size=200, max_size=200))
def test_sql_and_python_compare_names_by_one_rule(names: list[str]) -> None:
    shown = [name.replace("\0", "") for name in names if name.isprintable()]
    with duckdb.connect() as connection:
        add_functions(connection)
        rows = connection.execute("select company_name_key(unnest($names))", {"names": [*shown, None]}).fetchall()
    assert [row[0] for row in rows] == [company_name_key(name) for name in [*shown, None]]
