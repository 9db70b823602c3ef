"""Where a value stands in a text: found as it may be written there, and never as a part of another value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment_assets.domain.field_types import FieldType
from enrichment_assets.domain.prompts.occurrences import Source

F = FieldType


@pytest.mark.parametrize(
    ("text", "value", "kind", "quote"),
    [
        # E-mail: normal form is lower case, punycode; obfuscations as pages write them.
        ("Write to Ann@X.com.", "ann@x.com", F.EMAIL, "Ann@X.com"),
        ("[Ann](mailto:ann@x.com?subject=Hi)", "ann@x.com", F.ANY, "ann@x.com"),
        ("ann [at] acme [dot] com", "ann@acme.com", F.EMAIL, "ann [at] acme [dot] com"),
        ("kontakt(ät)müller.de", "kontakt@xn--mller-kva.de", F.EMAIL, "kontakt(ät)müller.de"),
        ("jane dot doe at acme dot com", "jane.doe@acme.com", F.EMAIL, "jane dot doe at acme dot com"),
        ("联系：ann＠acme．com", "ann@acme.com", F.EMAIL, "ann＠acme．com"),
        # Phone: E.164 (ITU); +49 30 is Berlin, +44 20 7946 0xxx Ofcom's range for drama, 555-01xx NANPA's.
        ("Tel. +49 30 1234567", "+49301234567", F.PHONE, "+49 30 1234567"),
        ("Tel. +49 (0)30 / 123 45 67 (Empfang)", "+49301234567", F.ANY, "+49 (0)30 / 123 45 67"),
        ("0049-30-1234567", "+49 (30) 1234567", F.PHONE, "0049-30-1234567"),
        ("(+44) 20 7946 0123", "+442079460123", F.PHONE, "(+44) 20 7946 0123"),
        ("Call 1-800-FLOWERS", "+18003569377", F.PHONE, "1-800-FLOWERS"),
        ("https://wa.me/49301234567", "+49301234567", F.PHONE, "wa.me/49301234567"),
        ("Tel: 030 123-4567", "030 1234567", F.PHONE, "030 123-4567"),
        # Names: title, initial, order; composed or not.
        ("Dr. Jane M. Doe, PhD", "Jane Doe", F.PERSON_NAME, "Jane M. Doe"),
        ("Doe, Jane (CEO)", "Dr. Jane Doe", F.PERSON_NAME, "Doe, Jane"),
        ("DOE Jane", "Jane Doe", F.PERSON_NAME, "DOE Jane"),
        ("our founder Jane\nDoe", "Jane Doe", F.PERSON_NAME, "Jane\nDoe"),
        ("Jose\u0301 Garci\u0301a's shop", "José García", F.PERSON_NAME, "Jose\u0301 Garci\u0301a"),
        ("Anna van der Berg", "Berg, Anna van der", F.PERSON_NAME, "Anna van der Berg"),
        ("王小明先生", "王小明", F.PERSON_NAME, "王小明"),
        ("O’Neil, Shaun", "Shaun O'Neil", F.PERSON_NAME, "O’Neil, Shaun"),
        # Companies: legal forms, case and accents by `company_name_key`.
        ("We are ACME, Inc. of Ohio", "Acme", F.COMPANY_NAME, "ACME"),
        ("bei Müller in Bremen", "Müller GmbH & Co. KG", F.COMPANY_NAME, "Müller"),
        ("the A.C.M.E. works", "ACME Ltd", F.COMPANY_NAME, "A.C.M.E"),
        # Web addresses: scheme, www and a slash at the end say nothing.
        ("see https://acme.com/team/.", "http://www.acme.com/team", F.URL, "https://acme.com/team/"),
        ("[x](https://acme.com/a(b))", "acme.com/a(b)", F.URL, "https://acme.com/a(b)"),
        ("acme.com:443/caf%C3%A9", "https://acme.com/café", F.URL, "acme.com:443/caf%C3%A9"),
        ("info@acme.com", "acme.com", F.HOST, "info@acme.com"),
        ("https://WWW.Acme.com/about", "acme.com", F.ANY, "https://WWW.Acme.com/about"),
        ("linkedin.com/in/jane-doe/", "www.linkedin.com/in/Jane-Doe", F.LINKEDIN_PROFILE, "linkedin.com/in/jane-doe/"),
        ("linkedin.com/company/a/about", "linkedin.com/company/a", F.LINKEDIN_COMPANY, "linkedin.com/company/a/about"),
        ("news of acme.com/press", "https://acme.com/press", F.ANY, "acme.com/press"),
        # Days: every way of writing that means one day only (`domain.dates`).
        ("Founded on March 5, 2024.", "2024-03-05", F.ANY, "March 5, 2024"),
        ("am 25.03.2024 gegründet", "2024-03-25", F.TEXT, "25.03.2024"),
        # Numbers: separators of all countries, scales.
        *[(f"with {text} staff", 1200, F.COUNT, text) for text in ("1200", "1,200", "1.200", "1 200", "1'200", "1.2k")],
        ("$1.2 million in sales", 1_200_000, F.MONEY, "1.2 million"),
        ("3,5 Mrd. Euro", 3_500_000_000, F.ANY, "3,5 Mrd."),
        ("am 01.02.1998 gegründet", 1998, F.YEAR, "1998"),
        ("in 2019,2020,2021", 2020, F.ANY, "2020"),
        ("12 %", "12", F.ANY, "12 %".removesuffix(" %")),
        ("51 to 200 staff", "51-200", F.RANGE, "51 to 200"),
        ("10,001+ people", "10001+", F.RANGE, "10,001+"),
        # Words: quotes, dashes, blanks, Markdown's stars, a full stop that the text does not have.
        ("He said: we **grow**\nfast – today", "We grow fast - today.", F.TEXT, "we **grow**\nfast – today"),
        ("Pumps „made in Bremen“", '"made in Bremen"', F.ANY, "made in Bremen"),
        ("김철수는 대표", "김철수", F.ANY, "김철수"),
        ("Sitz in Deutschland", "Germany", F.COUNTRY, "Deutschland"),
        ("ＡＣＭＥ ﬁnance", "acme finance", F.TEXT, "ＡＣＭＥ ﬁnance"),
    ],
)  # fmt: skip
def test_a_value_is_found_as_it_may_be_written(text: str, value: Any, kind: FieldType, quote: str) -> None:
    span = Source(text).find(value, kind)
    assert span is not None
    assert text[slice(*span)] == quote


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("joann@x.com", "ann@x.com", F.EMAIL),
        ("ann@x.com.au", "ann@x.com", F.EMAIL),
        ("ann@x.com and bob@y.com", "ann@y.com", F.EMAIL),
        ("visit us at acme dot com", "us@acme.com", F.EMAIL),
        ("logo@2x.zip", "logo@2x.zip", F.EMAIL),
        ("+49 30 12345678", "+49301234567", F.PHONE),
        ("030 1234567", "+49301234567", F.PHONE),  # of no country, the Berlin number may be one of Brescia
        ("+49 30 1234567-8", "+49301234567", F.PHONE),
        ("030 123-45678", "030 1234567", F.PHONE),
        ("Jose Garcia", "José García", F.PERSON_NAME),
        ("Jane Doe-Smith", "Jane Doe", F.PERSON_NAME),
        ("Anna-Lena Meier", "Lena Meier", F.PERSON_NAME),
        ("Peter Jane, Doe Smith", "Doe Jane", F.PERSON_NAME),
        ("Jane, Doe and others", "Jane Doe", F.PERSON_NAME),
        ("Jane Smith met John Doe", "Jane Doe", F.PERSON_NAME),
        ("Jane\n\nDoe & Sons", "Doe Sons", F.PERSON_NAME),
        ("Acmeville", "Acme", F.COMPANY_NAME),
        ("https://acme.com@evil.com/", "https://acme.com", F.URL),
        ("https://acme.com.evil.net/", "acme.com", F.HOST),
        ("https://evilacme.com/", "https://acme.com", F.ANY),
        ("https://acme.com/team", "https://acme.com/Team2", F.URL),
        ("https://acme.com/?q=1", "https://acme.com/?q=2", F.URL),
        ("https://github.com/acme", "https://github.com", F.URL),
        ("info@acme.com", "https://acme.com", F.URL),
        ("javascript:alert(1)", "javascript:alert(1)", F.URL),
        ("https://u@acme.com", "https://u@acme.com", F.URL),
        ("linkedin.com/in/jane-doe-2", "linkedin.com/in/jane-doe", F.LINKEDIN_PROFILE),
        ("see acme.com", "acme.com/secret", F.ANY),
        ("on 03/05/2024", "2024-03-05", F.ANY),  # the third of May as likely
        ("in March 2024", "2024-03-05", F.ANY),
        ("120", 12, F.COUNT),
        ("12.5 and 12k and A12 and 12th", 12, F.ANY),
        ("1,200", 200, F.COUNT),
        ("1,200", 1, F.COUNT),
        ("5 people", -5, F.ANY),
        ("51-200 staff", "51-500", F.RANGE),
        ("they grow", "grows", F.TEXT),
        ("growth", "grow", F.TEXT),
        ("come in to us", "India", F.COUNTRY),
        ("true", True, F.BOOLEAN),
        ("x", "", F.TEXT),
        ("x", "x" * 30_000, F.TEXT),
    ],
)
def test_a_value_is_not_found_in_another(text: str, value: Any, kind: FieldType) -> None:
    assert Source(text).find(value, kind) is None


def test_a_number_of_its_country_is_found_where_the_country_is_known() -> None:
    source = Source("Telefon: (030) 123 45 67", "Germany")
    assert source.find("+49301234567", F.PHONE) == source.find("030 1234567", F.PHONE) == (9, 24)
    assert Source("Telefon: (030) 123 45 67", "Italy").find("+49301234567", F.PHONE) is None


@given(st.text(), st.text() | st.floats() | st.integers() | st.booleans(), st.sampled_from(FieldType))
def test_searching_never_raises_and_a_span_is_in_the_text(text: str, value: Any, kind: FieldType) -> None:
    span = Source(f"{text} {value} {text}").find(value, kind)
    assert span is None or 0 <= span[0] < span[1] <= 2 * len(text) + len(str(value)) + 2


@pytest.mark.parametrize("page", ["a ", "a@", "a.a.", "1 2 3 4 5 ", "a dot ", "(at)", "x", "+1", "Aa, ", "((", "日本 "])
def test_a_page_of_one_thing_over_and_over_is_searched_like_any_other(page: str) -> None:
    values = [("a@b.com", F.EMAIL), ("+49301234567", F.PHONE), (7, F.COUNT), ("Jane Doe", F.PERSON_NAME)]
    values += [("Acme GmbH", F.COMPANY_NAME), ("https://a.com/x", F.URL), ("Germany", F.COUNTRY), ("51-200", F.RANGE)]
    source = Source(page * (200_000 // len(page)))
    assert [source.find(value, kind) for value, kind in values] == [None] * len(values)
