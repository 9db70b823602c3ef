"""Text of others inside Markdown: written so that it is shown as it is, and formats nothing."""

from __future__ import annotations

import re

_ANYWHERE = re.compile(r"([\\`*_\[\]<>&#|~!])")
_LIST_OR_RULE = re.compile(r"^([-+=])", re.MULTILINE)
_NUMBERED = re.compile(r"^(\d{1,9})([.)])", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
"""Four blanks would begin a block of code."""

_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def unformatted(text: str) -> str:
    """The text with a backslash before what Markdown (CommonMark 0.31) would format, without control characters.

    `# 1 [here](javascript:...)` is shown so; a line that begins with `- ` or `1.` is no list. Line ends stay.
    """
    plain = _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    flat = _INDENT.sub("", _ANYWHERE.sub(r"\\\1", plain))
    return _NUMBERED.sub(r"\1\\\2", _LIST_OR_RULE.sub(r"\\\1", flat))
