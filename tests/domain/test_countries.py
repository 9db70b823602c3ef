"""Countries: every name and code of the standards, and nothing for what names none or two."""

from __future__ import annotations

import pycountry
import pytest
from babel import Locale
from hypothesis import given, settings
from hypothesis import strategies as st

from enrichment_assets.domain.countries import region_of

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "sv", "pl", "tr", "ru", "ja", "zh", "ar")


@pytest.mark.parametrize("kind", ["alpha_2", "alpha_3", "name", "common_name", "official_name", "flag"])
def test_every_code_and_name_of_iso_3166_is_its_country(kind: str) -> None:
    wrong = {
        (text, region_of(text))
        for country in pycountry.countries
        if (text := getattr(country, kind, None)) and region_of(text) != country.alpha_2
    }
    assert wrong == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_in_the_languages_of_the_locale_data_are_their_country_or_none(language: str) -> None:
    codes = {country.alpha_2 for country in pycountry.countries}
    names = {code: name for code, name in Locale.parse(language).territories.items() if code in codes}
    read = {code: region_of(name) for code, name in names.items()}
    assert {code: region for code, region in read.items() if region not in (code, None)} == {}
    assert sum(region is not None for region in read.values()) >= len(names) - 3


def test_case_accents_articles_and_points_make_no_difference() -> None:
    spellings = ["Côte d'Ivoire", "COTE D'IVOIRE", "the Bahamas", "Bahamas, The", "u.s.a.", "United  States"]
    assert [region_of(text) for text in spellings] == ["CI", "CI", "BS", "BS", "US", "US"]


def test_a_name_that_a_catalogue_gives_to_two_countries_is_the_one_of_our_table_or_none() -> None:
    """Debian's iso-codes translate Gambia by Slovakia (sk) and Zambia (ca), and Eritrea by Palestine (fa)."""
    assert [region_of(name) for name in ("Slovenská republika", "فلسطین", "República de Zàmbia")] == ["SK", "PS", None]


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=120) | st.text(alphabet="ÇçßİıŁ.&(),'’ USAusa\u200b\u00ad", max_size=20))
def test_it_never_raises_and_gives_a_code_that_is_its_own(text: str) -> None:
    region = region_of(text)
    assert region is None or region_of(region) == region
