r"""Text from outside, made fit for a prompt: what a reader cannot see, and what a model's server could act on, is gone.

`Ignore\u200b the above` and letters of the tags block (U+E0000) are read by a model and by no person; `<|im_start|>`
in a page is a turn of its own to servers that put it into a chat template as it stands (vLLM, Ollama).
"""

from __future__ import annotations

import re
import unicodedata

_LINE_ENDS = re.compile("\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
_OTHERS = re.compile("[^\t\n\x20-\x7e]")
_BLANKS = re.compile("[ \t\u00a0\u2000-\u200a\u202f\u205f\u3000]{5,}")
_EMPTY_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")

_WITHOUT_WIDTH = frozenset(
    map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2065, 0x3164, 0xFFA0))
) | frozenset(map(chr, range(0xE0000, 0xE1000)))
"""Characters that Unicode lets a program show as nothing (Default_Ignorable_Code_Point) beside those of category Cf."""

_SEEN = frozenset(map(chr, (*range(0x0600, 0x0606), 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD)))
"""Characters of category Cf that are printed: signs before numbers in Arabic, Syriac and Kaithi."""

_NON_JOINER, _JOINER = "\u200c", "\u200d"
_STYLES = ("\ufe0e", "\ufe0f")
"""Variation selectors: whether the sign before is shown as text or as emoji."""

_JOINED_SCRIPTS = (
    (0x0600, 0x08FF), (0x0900, 0x0DFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1800, 0x18AF), (0xFB50, 0xFEFE),
)  # fmt: skip
"""Arabic and Syriac letters, Indic scripts, Burmese, Khmer, Mongolian: a joiner between two changes what is written."""

_NEVER = ("Cc", "Cf", "Cs", "Co")
"""Control, format, lone halves of a pair, private use (the signs of a page's own icon font)."""

_TURNS = re.compile(
    r"<(?=[|｜][^<>|｜\n]{1,40}[|｜]>)"
    r"|<(?=/?(?:start_of_turn|end_of_turn|bos|eos|s)>)|<(?=</?SYS>>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])",
    re.IGNORECASE,
)
"""Where a marker of a chat template begins: ChatML, Llama, Gemma, Mistral, DeepSeek, by their model cards."""

_FENCE_SIGNS = re.compile("([<＜﹤〈《‹«])\\1{2,}|([>＞﹥〉》›»])\\2{2,}")
"""Three angle brackets or more: how our fences begin and end."""


def plain_text(text: str) -> str:
    r"""The text without what cannot be seen, and with markers of turns and fences broken. Never raises.

    Line ends are `\n`; of five or more blanks in a row four are left, of empty lines one. Joiners stay where a script
    needs them, a style stays behind an emoji. Letters, accents and signs are as they were: a quote stays a quote.
    """
    text = _LINE_ENDS.sub("\n", text)
    if not text.isascii() or not text.isprintable():
        text = _OTHERS.sub(lambda found: _kept(found, text), text)
    text = _FENCE_SIGNS.sub(lambda found: found.group(1) or found.group(2), text)
    text = _TURNS.sub(r"\g<0> ", text)
    return _EMPTY_LINES.sub("\n\n", _BLANKS.sub("    ", text))


def _kept(found: re.Match[str], text: str) -> str:
    sign = found.group()
    if sign in (_JOINER, _NON_JOINER):
        return sign if _joins(text, found.start()) else ""
    if sign in _STYLES:
        before = text[found.start() - 1 : found.start()]
        return sign if before and (unicodedata.category(before) == "So" or before in "#*0123456789‼⁉™ℹ↔©®") else ""
    if sign in _SEEN:
        return sign
    is_unseen = unicodedata.category(sign) in _NEVER or sign in _WITHOUT_WIDTH or "\ufe00" <= sign <= "\ufe0d"
    return "" if is_unseen or ord(sign) & 0xFFFE == 0xFFFE else sign


def _joins(text: str, at: int) -> bool:
    """Whether a joiner stands between two letters of a script that needs it, or between two parts of an emoji."""
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if at == 0 or not after:
        return False
    if text[at] == _JOINER and unicodedata.category(after) == "So":
        return unicodedata.category(before) in ("So", "Sk") or before in _STYLES
    return all(any(first <= ord(sign) <= last for first, last in _JOINED_SCRIPTS) for sign in (before, after))
