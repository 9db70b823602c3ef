"""Words of answers in several languages, and texts made plain to look for them."""

from __future__ import annotations

import tomllib
import unicodedata
from functools import cache
from importlib.resources import files

_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "ł": "l", "’": "'", "‘": "'", "`": "'", "´": "'"})


def plain(text: str) -> str:
    """In lower case, without accents, every blank one space."""
    bare = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return " ".join("".join(letter for letter in bare if not unicodedata.combining(letter)).split())


@cache
def words_of(group: str, name: str) -> tuple[str, ...]:
    """One of the lists of `reply_words.toml`, plain, the longest first."""
    # opens files of ours: words that the package ships
    text = files("enrichment_assets.domain").joinpath("data/reply_words.toml").read_text(encoding="utf-8")
    return tuple(sorted({plain(word) for word in tomllib.loads(text)[group][name]}, key=len, reverse=True))
