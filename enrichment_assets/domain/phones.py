"""Phone numbers: E.164 or nothing."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import phonenumbers

_MAX_CHARS = 250  # phonenumbers refuses longer text
_SPREADSHEET_MARK = re.compile(r"^[\s'’`\"=]+")
_ALIASES = {
    "usa": "US", "us": "US", "united states of america": "US", "america": "US", "uk": "GB", "great britain": "GB",
    "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB", "uae": "AE", "emirates": "AE",
    "holland": "NL", "the netherlands": "NL", "czech republic": "CZ", "czechia": "CZ", "south korea": "KR",
    "korea": "KR", "republic of korea": "KR", "russia": "RU", "russian federation": "RU", "vietnam": "VN",
    "viet nam": "VN", "turkey": "TR", "turkiye": "TR", "deutschland": "DE", "osterreich": "AT", "schweiz": "CH",
    "suisse": "CH", "espana": "ES", "italia": "IT", "brasil": "BR", "hong kong": "HK", "macau": "MO", "taiwan": "TW",
    "ivory coast": "CI", "burma": "MM", "swaziland": "SZ", "macedonia": "MK", "palestine": "PS", "kosovo": "XK",
    "north korea": "KP", "syria": "SY", "laos": "LA", "moldova": "MD", "tanzania": "TZ", "bolivia": "BO",
    "venezuela": "VE", "iran": "IR", "brunei": "BN", "cape verde": "CV", "vatican": "VA",
    "democratic republic of the congo": "CD",
}  # fmt: skip
"""Names of countries as exports have them, beside the English names of the Unicode locale data."""


def normalise_phone(text: str | None, country: str | None = None) -> str | None:
    """The number as E.164 (`+12025550123`), or None when it is not a possible number.

    Args:
        text: A cell; a spreadsheet's leading apostrophe and extensions are taken off.
        country: Name or ISO code of the country for a number without `+`; without one such a number is None.
    """
    if not text or len(text) > _MAX_CHARS:
        return None
    cleaned = _SPREADSHEET_MARK.sub("", unicodedata.normalize("NFKC", text))
    try:
        number = phonenumbers.parse(cleaned, region_of(country))
    except phonenumbers.NumberParseException:
        return None
    number.extension = None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def region_of(country: str | None) -> str | None:
    """ISO 3166 alpha-2 code of a country by code or English name (`United States`, `uk`, `Côte d'Ivoire`), or None."""
    if not country or len(country) > _MAX_CHARS:
        return None
    folded = _fold(country)
    code = country.strip().upper()
    if code in phonenumbers.SUPPORTED_REGIONS:
        return code
    return _ALIASES.get(folded) or _names().get(folded)


@cache
def _names() -> dict[str, str]:
    """English country names from the locale data that phonenumbers carries for its geocoder."""
    from phonenumbers.geodata.locale import LOCALE_DATA

    english = {}
    for region, names in LOCALE_DATA.items():
        name = names.get("en", "")
        english[_fold(names[name[1:]] if name.startswith("*") else name)] = region  # "*aa": the same as in "aa"
    return english


def _fold(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return " ".join("".join(c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c)).split())
