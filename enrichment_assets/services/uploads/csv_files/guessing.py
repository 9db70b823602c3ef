"""A legacy encoding for words that are not UTF-8: the one under which they look most like words.

Every candidate decodes the words, and each reading has a cost, in nats as a rule of thumb: letters that the language
has cost little, foreign ones much; a symbol inside a word, a capital behind a small letter, two scripts in one word and
bytes without meaning cost most. cp1252 wins unless another reading is cheaper by what it must bring (`rarity`).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from enrichment_assets.services.uploads.csv_files.languages import CODE_PAGES, EAST_ASIAN, EastAsian

UTF8 = "utf-8"
_WORD = re.compile(rb"[\x40-\xff]*[\x80-\xff][\x40-\xff]*")
"""Letters, some symbols and everything beyond ASCII: trail bytes of two-byte encodings are never below 0x40."""

_MOST_WORDS = 800
_DOUBT = 5.0
_FOREIGN, _BROKEN, _MIXED, _CASE = 8.0, 12.0, 5.0, 4.0
_NEIGHBOUR, _HIATUS, _CLUSTER, _EASY = 1.2, 1.5, 1.0, 0.2
_VOWELS = frozenset("aeiouyøæœıåäöüăâ")
_ANYWHERE = frozenset("‐–—·\u00ad\u00a0ʼ")
_BEHIND = frozenset("™®©…”»°")
_BEFORE = frozenset("“„«¿¡‚")
_ALONE = frozenset("€£¥§•½×µ")
_RAISED = frozenset("²³ªº")

Words = Mapping[bytes, float]
"""Words with a byte beyond ASCII, with their weight."""


@dataclass(frozen=True, slots=True)
class Guess:
    """An encoding. `rival`: another one that reads the words otherwise and is nearly as likely."""

    encoding: str
    rival: str | None = None


def words_of(sample: bytes) -> Words:
    """The sample's words that are not ASCII; a word that is there often counts more, but not as often."""
    counts = Counter(_WORD.findall(sample)).most_common(_MOST_WORDS)
    return {word: 1 + math.log(count) for word, count in counts}


def guess_encoding(sample: bytes) -> Guess:
    """The likeliest encoding of a sample of lines. UTF-8 is among the candidates: some bytes of it may be broken."""
    words = words_of(sample)
    costs = {UTF8: _cost(words, UTF8, _utf8_letter)}
    for page in CODE_PAGES:
        letters = [_letter_costs(alphabet) for alphabet in page.alphabets]
        costs[page.name] = page.rarity + min(_cost(words, page.name, of.get) for of in letters)
    for east in EAST_ASIAN:
        costs[east.name] = east.rarity + _cost(words, east.name, lambda c, e=east: _ideograph(c, e))  # type: ignore[misc]
    best = min(costs, key=lambda name: costs[name])
    rivals = sorted(
        (name for name in costs if costs[name] < costs[best] + _DOUBT and name != best), key=costs.__getitem__
    )
    return Guess(best, next((name for name in rivals if _reads_otherwise(words, best, name)), None))


def _reads_otherwise(words: Words, one: str, other: str) -> bool:
    return any(word.decode(one, "replace") != word.decode(other, "replace") for word in words)


def _cost(words: Words, encoding: str, letter: Callable[[str], float | None]) -> float:
    return sum(weight * _word_cost(word.decode(encoding, "replace"), letter) for word, weight in words.items())


@lru_cache(maxsize=64)
def _letter_costs(alphabet: str) -> dict[str, float]:
    costs: dict[str, float] = {}
    for rank, character in enumerate(alphabet):
        if not character.isascii():
            costs.setdefault(character, 1.2 + 1.1 * math.log(1 + rank))
    if "ı" in costs:
        costs["İ"] = costs["ı"]
    return costs


def _utf8_letter(character: str) -> float | None:
    return 1.5


def _ideograph(character: str, of: EastAsian) -> float | None:
    """The cost of a character of two bytes, None for what this encoding's languages do not write."""
    if character in of.common:
        return 3.5
    if "\u3040" <= character <= "\u30ff":
        return 3.5 if of.name in ("cp932", "euc_jp") else 9.0
    encoded = character.encode(of.name, "replace")
    if len(encoded) == 2 and encoded[0] in of.usual and (encoded[1] >= 0xA1 or of.name in ("cp932", "big5")):
        return 5.5
    if not character.isalpha() and len(encoded) == 2:
        return 4.0
    return 9.0 if len(encoded) == 2 else 11.0


def _word_cost(word: str, letter: Callable[[str], float | None]) -> float:
    total = 0.0
    for at, character in enumerate(word):
        if character.isascii():
            continue
        before = word[at - 1] if at else ""
        behind = word[at + 1] if at + 1 < len(word) else ""
        if character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cn", "Co"):
            total += _BROKEN
        elif character.isalpha() or unicodedata.combining(character):
            cost = letter(character)
            if cost is None:
                cost = letter(character.lower())
            total += (_FOREIGN if cost is None else cost) + _manners(character, before, behind)
        else:
            total += _symbol_cost(character, before, behind, letter)
    return total


def _manners(letter: str, before: str, behind: str) -> float:
    """What the neighbours of a letter beyond ASCII say: script, case, vowels and consonants."""
    cost = 0.0
    script = _script(letter)
    for neighbour in (before, behind):
        if neighbour.isalpha() and _script(neighbour) != script:
            cost += _MIXED
    inner_capital = letter.isupper() and before.isalpha() and (before.islower() or behind.islower())
    if inner_capital or (letter.islower() and behind.isupper()):
        cost += _CASE
    if script == "LATIN":
        if letter.isupper() and not before and not behind:
            cost += _CASE
        if letter in "õÕ" and behind not in ("e", "E"):
            cost += 2.0  # ões in Portuguese; ő in Hungarian lists is the same byte
        if before.isalpha() and not before.isascii():
            cost += _NEIGHBOUR
        vowel = _is_vowel(letter)
        for neighbour in (before, behind):
            if neighbour.isalpha():
                cost += _EASY if _is_vowel(neighbour) != vowel else _HIATUS if vowel else _CLUSTER
    return cost


def _symbol_cost(symbol: str, before: str, behind: str, letter: Callable[[str], float | None]) -> float:
    """Usual symbols cost little in their usual place, all others much, and most of all inside a word."""
    if symbol in _ANYWHERE:
        return 3.0
    if symbol == "’":  # O’Brien, Jones’
        return 3.0 if before.isalpha() else 6.0
    if symbol == "‘":  # ‘Brien; some write O‘Brien
        return 3.0 if not before.isalpha() else 4.0 if behind.isalpha() else 8.0
    if symbol in _BEHIND:
        return 8.0 if behind.isalpha() else 2.5
    if symbol in _BEFORE:
        return 8.0 if before.isalpha() else 3.0
    if symbol in _ALONE:
        return 8.0 if before.isalpha() or behind.isalpha() else 3.0
    if symbol in _RAISED:
        return 3.5 if not behind.isalpha() and (not before.isalpha() or before.isupper() or before in "mn") else 9.0
    cost = letter(symbol)  # a two-byte encoding knows its own punctuation
    if cost is not None:
        return cost
    return 12.0 if behind.isalpha() or before.isalpha() else 7.0


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    """The first word of the character's name, near enough to its script; kana and ideographs go together."""
    name = unicodedata.name(letter, "?").partition(" ")[0]
    return "CJK" if name in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HALFWIDTH", "FULLWIDTH", "HANGUL") else name


@lru_cache(maxsize=4096)
def _is_vowel(letter: str) -> bool:
    lower = letter.lower()
    return lower in _VOWELS or unicodedata.normalize("NFD", lower)[:1] in _VOWELS
