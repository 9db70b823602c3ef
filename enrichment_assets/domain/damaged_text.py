"""Text that a program wrote wrongly on its way into a file, written as it was meant: `AT&amp;T`, `MÃ¼ller`."""

from __future__ import annotations

import html
import re

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TWICE_ENCODED = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
)
"""What UTF-8 looks like when it was read as Windows-1252: a leading byte, and a byte that continues it."""

_LEVELS = 2
"""How often the same damage may have been done; a CRM that is exported and uploaded doubles it."""


def repaired(text: str) -> str:
    """The text with its HTML entities resolved, and UTF-8 that was read as Windows-1252 read as UTF-8.

    Only where nothing is left to doubt: the whole text has to be UTF-8 again, so `AT&T` and `Ã` alone stay. Never
    raises. `R&amp;D` -> `R&D`; `JosÃ©` -> `José`; `Kelloggâ€™s` -> `Kellogg’s`.
    """
    if "&" in text and ";" in text:
        for _ in range(_LEVELS):
            text = _ENTITY.sub(lambda found: html.unescape(found.group()), text)
    if text.isascii():
        return text
    for _ in range(_LEVELS):
        if _TWICE_ENCODED.search(text) is None or (read := _read_again(text)) is None:
            break
        text = read
    return text


def is_garbled(text: str) -> bool:
    """True where letters are lost for good: a replacement character, or damage that `repaired` cannot undo."""
    if text.isascii():
        return False
    return "\ufffd" in text or len(_TWICE_ENCODED.findall(text)) > 1


def _read_again(text: str) -> str | None:
    """The text whose UTF-8 this is in Windows-1252; None: it is no such text."""
    try:
        return b"".join(map(_byte, text)).decode()
    except UnicodeError:
        return None


def _byte(character: str) -> bytes:
    """The byte of a character, with the five bytes that Windows-1252 leaves open, as browsers read them (WHATWG)."""
    if "\x80" <= character <= "\x9f":
        return bytes([ord(character)])
    return character.encode("cp1252")
