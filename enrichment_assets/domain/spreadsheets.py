"""What spreadsheets do to text: run it, or take it for a number or a date; and how a list comes back unharmed.

A CSV that Excel or LibreOffice opens and saves comes back without the plus signs of its phones, with long ids as
1.23E+18, `11-50` as a date and `007` as 7. An apostrophe in front keeps all of it text. A list that we exported is
known again by its first columns, and there the apostrophe and a lost plus are undone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez"
_CHANGED = re.compile(
    r"0\d+|\d{12,}|\d+(?:[.,]\d*)?e[+-]?\d+|\d+[.,]\d*0|\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{1,4})?(?:[ t]\d{1,2}:\d\d.*)?"
    rf"|\d{{1,2}}:\d\d(?::\d\d)?|(?:\d{{1,2}}[-. ]?)?(?:{_MONTHS})[a-z]*[-. ]?\d{{1,4}}|true|false",
    re.IGNORECASE,
)
"""Text that a spreadsheet reads as a number, a date, a time or a truth value, and writes otherwise."""

_OWN_COLUMNS = frozenset({"client_slug", "batch_key", "item_id"})
_E164_DIGITS = re.compile(r"[1-9]\d{7,14}")


def kept_as_text(text: str) -> str:
    """The text with an apostrophe in front where a spreadsheet would run it as a formula or change it."""
    unsafe = text.startswith(_FORMULA_STARTS) or text.lstrip().startswith(_FORMULA_STARTS)
    return f"'{text}" if unsafe or _CHANGED.fullmatch(text) else text


def is_own_export(headers: Iterable[str]) -> bool:
    """True for the header of a list that this platform exported."""
    return set(headers) >= _OWN_COLUMNS


def restored(cell: str, *, phone: bool) -> str:
    """A cell of our own export as it was exported: without its apostrophe, a phone with its plus again."""
    if cell.startswith("'") and kept_as_text(cell[1:]) == cell:
        cell = cell[1:]
    return f"+{cell}" if phone and _E164_DIGITS.fullmatch(cell) else cell
