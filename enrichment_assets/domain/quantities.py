"""Quantities as lists and providers write them: counts, ranges, money, years. Never a guess: what is unclear is None.

`1,600`, `1.6K` and `~1600 employees` are a count; `51-200`, `10,001+` and `[51, 200]` are a range; `$100M` and
`1,5 Mio. €` are money. A boolean is no quantity, whatever Python says.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import pycountry

_MAX_CHARS = 60
_LARGEST = Decimal(10) ** 15
_FIRST_YEAR, _LAST_YEAR = 1000, 2100

_SCALES = {
    "": 1, "k": 10**3, "thousand": 10**3, "tsd": 10**3, "tausend": 10**3, "m": 10**6, "mm": 10**6,
    "mn": 10**6, "mln": 10**6, "mio": 10**6, "mi": 10**6, "million": 10**6, "millions": 10**6, "millionen": 10**6,
    "millones": 10**6,
    "milioni": 10**6, "milhoes": 10**6, "b": 10**9, "bn": 10**9, "billion": 10**9, "billions": 10**9, "mrd": 10**9,
    "milliarden": 10**9, "md": 10**9, "mds": 10**9, "milliard": 10**9, "milliards": 10**9, "miliardi": 10**9,
    "bln": 10**9, "t": 10**12, "tn": 10**12, "trillion": 10**12, "lakh": 10**5, "lakhs": 10**5, "lac": 10**5,
    "万": 10**4, "萬": 10**4, "億": 10**8, "亿": 10**8, "cr": 10**7, "crore": 10**7, "crores": 10**7,
}  # fmt: skip
"""Scale words by language; `billion` is the short scale, as every provider in use has it."""

_CURRENCIES = {
    "us$": "USD", "$us": "USD", "usd$": "USD", "a$": "AUD", "au$": "AUD", "c$": "CAD", "ca$": "CAD", "nz$": "NZD",
    "hk$": "HKD", "s$": "SGD", "r$": "BRL", "mx$": "MXN", "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR",
    "rs": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₪": "ILS", "zł": "PLN", "chf": "CHF", "kr": "",
    "euro": "EUR", "euros": "EUR", "dollar": "USD", "dollars": "USD", "pounds": "GBP",
    "₦": "NGN", "₫": "VND", "฿": "THB",
}  # fmt: skip
"""`$` alone is the dollar of the United States: what providers mean by it. `kr` is one of four: unknown."""

_UNITS = re.compile(
    r"(?:full[ -]?time )?(?:employees?|people|persons?|staff|headcount|fte'?s?|workers|members|team members|"
    r"mitarbeiter(?:\*?innen)?|beschaftigte|employes?|salaries?|personnes|empleados|trabajadores|dipendenti|addetti|funcionarios|colaboradores|"
    r"medewerkers|werknemers|anstallda|ansatte|pracownikow|tyontekijaa)"
)
_ABOUT = re.compile(
    r"^(?:~|≈|≃|about|approx(?:imately)?\.?|around|circa|ca\.?|c\.|roughly|etwa|rund|env(?:iron)?\.?|unos)\s*"
)
_MORE = re.compile(r"^(?:>=?|≥|over|more than|at least|mehr als|uber|ab|plus de|mas de|oltre|from)\s*")
_LESS = re.compile(
    r"^(?:<=?|≤|under|less than|fewer than|up to|below|weniger als|unter|bis|bis zu|moins de|menos de|meno di)\s*"
)
_BETWEEN = re.compile(r"\s*(?:-{1,2}|–|—|−|‐|‑|\.\.\.?|…|_|\bto\b|\bbis\b|\ba\b|\band\b|\btill\b|~)\s*")
_NUMBER = re.compile(r"(?P<number>\d[\d.,' ’]*)\s*(?P<scale>[^\W\d_]*)\.?")


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, both ends included; None: open to that side. `currency` where the text names one."""

    low: int | None
    high: int | None
    currency: str | None = None

    def __str__(self) -> str:
        """`51-200`, `10001+`, `0-50`."""
        if self.high is None:
            return f"{self.low}+"
        return f"{self.low or 0}-{self.high}"


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in units of `currency` (ISO 4217; None: not said)."""

    amount: int | float
    currency: str | None


def read_count(value: Any) -> int | Range | None:
    """A number of people or things; a `Range` where the value is one; None: neither. Never raises."""
    number = _bare(value)
    if number is not None:
        return int(number) if number == number.to_integral_value() and 0 <= number < _LARGEST else None
    if isinstance(value, list | tuple):
        return _range_of_two(value)
    if not isinstance(value, str) or len(value) > _MAX_CHARS:
        return None
    text = _UNITS.sub("", _folded(value)).strip(" .,:()")
    if (amount := _amount(_ABOUT.sub("", text))) is not None:
        return int(amount) if amount == amount.to_integral_value() and amount < _LARGEST else None
    return _range(text)


def read_range(value: Any) -> Range | None:
    """A range, with the currency where its text names one; None: it is none (a bare number neither). Never raises."""
    if isinstance(value, list | tuple):
        return _range_of_two(value)
    if not isinstance(value, str) or len(value) > _MAX_CHARS:
        return None
    text, currency = _without_currency(_UNITS.sub("", _folded(value)).strip(" .,:()"))
    found = _range(text)
    return None if found is None else Range(found.low, found.high, currency)


def read_money(value: Any) -> Money | Range | None:
    """An amount of money, or the range that it lies in; None: neither. Never raises."""
    number = _bare(value)
    if number is not None:
        return Money(value, None) if 0 <= number < _LARGEST and not isinstance(value, str) else _money(number, None)
    if not isinstance(value, str) or len(value) > _MAX_CHARS:
        return read_range(value)
    text, currency = _without_currency(_ABOUT.sub("", _folded(value)))
    amount = _amount(text)
    return read_range(value) if amount is None else _money(amount, currency)


def read_year(value: Any) -> int | None:
    """A year of four digits, also at the start of a date (`1976-04-01`); None: it is none. Never raises."""
    number = _bare(value)
    if number is None and isinstance(value, str):
        match = re.fullmatch(r"\s*(\d{4})(?:[-/.]\d{1,2}(?:[-/.]\d{1,2})?(?:T.*)?)?\s*", value)
        number = Decimal(match.group(1)) if match else None
    if number is None or number != number.to_integral_value() or not _FIRST_YEAR <= number <= _LAST_YEAR:
        return None
    return int(number)


def read_number(value: Any) -> int | float | None:
    """A finite number, out of text too (`0.92`, `92 %` is 92); None: it is none. Never raises."""
    if isinstance(value, str) and len(value) <= _MAX_CHARS:
        value = value.strip().removesuffix("%").strip()
    number = _bare(value)
    if number is None:
        return None
    if not isinstance(value, str):
        return value  # type: ignore[no-any-return]
    return int(number) if number == number.to_integral_value() and "." not in value else float(number)


def _bare(value: Any) -> Decimal | None:
    """A JSON number, or a text that is nothing but one."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    text = str(value).strip()
    if isinstance(value, str) and not re.fullmatch(r"[+-]?\d{1,18}(?:\.\d{1,2}|\.\d{4,18})?", text):
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def _amount(text: str) -> Decimal | None:
    """`1,600`, `1.6k`, `10 crore` as a number; None where it is not wholly one."""
    match = _NUMBER.fullmatch(text.strip())
    scale = _SCALES.get(match["scale"]) if match else None
    number = _digits(match["number"].strip(), scaled=scale != 1) if match else None
    return None if number is None or scale is None else number * scale


def _digits(text: str, *, scaled: bool) -> Decimal | None:
    """Digits with separators as a number. Groups of three are thousands; before a scale word one is a fraction."""
    plain = re.sub(r"[ '’](?=\d{3}\b)", "", text)
    if re.fullmatch(r"\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d+)?", plain) and not (scaled and plain.count(",") == 1):
        return Decimal(plain.replace(",", ""))
    if re.fullmatch(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?", plain) and not (scaled and plain.count(".") == 1):
        return None if plain.startswith("0") else Decimal(plain.replace(".", "").replace(",", "."))
    if re.fullmatch(r"\d+(?:[.,]\d+)?", plain):
        return Decimal(plain.replace(",", "."))
    return None


def _range(text: str) -> Range | None:
    text, _ = _without_currency(text)
    if text.endswith("+") and (low := _whole(text[:-1])) is not None:
        return Range(low, None)
    if (more := _MORE.match(text)) and (low := _end(text[more.end() :].rstrip("+"))) is not None:
        return Range(low, None)
    if (less := _LESS.match(text)) and (high := _end(text[less.end() :])) is not None:
        return Range(None, high)
    parts = _BETWEEN.split(text)
    if len(parts) != 2:
        return None
    first, second = (_without_currency(part)[0] for part in parts)
    scale = re.search(r"[a-z]+\.?$", second)
    scaled = first if scale is None or re.search(r"[a-z]", first) else f"{first}{scale.group()}"
    low, high = _whole(scaled), _whole(second)
    if low is not None and high is not None and low > high:
        low = _whole(first)  # `500-1K`: the scale is of the second only
    return Range(low, high) if low is not None and high is not None and low <= high else None


def _range_of_two(value: list[Any] | tuple[Any, ...]) -> Range | None:
    """`[51, 200]` and `[10001, null]`, as Proxycurl writes sizes."""
    if len(value) != 2 or any(isinstance(end, bool) or not isinstance(end, int | None) for end in value):
        return None
    low, high = value
    if (low is None and high is None) or any(end is not None and end < 0 for end in value):
        return None
    return Range(low, high) if low is None or high is None or low <= high else None


def _end(text: str) -> int | None:
    return _whole(_without_currency(text)[0])


def _whole(text: str) -> int | None:
    number = _amount(text.strip())
    return int(number) if number is not None and number == number.to_integral_value() and number < _LARGEST else None


def _without_currency(text: str) -> tuple[str, str | None]:
    """The text without the currency at either end, and the currency; None where none is named, or it is not clear."""
    match = re.match(r"^([a-z]{0,3}[$€£¥₹₩₽₺₪₦₫฿]|[a-z]{2,3}(?=[\s\d]))\s*", text)
    if match and (code := _currency(match.group(1))) is not None:
        return text[match.end() :].strip(), code or None
    match = re.search(r"\s*([$€£¥₹₩₽₺₪₦₫฿]|[a-z]{2,7}\$?)$", text)
    if match and (code := _currency(match.group(1))) is not None:
        return text[: match.start()].strip(), code or None
    return text, None


def _currency(word: str) -> str | None:
    if word in _CURRENCIES:
        return _CURRENCIES[word]
    return word.upper() if pycountry.currencies.get(alpha_3=word.upper()) else None


def _money(amount: Decimal, currency: str | None) -> Money | None:
    if not 0 <= amount < _LARGEST:
        return None
    return Money(int(amount) if amount == amount.to_integral_value() else float(amount), currency)
