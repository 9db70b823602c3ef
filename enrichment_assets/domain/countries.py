"""Countries: the ISO 3166 code of whatever a list calls a country.

Names and codes come from ISO 3166 (pycountry) and, in many languages, from the Unicode locale data (babel) and Debian's
iso-codes (pycountry); `data/countries.toml` has what neither knows. A name that two countries share is no country.
"""

from __future__ import annotations

import gettext
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from importlib import resources

import pycountry
from babel import Locale

_MAX_CHARS = 100
_KOSOVO = "XK"
"""In use by the European Union, the locale data and phone numbers, though ISO 3166 has no code for it."""

_LANGUAGES = """
ar bg ca cs da de el es et fa fi fr he hi hr hu id it ja ko lt lv nb nl pl pt ro ru sk sl sr sv th tr uk vi zh zh_Hant
"""
_ISO_CODES_LANGUAGE = {"nb": "nb_NO", "zh": "zh_CN", "zh_Hant": "zh_TW"}
"""Where the catalogues of iso-codes call a language otherwise than the locale data does."""

_SHORTEST_NAME = 4
"""Shorter Latin names of other languages are words or codes once their accents are gone (Çad, Mỹ)."""

_ANSWERS = frozenset({"na", "no"})
"""Two-letter codes that are answers too, unless they are written in capitals."""

_NO_DIFFERENCE = frozenset({"the", "and"})
_ACRONYM = re.compile(r"\b(?:\w\.){2,}\w?|\b\w\.\w\b")
_BRACKETED = re.compile(r"^([^()]+)\(([^()]+)\)\s*$")


@lru_cache(maxsize=4096)
def region_of(country: str | None) -> str | None:
    """ISO 3166 alpha-2 code of a country (`US`), or None when the text names none, or more than one.

    Takes alpha-2 and alpha-3 codes, flags, short and official names in forty languages, names of countries of the past
    with one successor, and usual shortenings (`U.K.`, `Hong Kong SAR`, `Germany (DE)`). `Georgia`, `Congo` are the
    countries whose ISO name this is. A state, a city or a continent is no country. Never raises.
    """
    if not country or len(country) > _MAX_CHARS:
        return None
    text = country.strip()
    if code := _codes().get(text.upper()):
        return None if text.lower() in _ANSWERS and not text.isupper() else code
    return _named(text) or _named_twice(text)


def _named(text: str) -> str | None:
    folded = _fold(text)
    dotted_code = folded.upper() if "." in text and folded not in _ANSWERS else ""
    return _own_names().get(folded) or _codes().get(dotted_code) or _all_names().get(folded)


def _named_twice(text: str) -> str | None:
    """`Germany (DE)`, `Schweiz (Switzerland)`: the same country inside and outside of the brackets."""
    if not (match := _BRACKETED.match(text)):
        return None
    outside, inside = (region_of(part.strip()) for part in match.groups())
    return outside if outside == inside else None


@cache
def _codes() -> dict[str, str]:
    """Alpha-2 and alpha-3 codes and flags."""
    codes = {_KOSOVO: _KOSOVO, "XKX": _KOSOVO, "UK": "GB"}
    for country in pycountry.countries:
        codes |= dict.fromkeys((country.alpha_2, country.alpha_3, country.flag), country.alpha_2)
    return codes


# opens files of ours: the package's own lists
@cache
def _own_names() -> dict[str, str]:
    """Names by our own table, then ISO's in English: these win over what a language calls another country."""
    listed = tomllib.loads((resources.files(__package__) / "data" / "countries.toml").read_text(encoding="utf-8"))
    named = {_fold(name): code for code, names in listed.items() for name in names}
    return _unambiguous(_english_names()) | named


@cache
def _all_names() -> dict[str, str]:
    """Names in every language; built when an English one did not match, which takes half a second."""
    names = [*_english_names()]
    for language in _LANGUAGES.split():
        translate = _translator(language)
        territories = [
            (code, name) for code, name in Locale.parse(language).territories.items() if is_country_code(code)
        ]
        official = [
            (country.alpha_2, translate(name)) for country in pycountry.countries for name in _iso_names(country)
        ]
        names += [(code, name) for code, name in (*territories, *official) if _is_long_enough(name)]
    return _unambiguous(names)


def _english_names() -> Iterator[tuple[str, str]]:
    for code, name in Locale.parse("en").territories.items():
        if is_country_code(code):
            yield code, name
    for country in pycountry.countries:
        for name in _iso_names(country):
            yield country.alpha_2, name
            yield country.alpha_2, " ".join(reversed(name.split(", ", maxsplit=1)))
    for past in pycountry.historic_countries:
        successor = past.alpha_4[2:]
        if is_country_code(successor):
            yield from ((successor, name) for name in (past.name, past.name.partition(",")[0]))


def _iso_names(country: object) -> list[str]:
    names = (getattr(country, kind, None) for kind in ("name", "common_name", "official_name"))
    return [name for name in names if name]


def _translator(language: str) -> Callable[[str], str]:
    catalogue = _ISO_CODES_LANGUAGE.get(language, language)
    return gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[catalogue], fallback=True).gettext


def is_country_code(code: str) -> bool:
    """Whether this is an alpha-2 code of ISO 3166 in capitals, or Kosovo's."""
    return code == _KOSOVO or (len(code) == 2 and _codes().get(code) == code)


def _is_long_enough(name: str) -> bool:
    folded = _fold(name)
    return len(folded) >= _SHORTEST_NAME or not folded.isascii()


def _unambiguous(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for code, name in names:
        found.setdefault(_fold(name), set()).add(code)
        found.setdefault(_fold(name.replace("Saint ", "St. ")), set()).add(code)
    return {name: codes.pop() for name, codes in found.items() if name and len(codes) == 1}


def _fold(name: str) -> str:
    """Letters and digits only, without case, accents, `the` and `and`; `U.S.` is `us`."""
    text = _ACRONYM.sub(lambda match: match.group().replace(".", ""), name.casefold()).replace("&", " and ")
    decomposed = unicodedata.normalize("NFKD", text)
    letters = "".join(_letter(character) for character in decomposed)
    return " ".join(word for word in letters.split() if word not in _NO_DIFFERENCE)


def _letter(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Cf" or unicodedata.combining(character) or character in "'’ʼ`":
        return ""
    return character if category[0] in "LMN" else " "
