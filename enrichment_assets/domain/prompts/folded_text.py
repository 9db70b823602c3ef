"""A text as it is searched: one spelling for what is written the same, and the way back to the characters of the text.

Case, compatibility forms and composition (NFKC) are folded, runs of blanks are one, quotes and dashes are one of each,
Markdown's stars and backticks are gone. Letters stay what they are: `José` is not `Jose`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from enrichment_assets.domain.no_value import INVISIBLE

_PIECES = re.compile(r"(\s+)|([!-)+-_a-~]+(?![^\x00-\x7f]))|(.)", re.DOTALL)
_SIGNS = str.maketrans("’‘‚‛ʼ´“”„‟«»‹›–—―‐‑‒−", "''''''\"\"\"\"\"\"''-------", "*`")
_JAMO = ("\u1160", "\u11ff")
_WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
"""Thai, Lao, Burmese, Khmer, Chinese, Japanese; Korean, which puts its particles behind a word without a space."""


class FoldedText:
    """A text folded for searching.

    Attributes:
        original: The text.
        text: The folded text.
    """

    def __init__(self, original: str) -> None:
        self.original = original
        pieces: list[str] = []
        starts: list[int] = []
        for piece, start, is_run in _folded_pieces(original):
            if piece != " " or pieces[-1:] != [" "]:
                pieces.append(piece)
                starts.extend(range(start, start + len(piece)) if is_run else [start] * len(piece))
        self.text = "".join(pieces)
        self._starts = starts

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where folded characters stand in the original: its start and its end."""
        first, last = self._starts[start], self._starts[end - 1] + 1
        while last < len(self.original) and unicodedata.category(self.original[last])[0] == "M":
            last += 1
        return first, last

    def find(self, needle: str) -> tuple[int, int] | None:
        """Where a folded text stands as whole words: start and end in the original; None: nowhere."""
        at = self.text.find(needle) if needle else -1
        while at >= 0:
            end = at + len(needle)
            if not self._goes_on(at - 1, at) and not self._goes_on(end - 1, end):
                return self.span(at, end)
            at = self.text.find(needle, at + 1)
        return None

    def _goes_on(self, left: int, right: int) -> bool:
        """Whether a word goes on from one character to the next; scripts without spaces have no such words."""
        if left < 0 or right >= len(self.text):
            return False
        before, after = self.text[left], self.text[right]
        if not (_is_of_word(before) and _is_of_word(after)):
            return False
        return not (_WITHOUT_SPACES.match(before) and _WITHOUT_SPACES.match(after))


def folded(text: str) -> str:
    """The text as `FoldedText.text` has it, without blanks around."""
    return FoldedText(text).text.strip()


def _is_of_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_" or unicodedata.category(sign)[0] == "M"


def _folded_pieces(text: str) -> Iterator[tuple[str, int, bool]]:
    """(folded, start, whether it is as long as what it stands for) of each stretch.

    A character and the marks on it are one.
    """
    at = 0
    while (found := _PIECES.match(text, at)) is not None:
        end = found.end()
        if found.group(1):
            yield " ", at, False
        elif found.group(2):
            yield found.group().lower(), at, True
        else:
            while end < len(text) and (unicodedata.category(text[end])[0] == "M" or _JAMO[0] <= text[end] <= _JAMO[1]):
                end += 1
            if piece := _folded_sign(text[at:end]):
                yield piece, at, False
        at = end


def _folded_sign(cluster: str) -> str:
    plain = INVISIBLE.sub("", unicodedata.normalize("NFKC", cluster))
    return unicodedata.normalize("NFKC", plain.casefold()).translate(_SIGNS)
