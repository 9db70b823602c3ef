"""What is a value of a field: one judgement with a reason, for cells, answers, emitted objects and corrections."""

from __future__ import annotations

from typing import Any

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrichment_assets.domain.contact_records import ContactReader, PhoneRecords
from enrichment_assets.domain.field_types import FIELD_TYPES, FieldType
from enrichment_assets.domain.values import Cleaned, Reason, clean, clean_alone, clean_fields, rejection

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("name", "raw", "reason"),
    [
        # https://docs.peopledatalabs.com/docs/data-updates: true and false stand for fields outside the plan.
        ("email", True, Reason.WRONG_TYPE),
        ("phone", False, Reason.WRONG_TYPE),
        ("city", True, Reason.WRONG_TYPE),
        ("title", "true", Reason.WRONG_TYPE),  # the same through a spreadsheet or n8n
        ("title", ["CEO"], Reason.WRONG_TYPE),
        ("first_name", {"first": "Jo"}, Reason.WRONG_TYPE),
        ("linkedin_url", "No LinkedIn found", Reason.PLACEHOLDER),
        ("company_name", "❌ No data found", Reason.PLACEHOLDER),
        ("company_name", "Self-Employed", Reason.SELF_EMPLOYED),
        ("company_domain", "N.A.", Reason.PLACEHOLDER),
        ("company_domain", "co.uk", Reason.UNKNOWN_SUFFIX),
        ("company_domain", "acme.con", Reason.UNKNOWN_SUFFIX),
        ("company_domain", "gmail.com", Reason.SHARED_HOST),
        ("company_domain", "Acme", Reason.WRONG_TYPE),
        ("company_website", "https://www.linkedin.com/in/jo-doe", Reason.WRONG_TYPE),
        ("linkedin_url", "https://www.linkedin.com/company/acme", Reason.WRONG_TYPE),
        ("company_linkedin_url", "https://www.linkedin.com/in/jo-doe", Reason.WRONG_TYPE),
        ("linkedin_url", "https://www.linkedin.com/in/unavailable/", Reason.REMOVED_PAGE),
        ("company_linkedin_url", "linkedin.com/company/unavailable", Reason.REMOVED_PAGE),
        ("linkedin_url", "https://www.linkedin.com/search/results/people/", Reason.NOT_A_PROFILE),
        ("linkedin_url", "jo-doe", Reason.NOT_A_PROFILE),
        ("email", "jo@acme.con", Reason.UNKNOWN_SUFFIX),
        ("email", "jo at acme dot com", Reason.NOT_AN_ADDRESS),
        ("phone", "1.4155E+10", Reason.SPREADSHEET_NUMBER),
        ("phone", "202-555-0123", Reason.NO_COUNTRY),
        ("phone", "000-000-0000", Reason.NO_COUNTRY),
        ("phone", "+1 000 000 0000", Reason.NOT_CALLABLE),
        ("company_employee_count", "51-200", Reason.RANGE),
        ("company_employee_count", "Nov-50", Reason.WRONG_TYPE),  # Excel's reading of the size 11-50
        ("company_founded_year", True, Reason.WRONG_TYPE),
        ("company_technologies", False, Reason.WRONG_TYPE),
        ("apollo_account_id", "5.4E+11", Reason.SPREADSHEET_NUMBER),
        ("full_name", "jo@acme.com", Reason.WRONG_TYPE),
        ("first_name", "12345", Reason.WRONG_TYPE),
        ("icp_note", "#N/A", Reason.PLACEHOLDER),
    ],
)
def test_what_is_no_value_of_its_field_says_why(name: str, raw: Any, reason: Reason) -> None:
    cleaned = clean(name, raw, {})
    assert (cleaned.value, cleaned.reason) == (None, reason)


@pytest.mark.parametrize(
    ("name", "raw", "value"),
    [
        ("email", " Jo@Acme.com ", "jo@acme.com"),
        ("phone", "'+1 202-555-0123", "+12025550123"),
        ("phone", 442079460958.0, None),
        ("linkedin_url", "http://de.linkedin.com/in/Jo-Doe/?trk=x", "https://www.linkedin.com/in/jo-doe"),
        ("company_linkedin_url", "linkedin.com/organization/Acme", "https://www.linkedin.com/company/acme"),
        ("company_domain", "https://www.acme.com/about", "acme.com"),
        ("company_website", "facebook.com/acmebakery", "facebook.com/acmebakery"),
        ("company_employee_count", "1,600", 1600),
        ("company_employee_count", 1600, 1600),
        ("company_annual_revenue", "$100M", 100_000_000),
        ("company_founded_year", "1976-04-01", 1976),
        ("company_name", 1906, "1906"),
        ("company_technologies", ["Rust", None, "N/A"], ["Rust"]),
        ("apollo_account_id", 5e11, 5e11),
        ("email_status", "unknown", "unknown"),
        ("is_hiring", False, False),
        ("scores", {"fit": None}, {"fit": None}),
        ("title", " Head of R&D ", "Head of R&D"),
    ],
)
def test_a_value_has_the_form_of_its_field(name: str, raw: Any, value: Any) -> None:
    assert clean(name, raw, {}).value == value


def test_a_name_of_nobody_is_no_value_whole_or_in_halves_and_a_name_like_it_is_one() -> None:
    for name in ("Sales Team", "Test Account", "LinkedIn Member", "linkedin member", "Customer Support", "Help Desk",
                 "First Last", "(Demo User)"):  # fmt: skip
        assert clean("full_name", name, {}) == Cleaned(None, Reason.PLACEHOLDER), name
        first, last = name.strip("()").split()
        halves = {"first_name": first, "last_name": last}
        assert [clean(half, halves[half], halves).reason for half in halves] == [Reason.PLACEHOLDER] * 2, name
        assert [clean_alone(half, halves[half]) for half in halves].count(None) == 2, name
    # Jennifer Null (bbc.com/future/article/20160325), Guy Sales, Dean Tester: halves of these stand beside other names.
    for first, last in [
        ("Jennifer", "Null"),
        ("Guy", "Sales"),
        ("Dean", "Tester"),
        ("Anna", "Member"),
        ("John", "Doe"),
    ]:
        halves = {"first_name": first, "last_name": last}
        assert [clean(half, halves[half], halves).value for half in halves] == [first, last]
        assert clean("full_name", f"{first} {last}", {}).value == f"{first} {last}"
    assert clean_alone("last_name", "Doe") == Cleaned("Doe")


def test_blanks_are_nothing_and_have_no_reason() -> None:
    for name in (*FIELD_TYPES, "a_field_of_ones_own"):
        for blank in (None, "", "  ", [], {}):
            assert (clean(name, blank, {}).value, clean(name, blank, {}).reason) == (None, None)


def test_the_row_decides_where_a_word_alone_cannot() -> None:
    assert clean("company_name", "Freelancer", {}).reason is Reason.SELF_EMPLOYED
    assert clean("company_name", "Freelancer", {"company_website": "https://www.freelancer.com"}).value == "Freelancer"
    assert clean("company_name", "Self", {"email": "ada@self.inc"}).value == "Self"
    assert clean("last_name", "NULL", {"first_name": "Jennifer"}).value is None
    assert clean("last_name", "NULL", {"first_name": "JENNIFER"}).value == "NULL"
    assert clean("last_name", "null", {"first_name": "null"}).value is None
    assert clean("country", "NA", {}).value is None
    assert clean("country", "NA", {"phone": "+264 61 123 4567"}).value == "NA"
    assert clean("phone", "202-555-0123", {"country": "United States"}).value == "+12025550123"
    assert (
        clean("company_phone", "030 901820", {"country": "France", "company_country": "Germany"}).value == "+4930901820"
    )


def test_the_first_of_several_counts_and_the_others_are_kept() -> None:
    emails = clean("email", "a@x.com; b@x.com, n/a", {})
    assert (emails.value, emails.reason, emails.others) == ("a@x.com", Reason.SEVERAL, ("b@x.com",))
    phones = clean("phone", "+1 202 555 0123 / +1 202 555 0124", {})
    assert (phones.value, phones.others) == ("+12025550123", ("+12025550124",))
    assert rejection("a@x.com; b@x.com", clean("email", "a@x.com; b@x.com", {})) == {
        "value": "a@x.com; b@x.com",
        "reason": "several",
        "others": ["b@x.com"],
    }


def test_what_a_value_says_besides_becomes_fields_of_its_own() -> None:
    fields, rejected = clean_fields(
        {
            "phone": "030 901820 Durchwahl 12",
            "country": "Germany",
            "company_employee_count": "10,001+ employees",
            "company_annual_revenue": "€1,5 Mio",
            "company_employee_range": [51, 200],
        }
    )
    assert fields == {
        "phone": "+4930901820",
        "phone_type": "landline",
        "phone_country": "DE",
        "phone_extension": "12",
        "country": "Germany",
        "company_annual_revenue": 1_500_000,
        "company_annual_revenue_currency": "EUR",
        "company_employee_range": "51-200",
        "company_employee_range_min": 51,
        "company_employee_range_max": 200,
    }
    assert rejected == {"company_employee_count": {"value": "10,001+ employees", "reason": "range"}}


def test_a_providers_own_word_stands_before_what_the_number_says() -> None:
    fields, _ = clean_fields({"phone": "+49 30 901820", "phone_type": "work_direct"})
    assert (fields["phone_type"], fields["phone_country"]) == ("work_direct", "DE")


def test_a_declared_type_judges_a_field_of_ones_own() -> None:
    raw = {"seats": "51-200", "raised": "$5M", "note": "51-200", "open": "yes"}
    types = {"seats": FieldType.RANGE, "raised": FieldType.MONEY, "open": FieldType.BOOLEAN}
    fields, rejected = clean_fields(raw, types)
    assert fields == {
        "seats": "51-200", "seats_min": 51, "seats_max": 200, "raised": 5_000_000, "raised_currency": "USD",
        "note": "51-200", "open": True,
    }  # fmt: skip
    assert clean_fields({"seats": True}, types)[1] == {"seats": {"value": True, "reason": "wrong_type"}}
    assert rejected == {}


def test_a_rejected_value_is_cut() -> None:
    entry = rejection("x" * 5000, clean("email", "x" * 5000, {}))
    assert entry is not None
    assert entry["value"] == "x" * 200
    assert rejection([1, {"a": True}], clean("title", [1, {"a": True}], {})) == {
        "value": '[1,{"a":true}]',
        "reason": "wrong_type",
    }


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([*FIELD_TYPES, "free"]), _JSON, st.dictionaries(st.sampled_from(["country", "email"]), _JSON))
def test_whatever_comes_is_judged_and_a_clean_value_is_its_own_form(name: str, raw: Any, row: dict[str, Any]) -> None:
    cleaned = clean(name, raw, row)
    if cleaned.value is not None and name != "free":
        again = clean(name, cleaned.value, row)
        assert again.value == cleaned.value
    rejection(raw, cleaned)


@pytest.mark.parametrize(
    ("number", "country", "read", "rejected"),
    [
        ("(202) 555-0123", "US", "+12025550123", None),
        ("020 7946 0123", "United Kingdom", "+442079460123", None),
        ("030 901820", "DE", "+4930901820", None),
        ("+44 20 7946 0123", "US", "+442079460123", None),
        ("(202) 555-0123", None, "(202) 555-0123", "no_country"),
        ("(202) 555-0123", "DE", "(202) 555-0123", "not_callable"),
        ("1.4155E+10", "US", "1.4155E+10", "spreadsheet_number"),
    ],
)
def test_the_number_of_a_record_is_read_by_the_country_of_its_answer(
    number: str, country: str | None, read: str, rejected: str | None
) -> None:
    reader = ContactReader(
        [], [PhoneRecords(at="phones", number="@")], lambda _where, text: jmespath.compile(text).search
    )
    (record,) = reader.read({"phones": [number]}, country)["phone_records"]
    assert (record["number"], record.get("rejected")) == (read, rejected)


@pytest.mark.parametrize("number", ["n/a", "--", "", None, "unknown"])
def test_a_placeholder_is_no_record_of_a_phone(number: str | None) -> None:
    reader = ContactReader(
        [], [PhoneRecords(at="phones", number="@")], lambda _where, text: jmespath.compile(text).search
    )
    assert not reader.read({"phones": [number]}, "US").get("phone_records")
