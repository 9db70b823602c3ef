"""Company keys, comparable names, and which header means what."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from enrichment_assets.domain.companies import (
    COMPANY_RULES,
    company_host,
    company_key,
    normalise_linkedin_company,
)
from enrichment_assets.domain.company_names import MAX_KEY, company_name_key, has_legal_form
from enrichment_assets.domain.fields import IDENTITY_FIELDS
from enrichment_assets.domain.header_names import header_names
from enrichment_assets.domain.headers import map_headers

OFFICIALS = Path(__file__).parents[1] / "data" / "officials" / "people.csv"


@pytest.mark.parametrize(
    ("name", "normalised"),
    [
        ("ACME, Inc.", "acme"),
        ("Foo GmbH & Co. KG", "foo"),
        ("Müller A.G.", "muller"),
        ("AT&T Inc", "at and t"),
        ("U.S. Senate, Virginia Delegation", "us senate virginia delegation"),
        ("West Virginia", "west virginia"),
        ("The Limited", "the limited"),
        ("S.A.", "sa"),
        ("株式会社トヨタ", "トヨタ"),
        ("Self-employed", None),
        (" - ", None),
        ("", None),
        (None, None),
    ],
)
def test_names_are_compared_without_case_punctuation_and_legal_form(name: str | None, normalised: str | None) -> None:
    assert company_name_key(name) == normalised


WRITING = [
    "A.",
    "Co",
    "&",
    "Inc.",
    "'",
    "ß",
    "İ",
    "S.A.",
    "_",
    "A/S",
    "the",
    "X, The",
    "+",
    "™",
    "株式会社",
    "(株)",
    "ООО",
    "é",
    "PC",
]


@settings(max_examples=500, deadline=None)
@given(
    st.text(max_size=40)
    | st.lists(st.sampled_from(WRITING)).map(" ".join)
    | st.lists(st.sampled_from(WRITING)).map("".join)
)
@example("0:A'S/A")
def test_a_comparable_name_is_its_own_comparable_name(name: str) -> None:
    once = company_name_key(name)
    assert once is None or company_name_key(once) in (once, None)
    normalise_linkedin_company(name)


def test_a_long_name_is_cut_and_told_from_others_by_its_hash() -> None:
    one, two = (company_name_key(f"{'long ' * 60}{end}") for end in ("a", "b"))
    assert one and two and one != two and max(len(one), len(two)) <= MAX_KEY
    assert company_name_key(one) == one


def test_a_legal_form_stands_beside_other_words() -> None:
    names = ["Acme Ltd", "ООО Ромашка", "株式会社トヨタ", "Smith, PC", "Ltd", "Gaming PC", "Jane Roe", "Raymond Teo"]
    assert [has_legal_form(name) for name in names] == [True] * 4 + [False] * 4


def test_a_company_page_has_one_form() -> None:
    forms = [
        "http://www.linkedin.com/company/Acme-Inc/",
        "linkedin.com/company/acme-inc?x=1",
        "de.linkedin.com/company/ACME-inc",
    ]
    assert {normalise_linkedin_company(form) for form in forms} == {"linkedin.com/company/acme-inc"}
    assert normalise_linkedin_company("https://linkedin.com/in/jo") is None
    assert normalise_linkedin_company("https://evil.com/linkedin.com/company/acme") is None


def test_a_private_mailbox_or_profile_page_is_no_host_of_a_company() -> None:
    assert company_host({"company_website": "https://facebook.com/acme"}) is None
    assert company_host({"company_domain": "gmail.com", "company_website": "https://www.acme.com/x"}) == "acme.com"


def test_the_first_rule_that_the_row_has_values_for_decides() -> None:
    row = {"company_name": "Acme Inc", "company_website": "www.acme.com"}
    assert company_key(row, COMPANY_RULES) == "name_and_host:acme|acme.com"
    assert company_key({**row, "apollo_account_id": " a1 "}, COMPANY_RULES) == "apollo_account_id:a1"
    assert company_key({"company_name": "Acme Inc"}, COMPANY_RULES) == "company_name:acme"
    assert company_key({"company_website": "www.acme.com"}, COMPANY_RULES) == "company_host:acme.com"
    assert company_key({"company_name": " "}, COMPANY_RULES) is None
    with pytest.raises(KeyError):
        company_key(row, ["registrable_domain"])


def test_the_officials_have_106_organisations_and_536_sites() -> None:
    with OFFICIALS.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    fields = {m.field: n for n, m in enumerate(map_headers(header)) if m and m.rank == 0}
    people = [{field: row[n] or None for field, n in fields.items()} for row in rows]
    counts = {rule: len({company_key(p, [rule]) for p in people} - {None}) for rule in COMPANY_RULES}
    assert counts == {
        "apollo_account_id": 106,
        "company_linkedin_url": 0,
        "name_and_host": 536,
        "name_and_place": 106,
        "company_name": 106,
        "company_host": 536,
    }


def mapped(*headers: str) -> dict[str, list[str]]:
    found: dict[str, list[tuple[int, str]]] = {}
    for header, meaning in zip(headers, map_headers(headers), strict=True):
        if meaning:
            found.setdefault(meaning.field, []).append((meaning.rank, header))
    return {field: [header for _, header in sorted(columns)] for field, columns in found.items()}


def test_headers_are_known_without_case_spaces_and_punctuation() -> None:
    assert mapped("FIRST_NAME", "lastName", " E-Mail ", "Person LinkedIn URL", "\ufeffJob Title", "Notes") == {
        "first_name": ["FIRST_NAME"],
        "last_name": ["lastName"],
        "email": [" E-Mail "],
        "linkedin_url": ["Person LinkedIn URL"],
        "title": ["\ufeffJob Title"],
    }


def test_the_merge_form_of_the_name_gives_way_to_the_name() -> None:
    assert mapped("Company Name for Emails", "Company")["company_name"] == ["Company"]
    assert mapped("Company Name for Emails", "Website")["company_name"] == ["Company Name for Emails"]


def test_phones_have_an_order_and_the_companys_is_not_the_persons() -> None:
    assert mapped("Company Phone", "Phone", "Corporate Phone", "First Phone", "Mobile Phone", "Work Direct Phone") == {
        "company_phone": ["Company Phone"],
        "phone": ["Work Direct Phone", "Mobile Phone", "First Phone", "Phone", "Corporate Phone"],
    }


def test_website_and_domain_are_two_fields() -> None:
    assert mapped("Website", "Domain") == {"company_website": ["Website"], "company_domain": ["Domain"]}


def test_an_accounts_export_is_about_companies() -> None:
    accounts = mapped("Company Name", "Company Name for Emails", "Company Country", "Apollo Record Id")
    assert accounts == {
        "company_name": ["Company Name"],
        "country": ["Company Country"],
        "apollo_account_id": ["Apollo Record Id"],
    }
    contacts = mapped("First Name", "Country", "Company Country", "Apollo Record Id")
    assert contacts["apollo_contact_id"] == ["Apollo Record Id"]
    assert contacts["country"] == ["Country"]


def test_a_header_of_symbols_means_nothing_and_no_known_name_is_empty() -> None:
    names = header_names()
    assert mapped("✓", "#", "", " ", "—", "***", "\ufeff", "\u200b") == {}
    every = [*names.fields.values(), *names.fallbacks.values(), *names.about_companies.values(), names.record_ids]
    assert all("" not in order for order in every)
    assert {field for group in names.places for field in group} == {"city", "state", "country"}
    assert set(names.fields) | {"city", "state", "country"} == set(IDENTITY_FIELDS)


def test_a_header_has_one_meaning() -> None:
    fields = header_names().fields
    headers = [header for order in fields.values() for header in order]
    assert sorted(headers) == sorted(set(headers))


def test_address_columns_are_told_by_their_cells() -> None:
    profiles = ["https://www.linkedin.com/in/jane-roe", "https://de.linkedin.com/in/max/"]
    pages = ["http://www.linkedin.com/company/acme", "linkedin.com/school/mit"]
    sites = ["https://acme.example", "beta.example"]

    def meaning(header: str, cells: list[str]) -> str | None:
        found = map_headers(["First Name", header], [["Jane", "Max"], cells])[1]
        return found and found.field

    assert meaning("url", profiles) == "linkedin_url"
    assert meaning("Website", profiles) == "linkedin_url"
    assert meaning("Profile URL", pages) == "company_linkedin_url"
    assert meaning("LinkedIn", pages) == "company_linkedin_url"
    assert meaning("Company LinkedIn", profiles) == "linkedin_url"
    assert meaning("url", sites) == "company_website"
    assert meaning("Profile", sites) is None
    assert meaning("Website", [sites[0], profiles[0], sites[1]]) == "company_website"
    assert meaning("Recruiter", profiles) is None


def test_a_title_that_is_a_form_of_address_is_no_job() -> None:
    assert mapped("Title", "Job Title")["title"] == ["Job Title"]
    title = map_headers(["Title", "Last Name"], [["Dr.", "Frau", "Mr.", "CEO"], ["Roe"]])
    assert title[0] is None
    assert map_headers(["Title"], [["CEO", "Dr.", "VP Sales"]])[0] is not None
