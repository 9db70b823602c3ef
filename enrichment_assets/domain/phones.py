"""Phone numbers: what a cell or an answer has, as numbers that can be dialled, with type, country and extension.

The numbering plans are those of libphonenumber. A number of a possible length is not enough: it has to be assigned
(`555-0100` and `000-000-0000` are not), and without `+` it has to be written as its country writes it. The fictitious
ranges that numbering plans count as valid (+1 202 555 01xx, +44 20 7946 0xxx) are accepted: sample data has them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from phonenumbers import CountryCodeSource, PhoneNumberType

from enrichment_assets.domain.countries import region_of
from enrichment_assets.domain.no_value import INVISIBLE, is_no_value

_MAX_CHARS = 250  # phonenumbers refuses longer text
_AT_MOST = 5
"""Numbers that are taken out of one cell."""

_MARKS = " \t\r\n'’`\"="
_PLAIN = re.compile(r"\+?[\d\s().\-/]+")
_NORTH_AMERICAN = re.compile(r"(\+1[-. ]?|1[-. ])?\(?([2-9]\d\d)\)?[-. ]?([2-9]\d\d)[-. ]?(\d{4})")
_ROUNDED = re.compile(r"[+-]?\d+(?:[.,]\d+)?e[+]?\d{1,3}", re.IGNORECASE)
_FLOAT = re.compile(r"(\+?\d{7,15})[.,]0+")
_URI = re.compile(
    r"(?:tel|callto|sip|sips|sms|skype|phone|whatsapp)\s*:\s*(?=[+\d(])"
    r"|(?:https?://)?(?:www\.)?(?:wa\.me|api\.whatsapp\.com|web\.whatsapp\.com|whatsapp://)/?[^\d+]*(?=[+\d])",
    re.IGNORECASE,
)
_EXTENSION = re.compile(
    r"[\s,;:.(/-]*(?<![a-z])(?:extension|extn|ext|x|durchwahl|dw|nebenstelle|nst|klappe|kl|poste|interno|int|anexo|ramal|toestel|"
    r"tst|anknytning|ankn|wewn|wew|доб|вн|dahili|内線|分机|转|내선|#)[\s.:#=]*(\d{1,7})\s*\)?\s*$",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"[;|\n\r\t]+|,\s*(?=[+(\d])|\s/\s*|/\s*(?=[+(])|\s(?:or|and|und|oder|ou|et|o|y|e)\s|&", re.IGNORECASE
)
_NOTHING_BEFORE_SEPARATOR = re.compile(r"[\s().-]")
_ASCENDING, _DESCENDING = "012345678901234567890", "98765432109876543210"
_LETTER = re.compile(r"[^\W\d_]")
_SOLD_BY_NAME = frozenset(
    {PhoneNumberType.TOLL_FREE, PhoneNumberType.SHARED_COST, PhoneNumberType.PREMIUM_RATE, PhoneNumberType.UAN}
)
_TYPES = {
    PhoneNumberType.FIXED_LINE: "landline",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium_rate",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "company",
    PhoneNumberType.VOICEMAIL: "voicemail",
}
"""What the numbering plan says of a number. In North America it does not tell mobiles from landlines: None."""


class PhoneFault(StrEnum):
    """Why a text gives no number."""

    PLACEHOLDER = "placeholder"
    SPREADSHEET_NUMBER = "spreadsheet_number"
    NO_COUNTRY = "no_country"
    NOT_CALLABLE = "not_callable"


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """One number as E.164, what the numbering plan says of it, and the extension behind it.

    `country`: ISO 3166 code of the country whose number it is; None for international services.
    """

    number: str
    type: str | None
    country: str | None
    extension: str | None


@dataclass(frozen=True, slots=True)
class PhoneReading:
    """The numbers of a text in its order, at most five; none: why."""

    numbers: tuple[PhoneNumber, ...]
    fault: PhoneFault | None


def normalise_phone(text: str | None, country: str | None = None) -> str | None:
    """The first number of the text as E.164 (`+12025550123`), or None; see `read_phones`."""
    reading = read_phones(text, country)
    return reading.numbers[0].number if reading.numbers else None


def read_phones(text: str | None, country: str | None = None) -> PhoneReading:
    """Every number that can be dialled of a text. Never raises.

    Args:
        text: A cell or an answer's value, `tel:` and WhatsApp links too; several numbers may stand in it.
        country: Name or ISO code of the country whose way of writing counts for numbers without `+`; without one such
            a number is none, unless it begins as an international call does (`00`, `011`).
    """
    if not text or len(text) > _MAX_CHARS:
        return PhoneReading((), PhoneFault.NOT_CALLABLE if text else PhoneFault.PLACEHOLDER)
    return _north_american(text, country) or _read(text, region_of(country))


def _north_american(text: str, country: str | None) -> PhoneReading | None:
    """The reading of a number as North American lists write it, without parsing it; None: it is another one.

    Area code and exchange decide whether it is assigned and what it is; the line number does not (NANPA).
    """
    match = _NORTH_AMERICAN.fullmatch(text.strip(_MARKS)) if text.isascii() else None
    if match is None:
        return None
    code, area, exchange, line = match.groups()
    if not (code and code.startswith("+")) and not _is_north_american(region_of(country)):
        return None
    known = _exchange(area, exchange)
    digits = f"{area}{exchange}{line}"
    if known is None or _is_dummy(digits):
        return None
    return PhoneReading((PhoneNumber(f"+1{digits}", *known, None),), None)


@lru_cache(maxsize=16_384)
def _exchange(area: str, exchange: str) -> tuple[str | None, str | None] | None:
    """Type and country of the numbers of an exchange; None: it is not assigned."""
    number = phonenumbers.PhoneNumber(country_code=1, national_number=int(f"{area}{exchange}0123"))
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.UNKNOWN:
        return None
    return _TYPES.get(kind), phonenumbers.region_code_for_number(number)


@lru_cache(maxsize=512)
def _is_north_american(region: str | None) -> bool:
    return region is not None and phonenumbers.country_code_for_region(region) == 1


@lru_cache(maxsize=65_536)
def _read(text: str, region: str | None) -> PhoneReading:
    cleaned = text if text.isascii() else INVISIBLE.sub("", unicodedata.normalize("NFKC", text))
    cleaned = cleaned.strip(_MARKS)
    if _PLAIN.fullmatch(cleaned) and (plain := _parsed(cleaned, region)) is not None:
        return PhoneReading((_described(plain),), None)
    if _ROUNDED.fullmatch(cleaned):
        return PhoneReading((), PhoneFault.SPREADSHEET_NUMBER)
    if not any(character.isdigit() for character in cleaned):
        return PhoneReading((), PhoneFault.PLACEHOLDER if is_no_value(text) else PhoneFault.NOT_CALLABLE)
    if whole := _FLOAT.fullmatch(cleaned):
        cleaned = whole.group(1)
    found = _number(cleaned, region)
    numbers = [found] if found else list(_several(cleaned, region))
    if numbers:
        return PhoneReading(tuple(dict.fromkeys(numbers))[:_AT_MOST], None)
    lacks_country = region is None and not cleaned.lstrip("(").startswith("+") and _is_long_enough(cleaned)
    return PhoneReading((), PhoneFault.NO_COUNTRY if lacks_country else PhoneFault.NOT_CALLABLE)


def _several(text: str, region: str | None) -> list[PhoneNumber]:
    """The numbers of a cell that is more than one number: pieces first, then whatever looks like a number in them."""
    numbers = []
    for piece in _SEVERAL.split(text):
        if not piece or not any(character.isdigit() for character in piece):
            continue
        number = _number(piece.strip(_MARKS), region)
        if number is not None:
            numbers.append(number)
            continue
        for match in phonenumbers.PhoneNumberMatcher(_readable(piece), region, max_tries=_AT_MOST):
            if not _is_dummy(phonenumbers.national_significant_number(match.number)):
                numbers.append(_described((match.number, phonenumbers.number_type(match.number))))
    return numbers


def _number(text: str, region: str | None) -> PhoneNumber | None:
    """The number that the text is, whole; None: it is none, or it is none for certain."""
    readable = _readable(text)
    parsed = _parsed(readable, region)
    if parsed is None and "(0)" in readable:  # a trunk zero where the country has none
        parsed = _parsed(readable.replace("(0)", ""), region)
    return None if parsed is None else _described(parsed)


def _readable(text: str) -> str:
    """The text with an international prefix as `+`, without the scheme of a link, and its extension as `ext. 5`."""
    link = _URI.match(text)
    if link is not None:
        rest = text[link.end() :]
        text = rest if rest.startswith("+") or text[:4].lower() == "tel:" else f"+{rest}"
        text = re.split(r"[@?&]|/(?!\s*\d)", text, maxsplit=1)[0] if "phone-context" not in text else text
    text = _EXTENSION.sub(r" ext. \1", text)
    bare = text.lstrip("( ")
    if bare.startswith("+"):
        return re.sub(r"^\+[\s(]*00", "+", bare) if bare[1:4].strip("( ").startswith("00") else text
    return text


def _parsed(text: str, region: str | None) -> tuple[phonenumbers.PhoneNumber, int] | None:
    """The number and its type; a type is what makes it a valid number to the library."""
    for form in _forms(text, region):
        try:
            number = phonenumbers.parse(form, region, keep_raw_input=True)
        except phonenumbers.NumberParseException:
            continue
        kind = phonenumbers.number_type(number)
        if kind == PhoneNumberType.UNKNOWN or _is_dummy(phonenumbers.national_significant_number(number)):
            continue
        if _is_meant(number, kind, form, region):
            return number, kind
    return None


def _forms(text: str, region: str | None) -> list[str]:
    """The text, and read as dialled abroad where its country does not dial so: `00` everywhere, `011` without one."""
    digits = text.lstrip("( ")
    if digits.startswith("00") and (region is None or _is_north_american(region)):
        return [f"+{digits[2:]}"]
    if region is None and digits.startswith("011"):
        return [f"+{digits[3:]}"]
    return [text]


def _is_meant(number: phonenumbers.PhoneNumber, kind: int, text: str, region: str | None) -> bool:
    """Whether it is the number that the text says, and not one that its digits happen to make."""
    letters = len(_LETTER.findall(text.partition(" ext. ")[0]))
    if letters and (letters < 3 or number.country_code != 1):  # 1-800-FLOWERS; elsewhere only what is sold by name
        return letters >= 3 and kind in _SOLD_BY_NAME
    source = number.country_code_source
    if source == CountryCodeSource.FROM_NUMBER_WITH_IDD:
        return _is_dialled_abroad(text, number)
    if source != CountryCodeSource.FROM_DEFAULT_COUNTRY or number.country_code == 1:
        return True
    # Without its trunk prefix it is a foreign number as likely as one of this country: the library knows where a number
    # may go without.
    matcher = phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.VALID, max_tries=1)
    return any(match.start == 0 or text[: match.start].strip(_MARKS + "(") == "" for match in matcher)


def _is_dialled_abroad(text: str, number: phonenumbers.PhoneNumber) -> bool:
    """An international prefix stands alone: `011 44 ...`, not `0117 496 0123`, which is a number in Bristol."""
    digits = "".join(character for character in text if character.isdigit())
    code = str(number.country_code)
    prefix = len(digits) - len(f"{code}{phonenumbers.national_significant_number(number)}")
    seen = 0
    for position, character in enumerate(text):
        seen += character.isdigit()
        if character.isdigit() and seen >= prefix:
            rest = text[position + 1 :]
            return _NOTHING_BEFORE_SEPARATOR.match(rest) is not None or rest.isdigit() or digits.startswith("00")
    return False


def _is_dummy(digits: str) -> bool:
    """Numbers that somebody types to get past a form: one digit over and over, or the digits in a row."""
    return len(set(digits)) == 1 or digits in _ASCENDING or digits in _DESCENDING


def _described(parsed: tuple[phonenumbers.PhoneNumber, int]) -> PhoneNumber:
    number, kind = parsed
    extension, number.extension = number.extension, None
    country = phonenumbers.region_code_for_number(number)
    return PhoneNumber(
        number=str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)),
        type=_TYPES.get(kind),
        country=None if country in (None, "001") else str(country),
        extension=extension or None,
    )


def _is_long_enough(text: str) -> bool:
    return sum(character.isdigit() for character in text) >= 7
