"""Number formats that show digits which the number does not have: 1234 shown as 01234, 12025550123 as +12025550123.

The reader of workbooks gives numbers, not what is shown of them. Only formats of digits and literal signs are rendered
here (ECMA-376 part 1, 18.8.30); decimals, thousands, percent and conditions change no identity and are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape

_P = rb"<(?:\w+:)?"
_FORMAT = re.compile(_P + rb'numFmt\s[^>]*?numFmtId="(\d+)"[^>]*?formatCode="([^"]*)"')
_STYLES = re.compile(_P + rb"cellXfs\b.*?</(?:\w+:)?cellXfs>", re.DOTALL)
_STYLE = re.compile(_P + rb"xf\s[^>]*>")
_FORMAT_ID = re.compile(rb'numFmtId="(\d+)"')
_TOKEN = re.compile(r'"([^"]*)"|\\(.)|([0#?])|([-+() /:$€£])')


def digit_formats(styles: bytes) -> dict[int, str]:
    """Style number -> format code, of the styles whose format adds digits or signs. `styles`: xl/styles.xml."""
    codes = {int(number): unescape(code.decode("utf-8", "replace")) for number, code in _FORMAT.findall(styles)}
    telling = {number: code for number, code in codes.items() if _tokens(code) is not None}
    section = _STYLES.search(styles)
    found: dict[int, str] = {}
    if telling and section is not None:
        for style, tag in enumerate(_STYLE.findall(section.group())):
            number = _FORMAT_ID.search(tag)
            if number is not None and int(number.group(1)) in telling:
                found[style] = telling[int(number.group(1))]
    return found


def rendered(number: float, code: str) -> str | None:
    """A whole number as the format shows it; None where it is none or the format does more."""
    tokens = _tokens(code)
    if tokens is None or number != int(number) or number < 0:
        return None
    digits = str(int(number)) if number else ""
    places = sum(placeholder for placeholder, _ in tokens)
    shown: list[str] = []
    for placeholder, text in tokens:
        if not placeholder:
            shown.append(text)
            continue
        take = len(digits) - (places - 1)
        if take > 0:
            shown.append(digits[:take])
            digits = digits[take:]
        elif text == "0":
            shown.append("0")
        places -= 1
    return "".join(shown)


def shown_numbers(styled: Mapping[tuple[int, int], int], formats: Mapping[int, str]) -> dict[tuple[int, int], str]:
    """Cell -> format code, for the cells of these styles."""
    return {cell: formats[style] for cell, style in styled.items()}


def _tokens(code: str) -> list[tuple[bool, str]] | None:
    """(is a digit's place, text) in order; None unless the code only pads digits or puts signs beside them."""
    tokens: list[tuple[bool, str]] = []
    at = 0
    while at < len(code):
        match = _TOKEN.match(code, at)
        if match is None:
            return None
        quoted, escaped, digit, sign = match.groups()
        tokens.append((True, digit) if digit else (False, quoted or escaped or sign or ""))
        at = match.end()
    places = [text for is_place, text in tokens if is_place]
    adds = places.count("0") > 1 or any(text.strip() in ("+", "-", "(") for is_place, text in tokens if not is_place)
    return (
        tokens
        if places and adds and not any(text in "$€£/:" for is_place, text in tokens if text and not is_place)
        else None
    )
