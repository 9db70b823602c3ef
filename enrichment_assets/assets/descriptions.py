"""Descriptions as Dagster's lists show them: as they are written, Markdown and all. So they carry none."""

from __future__ import annotations

import re

_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_MARKS = re.compile(r"`+|\*\*|__(?=\S)(?<!\w__)|(?<=\S)__(?!\w)|^#{1,6}\s+", re.MULTILINE)


def plain(text: str) -> str:
    """The text without Markdown's marks for code, bold, headings and links; names with underscores stay whole.

    Example: "Sets `base_url`, **once** ([docs](https://x.example))" becomes "Sets base_url, once (docs: https://x.example)".
    """
    return _MARKS.sub("", _LINK.sub(_link, text))


def _link(found: re.Match[str]) -> str:
    text, address = found.groups()
    return text if text == address else f"{text}: {address}"
