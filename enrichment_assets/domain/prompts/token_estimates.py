"""How many tokens a text has, about: no model's own table is here, and a bound has to hold for all of them.

By the tables of OpenAI (cl100k, o200k) an English word is one token or two, digits go by three, a letter of another
script is one token or less, random letters (base64) are a token for each two. The estimate is on the high side of that.
"""

from __future__ import annotations

import re

MOST_CHARS_OF_A_TOKEN = 8
"""No stretch of a text of this many characters is estimated at less than one token, but for blanks."""

_PIECES = re.compile(r"[A-Za-z]+|\d+|[ \t]+|\n+|[^\x00-\x7f]|.", re.DOTALL)
_LONG_WORD = 24
"""Letters of a word that is no word of a language."""


def estimated_tokens(text: str) -> int:
    """Tokens of a text, rather too many than too few."""
    return sum(_tokens_of(found.group()) for found in _PIECES.finditer(text))


def within(text: str, most: int) -> int:
    """How many characters of the text are at most so many tokens."""
    left = most
    for found in _PIECES.finditer(text):
        left -= _tokens_of(found.group())
        if left < 0:
            piece = found.end() - found.start()
            is_word = piece > _LONG_WORD  # a word of 200 KB is cut inside
            return found.start() + (min(piece, (left + _tokens_of(found.group())) * 2) if is_word else 0)
    return len(text)


def _tokens_of(piece: str) -> int:
    first = piece[0]
    if first in " \t":
        return len(piece) // 4
    if first == "\n":
        return 1
    if first.isascii() and first.isalpha():
        length = len(piece)
        return (length + 1) // 2 if length > _LONG_WORD else (length + 5) // 6
    if first.isascii() and first.isdigit():
        return (len(piece) + 2) // 3
    return 1
