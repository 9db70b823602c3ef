"""Where a value stands in a text, written as it may be written there: the question behind every grounded field.

`+49301234567` stands in `Tel. 030 ...` of no country nowhere, in `+49 (0)30 / 123 45 67` it does. How a value of a kind
is read is said by the normaliser of the kind; this module finds the places in a text that can be one, reads them by the
same normaliser and compares. A place is taken whole: `ann@x.com` is not in `joann@x.com`, nor 12 in 120.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

from enrichment_assets.domain.companies import normalise_linkedin_company
from enrichment_assets.domain.countries import region_of
from enrichment_assets.domain.dates import read_day
from enrichment_assets.domain.domains import addresses_of, host_of
from enrichment_assets.domain.emails import normalise_email
from enrichment_assets.domain.field_types import FieldType
from enrichment_assets.domain.linkedin import linkedin_company, linkedin_person
from enrichment_assets.domain.phones import read_phones
from enrichment_assets.domain.prompts.folded_text import FoldedText, folded
from enrichment_assets.domain.prompts.written_names import company_in, person_in
from enrichment_assets.domain.prompts.written_numbers import amounts_of, numbers_in, ranges_in
from enrichment_assets.domain.quantities import read_range
from enrichment_assets.domain.written_contacts import Written, emails_in, phones_in

Span = tuple[int, int]

_LINK = re.compile(r"(?:[^\s<>\"'`()\[\]{}|,;]|\([^\s()]*\)|[,;'](?=[^\s]))+")
_EDGES = ".:!?*_,;'"
_WEB_SCHEMES = ("http", "https", "")
_WORDS = re.compile(r"[^\s,;:()\[\]{}\"|/<>!?]+(?:[ -][^\s,;:()\[\]{}\"|/<>!?]+){0,3}")
_NUMBERS = frozenset({FieldType.NUMBER, FieldType.COUNT, FieldType.MONEY, FieldType.YEAR})
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAY = re.compile(
    r"(?<![\w.])(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{1,2}(?:st|nd|rd|th)?\.? (?:of )?[^\W\d_]{3,12}\.?,? \d{4}"
    r"|[^\W\d_]{3,12}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4})(?!\w)"
)
_DIGITS = re.compile(r"\D+")
_MAX_TEXT = 20_000


class Source:
    """One input, to be searched for many values."""

    def __init__(self, text: str, country: str | None = None) -> None:
        self.text = text
        self._country = country

    def find(self, value: Any, kind: FieldType) -> Span | None:
        """Where the value stands: start and end in the text; None: nowhere. Never raises."""
        kind = kind_of(value, kind)
        if kind in _NUMBERS:
            return self._number(value)
        if not isinstance(value, str) or not value.strip() or len(value) > _MAX_TEXT:
            return None
        return _FINDERS.get(kind, Source._words)(self, value.strip())

    @cached_property
    def folded(self) -> FoldedText:
        """The text as it is searched for words."""
        return FoldedText(self.text)

    @cached_property
    def _emails(self) -> list[Written]:
        return list(emails_in(self.text))

    @cached_property
    def _phones(self) -> list[Written]:
        return list(phones_in(self.text, self._country))

    @cached_property
    def _numbers(self) -> list[tuple[frozenset[float | int], int, int]]:
        return list(numbers_in(self.text))

    @cached_property
    def _links(self) -> list[tuple[str, int, int]]:
        """Stretches without blanks that have a dot in them, without the punctuation around."""
        found = []
        for match in _LINK.finditer(self.text):
            link = match.group().strip(_EDGES)
            if "." in link and len(link) < 4096:
                start = match.start() + match.group().index(link)
                found.append((link, start, start + len(link)))
        return found

    def _words(self, value: str) -> Span | None:
        if _ISO_DAY.fullmatch(value) and (day := self._day(value)) is not None:
            return day
        needle = folded(value).strip(" '\"")
        return self.folded.find(needle) or self.folded.find(needle.rstrip(".,;:!? "))

    def _day(self, value: str) -> Span | None:
        """Where a day is written, in whatever way means only that day: `5 March 2024`, `05.03.2024`."""
        day = read_day(value)
        found = _DAY.finditer(self.text) if day is not None else iter(())
        return next((match.span() for match in found if read_day(match.group()) == day), None)

    def _email(self, value: str) -> Span | None:
        address = normalise_email(value)
        return next(((one.start, one.end) for one in self._emails if one.value == address), None)

    def _phone(self, value: str) -> Span | None:
        numbers = read_phones(value, self._country).numbers
        if numbers:
            return next(((one.start, one.end) for one in self._phones if one.value == numbers[0].number), None)
        digits = _DIGITS.sub("", value)  # a number of no known country is found as it is dialled there
        if len(digits) < 5:
            return None
        written = r"(?<![\d+])(?<!\d[ ./-])" + r"[ .()/\u00a0-]{0,3}".join(map(re.escape, digits)) + r"(?![ ./-]?\d)"
        found = re.search(written, self.text)
        return found.span() if found else None

    def _number(self, value: Any) -> Span | None:
        wanted = amounts_of(value)
        return next(((start, end) for amounts, start, end in self._numbers if amounts & wanted), None)

    def _range(self, value: str) -> Span | None:
        wanted = read_range(value)
        if wanted is None:
            return self._words(value)
        ends = (wanted.low, wanted.high)
        return next(((start, end) for one, start, end in ranges_in(self.text) if (one.low, one.high) == ends), None)

    def _host(self, value: str) -> Span | None:
        host = host_of(value)
        return None if host is None else self._link(lambda link: any(one.host == host for one in addresses_of(link)))

    def _url(self, value: str) -> Span | None:
        wanted = _page(value)
        return None if wanted is None else self._link(lambda link: _page(link) == wanted)

    def _profile(self, value: str) -> Span | None:
        page = linkedin_person(value)
        return None if page is None else self._link(lambda link: linkedin_person(link) == page)

    def _company_page(self, value: str) -> Span | None:
        page = normalise_linkedin_company(linkedin_company(value))
        return None if page is None else self._link(lambda link: normalise_linkedin_company(link) == page)

    def _link(self, is_it: Callable[[str], bool]) -> Span | None:
        return next(((start, end) for link, start, end in self._links if is_it(link)), None)

    def _person(self, value: str) -> Span | None:
        return person_in(self.folded, value)

    def _company(self, value: str) -> Span | None:
        return self._words(value) or company_in(self.text, value)

    def _country_name(self, value: str) -> Span | None:
        """As it is written, else by a name that means the same country; a code of two letters is one only as such."""
        region = region_of(value)
        found = self._words(value)
        if region is None or found is not None:
            return found
        for start, end in _windows(self.text):
            name = self.text[start:end]
            if (len(name) > 3 or name.isupper()) and region_of(name) == region:
                return start, end
        return None


def kind_of(value: Any, kind: FieldType) -> FieldType:
    """How a value is looked for: as what its field is, else as what it looks like."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return kind if kind in _NUMBERS or kind in (FieldType.PHONE, FieldType.ID) else FieldType.NUMBER
    if kind not in (FieldType.ANY, FieldType.TEXT, FieldType.LIST) or not isinstance(value, str):
        return kind
    text = value.strip()
    if any(blank in text for blank in " \n\t"):
        is_number = text[:1] in "+(0" and not any(sign.isalpha() for sign in text) and read_phones(text).numbers
        return FieldType.PHONE if is_number else kind
    if "@" in text and normalise_email(text) is not None:
        return FieldType.EMAIL
    if text.lower().startswith(("http://", "https://", "www.")):
        return FieldType.URL
    if text.startswith("+") and read_phones(text).numbers:
        return FieldType.PHONE
    if amounts_of(text):
        return FieldType.NUMBER
    if host_of(text) is None:
        return kind
    return FieldType.URL if "/" in text.rstrip("/") or "?" in text else FieldType.HOST


def _page(text: str) -> tuple[str, str, str, str] | None:
    """Host, port, path and query of a web address; None: it is none, or names somebody to log in as."""
    address = text.strip().strip(_EDGES) if "://" not in text else text.strip().rstrip(_EDGES)
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        port = parts.port
    except ValueError:
        return None
    host = host_of(parts.hostname)
    if host is None or parts.scheme.lower() not in _WEB_SCHEMES or "@" in parts.netloc:
        return None
    shown = "" if port in (None, 80, 443) else str(port)
    return host, shown, unquote(parts.path).rstrip("/"), unquote(parts.query)


def _windows(text: str) -> Iterator[Span]:
    """Up to four words in a row, the longest first."""
    for found in _WORDS.finditer(text):
        words = [(word.start(), word.end()) for word in re.finditer(r"[^ -]+", found.group())]
        for first in range(len(words)):
            for last in range(len(words) - 1, first - 1, -1):
                yield found.start() + words[first][0], found.start() + words[last][1]


_FINDERS: Mapping[FieldType, Callable[[Source, str], Span | None]] = {
    FieldType.EMAIL: Source._email,
    FieldType.PHONE: Source._phone,
    FieldType.LINKEDIN_PROFILE: Source._profile,
    FieldType.LINKEDIN_COMPANY: Source._company_page,
    FieldType.HOST: Source._host,
    FieldType.URL: Source._url,
    FieldType.PERSON_NAME: Source._person,
    FieldType.COMPANY_NAME: Source._company,
    FieldType.COUNTRY: Source._country_name,
    FieldType.RANGE: Source._range,
    FieldType.BOOLEAN: lambda _source, _value: None,
}
"""How a text is searched for a value of a kind; any other is looked for word by word."""
