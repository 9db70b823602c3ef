"""Numbers in running text, each with every amount that it can be: `1,200` and `1.200` are 1200.

Read by `domain.quantities`. A number is taken as a whole: 12 is not in `120`, `12.5` or `12k`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from enrichment_assets.domain.quantities import Money, Range, read_count, read_money, read_number, read_range

Amounts = frozenset[float | int]

_BLANK = "[ \u00a0\u2009\u202f]"
_WRITTEN = re.compile(
    rf"(?<![\w.,'’])(\d+(?:[.,'’]\d+|{_BLANK}\d{{3}}(?!\d))*)"
    rf"(?:({_BLANK}?)(k|thousand|tsd|tausend|m|mm|mn|mln|mio|mi|millions?|millionen|millones|milioni|milhões|b|bn|"
    rf"billions?|mrd|milliarden?|mds?|milliards?|miliardi|bln|tn|trillion|lakhs?|lac|crores?|cr|万|萬|億|亿)\.?)?(?!\w)",
    re.IGNORECASE,
)
_FOUR_DIGITS = re.compile(r"(?<!\d)\d{4}(?!\d)")
_END = r"[^\s\d]{0,3} ?\d[\d.,]*(?: ?(?:k|m|bn|mio|million)\b)?"
_RANGE = re.compile(rf"(?<![\w.,]){_END}(?:\+|\s?(?:-{{1,2}}|–|—|to|bis|\.\.)\s?{_END})", re.IGNORECASE)


def amounts_of(value: Any) -> Amounts:
    """What a value is as a number: of a JSON number itself, of text every reading; empty: it is none."""
    if isinstance(value, bool):
        return frozenset()
    if isinstance(value, int | float):
        return frozenset({value})
    if not isinstance(value, str):
        return frozenset()
    read = [read_number(value), read_count(value), read_money(value)]
    amounts = [one.amount if isinstance(one, Money) else one for one in read]
    return frozenset(one for one in amounts if one is not None and not isinstance(one, Range))


def numbers_in(text: str) -> Iterator[tuple[Amounts, int, int]]:
    """(what it can be, start, end) of each number."""
    for found in _WRITTEN.finditer(text):
        number, gap, scale = found.groups()
        amounts = amounts_of(found.group())
        if scale and (not gap or len(scale) > 2):
            amounts = amounts_of(f"{number}{scale}")
        elif scale:  # `12 m` may be metres
            amounts |= amounts_of(number)
        if amounts:
            yield (
                amounts | _negative(amounts, text[max(found.start() - 2, 0) : found.start()]),
                found.start(),
                found.end(),
            )
            continue
        for year in _FOUR_DIGITS.finditer(number):  # in a date, or in a list without blanks
            yield frozenset({int(year.group())}), found.start(1) + year.start(), found.start(1) + year.end()


def _negative(amounts: Amounts, before: str) -> Amounts:
    is_negative = before[-1:] in ("-", "−") and not before[:-1].isalnum()
    return frozenset(-amount for amount in amounts) if is_negative else frozenset()


def ranges_in(text: str) -> Iterator[tuple[Range, int, int]]:
    """(range, start, end) of each range: `51-200`, `10,001+`."""
    for found in _RANGE.finditer(text):
        if (ranged := read_range(found.group())) is not None:
            yield ranged, found.start(), found.end()
