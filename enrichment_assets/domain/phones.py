"""Phone numbers: E.164 or nothing."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers

from enrichment_assets.domain.countries import region_of

_MAX_CHARS = 250  # phonenumbers refuses longer text
_SPREADSHEET_MARK = re.compile(r"^[\s'’`\"=]+")


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
