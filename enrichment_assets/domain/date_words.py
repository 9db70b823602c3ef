"""What a date may be written with: words, orders of its parts, and how its text is made plain before it is looked at.

One source for Python (`domain.dates`) and for the SQL models, which get it as seeds and as a macro
(`warehouse.date_files`). Names of months and days are Unicode's CLDR data, as Babel has them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from babel.dates import get_day_names, get_month_names

_LOCALES = "en en_GB en_AU de de_AT fr fr_CA es es_MX it pt pt_PT nl sv da nb fi pl cs hr tr ro hu ru uk el"
LANGUAGES = tuple(_LOCALES.split())
"""Locales whose names of months and days are known."""

_MORE_MONTHS = {2: "feber febr", 3: "mrz maerz", 9: "setiembre"}
"""Spellings that CLDR does not have: Austrian, of German Excel, without umlaut, and of the Real Academia."""

_SEASONS = {
    (3, 5): "spring printemps primavera fruhling fruhjahr lente voorjaar",
    (6, 8): "summer ete verano estate verao sommer zomer",
    (9, 11): "autumn fall automne otono autunno outono herbst herfst",
    (0, 14): "winter hiver invierno inverno",
    (1, 12): "early mid late anfang mitte ende debut fin principios mediados finales inizio meta",
}
"""Northern seasons by meteorological months. A winter belongs to two years: month 0 is December of the year before, 14
February of the year after. `early 2015` is some day of 2015, no more can be said."""

_UNITS = {
    "quarter": "q t quarter quartal trimestre trimester kwartaal trim qtr",
    "half": "h half halbjahr semestre semester hj halbj",
    "week": "w kw week woche semaine semana",
}

_OPEN = """
present|the present|to present|till present|until present|present day|at present|presently|current|currently|now
|till now|until now|up to now|today|to date|till date|till today|until today|up to date|todate|tilldate|ongoing|on going
|in progress|continuing|still|still working|still there|still employed|no end date|no end|active|open ended|infinity
|heute|bis heute|aktuell|derzeit|gegenwartig|gegenwart|bis jetzt|jetzt|laufend|bis dato|andauernd|noch|unbefristet
|aujourd'hui|a aujourd'hui|jusqu'a aujourd'hui|a ce jour|jusqu'a present|a present|en cours|en poste|actuel|actuelle
|actuellement|maintenant|poste actuel
|actualidad|la actualidad|hasta la actualidad|en la actualidad|actual|actualmente|presente|al presente|el presente|hoy
|hasta hoy|ahora|hasta la fecha|a la fecha|en curso|vigente
|oggi|ad oggi|fino ad oggi|attuale|attualmente|in corso|al momento|corrente|ora
|atual|atualmente|o presente|ate o presente|ate o momento|o momento|hoje|ate hoje|ate agora|em curso|em andamento
|heden|tot heden|nu|huidig|huidige|vandaag|tot nu|lopend|pagaende|nuvarande|nutid|nava|tills vidare|nykyinen|nykyaan
|obecnie|do chwili obecnej|do dzis|nadal|dzisiaj|soucasnost|do soucasnosti|dosud|dnes
|halen|gunumuz|devam ediyor|su an|prezent|in prezent|jelenleg|jelen|настоящее время|по настоящее время|сейчас
|по сей день|теперішній час|донині|σημερα|παρον|至今|现在|今|現在|현재|الآن|حتى الآن|الحاضر
"""

_SPACES = "\\s\u00a0\u1680\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
_CLOCK = (
    "([0-9])(?:t|,? (?:at |um )?)(?:[01]?[0-9]|2[0-4]):[0-5][0-9](?::[0-6][0-9](?:[.,][0-9]+)?)?(?: ?[ap][.]?m[.]?)?"
    "(?: ?(?:z|utc|gmt|est|edt|cst|cdt|mst|mdt|pst|pdt|cet|cest|bst|ist))?(?: ?[+-][0-9]{2}(?::?[0-9]{2})?)?( |$)"
)

PLAIN = (
    (f"[{_SPACES}]+", " "),
    ("ı", "i"),
    ("ς", "σ"),
    ("[’‘ʼ`´]", "'"),
    ('^[ ("“„«\\[]+|[ )"”»\\]]+$', ""),
    ("(.) *[·•([|].*$", "\\1"),
    (_CLOCK, "\\1 \\2"),
    ("^((?:1[5-9]|20)[0-9]{2})(0[1-9]|1[0-2])([0-3][0-9])(?:t?[0-9]{6}z?|t[0-9]{4}z?)?$", "\\1 \\2 \\3"),
    ("^((?:1[89]|20)[0-9]{2})(0[1-9]|1[0-2])$", "\\1 \\2"),
    ("[年月日년월일]", " "),
    ("([0-9])[.]?(?:st|nd|rd|th|er|ere|re|eme|ste|de|e|o|a|º|ª|°)([ .,]|$)", "\\1\\2"),
    ("([0-9])[.] ?([^0-9 .])", "\\1 \\2"),
    ("([^0-9 .])[.]", "\\1 "),
    ("[.] +", "."),
    ("[-‐‑‒–—−/_,;]", " "),
    (" +", " "),
    ("^[ .]+|[ .]+$", ""),
)
"""Replacements, in this order, that make text plain which is in small letters and without accents.

A time of day, brackets and what stands behind a dot in the middle of a line (`Present · 3 yrs`) go; every separator but
the point is a blank. The patterns mean the same to Python's `re` and to RE2, which DuckDB has.
"""

BARE = (
    (
        "(?:(?:^| )(?:de|del|do|of|the|der|den|des|le|la|el|im|in|en|em|am|on|au|since|seit|depuis|desde|from|ab|vom|"
        "dal|since|until|till|bis))+ ",
        " ",
    ),
    ("(^| )d'", "\\1"),
    ("(^| )'([0-6][0-9])$", "\\1 20\\2"),
    ("(^| )'([7-9][0-9])$", "\\1 19\\2"),
    ("( [0-9]{4}) ?(?:r|g|г|р|ad|ce)$", "\\1"),
    (" +", " "),
    ("^ +| +$", ""),
)
"""Replacements that take from plain text the words that only join a date's parts. A year of two digits counts only
behind an apostrophe (`Jan '15`): `Jan 15` may be a day."""

SHAPES = (
    ("Y", "y"),
    ("Y N", "ym"),
    ("Y.N", "ym"),
    ("Y N N", "ymd"),
    ("Y.N.N", "ymd"),
    ("N Y", "my"),
    ("N.Y", "my"),
    ("N N Y", "dmy"),
    ("N N Y", "mdy"),
    ("N.N.Y", "dmy"),
    ("W Y", "my"),
    ("WY", "my"),
    ("Y W", "ym"),
    ("YW", "ym"),
    ("N W Y", "dmy"),
    ("NW Y", "dmy"),
    ("NWY", "dmy"),
    ("W N Y", "mdy"),
    ("WN Y", "mdy"),
    ("Y W N", "ymd"),
    ("YWN", "ymd"),
    ("Y N W", "ydm"),
    ("WN Y", "uny"),
    ("W N Y", "uny"),
    ("N W Y", "nuy"),
    ("NW Y", "nuy"),
    ("NWY", "nuy"),
    ("Y WN", "yun"),
    ("Y W N", "yun"),
    ("YWN", "yun"),
    ("Y N W", "ynu"),
    ("Y NW", "ynu"),
    ("Y WN N", "yunk"),
    ("Y W N N", "yunk"),
    ("YWN N", "yunk"),
    ("W W N Y", "xmdy"),
    ("W N W Y", "xdmy"),
    ("W N N Y", "xdmy"),
    ("W N N Y", "xmdy"),
    ("W N.N.Y", "xdmy"),
    ("W Y N N", "xymd"),
)
"""How the parts of a date may stand, and what each is; all readings of a shape count.

In a shape, Y is a number of four digits, N of one or two, W a word. The parts: y year, m month or season, d day, u a
unit (quarter, half, week) and n its number, k the day of a week, x the name of a day. With points the day comes first
in every locale of CLDR that writes so; with other separators both orders are in use.
"""

FIRST_YEAR = 1000
"""Smaller numbers of four digits are slips, or a program's word for nothing (0001-01-01)."""

OPEN_YEAR = 2070
"""From this year on an end is no plan of anybody's but a program's word for none: 2079-06-06 is the last day that SQL
Server's smalldatetime holds, 2099-12-31, 2999-12-31 and 9999-12-31 are written by hand."""

SHAPING = (("[^0-9 .]+", "W"), ("[0-9]{5,}", "L"), ("[0-9]{4}", "Y"), ("[0-9]{3}", "L"), ("[0-9]{1,2}", "N"))
"""Replacements that turn bare text into its shape."""

PART = "[0-9]+|[^0-9 .]+"
"""A part of bare text."""

LONGEST = 100
"""Longer text is no date."""


@dataclass(frozen=True, slots=True)
class DateWord:
    """A word in plain small letters.

    Attributes:
        kind: `month`, `season`, `weekday`, `open` (a job that goes on), or a unit: `quarter`, `half`, `week`.
        first: First month that it means, where it means months.
        last: The last one.
    """

    word: str
    kind: str
    first: int | None = None
    last: int | None = None


@lru_cache(maxsize=1)
def date_words() -> tuple[DateWord, ...]:
    """Every known word, in order. A name that means two months in two languages (`lip`) is not among them."""
    months: dict[str, set[int]] = {}
    for word, month in _months():
        months.setdefault(word, set()).add(month)
    found = {DateWord(word, "month", *ms, *ms) for word, ms in months.items() if len(ms) == 1}
    found |= {DateWord(w, "season", *between) for between, ws in _SEASONS.items() for w in ws.split()}
    found |= {DateWord(word, "weekday") for word in _weekdays()}
    found |= {DateWord(word, kind) for kind, words in _UNITS.items() for word in words.split()}
    found |= {DateWord(make_plain(phrase), "open") for phrase in "".join(_OPEN.splitlines()).split("|") if phrase}
    return tuple(sorted(found, key=lambda w: (w.kind, w.word, w.first)))


def make_plain(text: str) -> str:
    """Small letters without accents, time of day, brackets and separators other than the point."""
    letters = unicodedata.normalize("NFD", text.lower())
    kept = "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")
    return replaced(unicodedata.normalize("NFC", kept), PLAIN)


def replaced(text: str, rules: tuple[tuple[str, str], ...]) -> str:
    """The text after all replacements, in order."""
    for pattern, replacement in rules:
        text = re.sub(pattern, replacement, text)
    return text


def _months() -> Iterator[tuple[str, int]]:
    for language in LANGUAGES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for month, name in get_month_names(width, context, language).items():
                    yield make_plain(name), month
    for month, names in _MORE_MONTHS.items():
        for name in names.split():
            yield name, month


def _weekdays() -> Iterator[str]:
    for language in LANGUAGES:
        for width in ("wide", "abbreviated"):
            for name in get_day_names(width, "format", language).values():
                yield make_plain(name)
