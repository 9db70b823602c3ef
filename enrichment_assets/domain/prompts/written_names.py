"""Names of people and companies in running text, in the orders and forms in which they are written.

`Jane Doe` stands in `Dr. Jane M. Doe`, in `Doe, Jane` and in `DOE Jane`, not in `Jane Doe-Smith`; `Acme GmbH` in
`Acme`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from enrichment_assets.domain.company_names import company_name_key
from enrichment_assets.domain.names import normalise_name
from enrichment_assets.domain.prompts.folded_text import FoldedText, folded

_TOKEN = re.compile(r"[^\s,;:()\[\]{}\"|/<>!?]+")
_PARAGRAPHS = re.compile(r"\n\s*\n")
_APART = re.compile(r"[ .]*")
_TURNED = re.compile(r"[ .]*,?[ .]*")
_MAX_FORM_WORDS = 4
"""Words that a legal form may have beside a company's own."""

_MOST_WORDS = 12

_Token = tuple[str, int, int]


def person_in(text: FoldedText, name: str) -> tuple[int, int] | None:
    """Where a person is named: start and end in the original; None: nowhere."""
    words = _tokens(folded(normalise_name(full=name).full_name or name))
    wanted = [word for word, _, _ in words][:_MOST_WORDS]
    if not wanted:
        return None
    if (found := text.find(folded(name))) and len(wanted) == 1 and not name.isascii():
        return found  # letters of scripts that set no blanks between words
    tokens = _tokens(text.text)
    for turn in range(len(wanted)):
        for at, (word, _, _) in enumerate(tokens):
            if word == wanted[turn]:
                last = _named_at(
                    text.text, tokens, at, wanted[turn:] + wanted[:turn], len(wanted) - turn if turn else 0
                )
                if last is not None and (not turn or not _is_in_list(text, tokens, at, last)):
                    start, end = text.span(tokens[at][1], tokens[last][2])
                    if not _PARAGRAPHS.search(text.original, start, end):
                        return start, end
    return None


def company_in(text: str, name: str) -> tuple[int, int] | None:
    """Where a company is named in whatever legal form, case and spelling `company_name_key` takes for the same."""
    key = company_name_key(name)
    if key is None:
        return None
    tokens = [(found.group(), found.start(), found.end()) for found in re.finditer(r"\S+", text)]
    most = len(key.split()) + _MAX_FORM_WORDS
    for at, (word, start, _) in enumerate(tokens):
        if not _may_begin(word, key):
            continue
        for last in range(at, min(at + most, len(tokens))):
            end = tokens[last][2]
            shown = text[start:end].strip(".,;:!?()[]\"'*_|")
            if company_name_key(shown) == key:
                begin = text.index(shown, start)
                return begin, begin + len(shown)
    return None


def _may_begin(word: str, key: str) -> bool:
    """Whether a name with this key may begin with a word: a quick look, before names are compared."""
    begun = company_name_key(word)
    return begun is None or key.startswith(begun[:1])


def _tokens(text: str) -> list[_Token]:
    """Words with start and end, without stops and the `'s` of a possessive."""
    tokens = []
    for found in _TOKEN.finditer(text):
        word = found.group().rstrip(".'").removesuffix("'s")
        start = found.start() + len(word) - len(word.lstrip(".'"))
        if word := word.lstrip(".'"):
            tokens.append((word, start, start + len(word)))
    return tokens


def _named_at(text: str, tokens: Sequence[_Token], at: int, wanted: Sequence[str], turned_after: int) -> int | None:
    """The index of the last word of a name that begins at a token; initials may stand between its words."""
    position = at
    for number, word in enumerate(wanted[1:], start=1):
        between = _TURNED if number == turned_after else _APART
        position += 1
        while position < len(tokens) and tokens[position][0] != word and _is_initial(tokens[position][0]):
            if not _APART.fullmatch(text, tokens[position - 1][2], tokens[position][1]):
                return None
            position += 1
        if position >= len(tokens) or tokens[position][0] != word:
            return None
        if not between.fullmatch(text, tokens[position - 1][2], tokens[position][1]):
            return None
    return position


def _is_initial(word: str) -> bool:
    return len(word) == 1 and word.isalpha()


def _is_in_list(text: FoldedText, tokens: Sequence[_Token], at: int, last: int) -> bool:
    """Whether `Jane, Doe` is the end of one name and the beginning of the next: `Peter Jane, Doe Smith`."""
    if "," not in text.text[tokens[at][1] : tokens[last][2]]:
        return False
    before = (
        at > 0 and _APART.fullmatch(text.text, tokens[at - 1][2], tokens[at][1]) and _is_capital(text, tokens[at - 1])
    )
    after = (
        last + 1 < len(tokens)
        and _APART.fullmatch(text.text, tokens[last][2], tokens[last + 1][1])
        and _is_capital(text, tokens[last + 1])
    )
    return bool(before or after)


def _is_capital(text: FoldedText, token: _Token) -> bool:
    return text.original[text.span(token[1], token[2])[0]].isupper()
