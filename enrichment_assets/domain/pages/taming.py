"""HTML that no person wrote, made fit for a parser: tags that are nested without end are taken out of it.

HTML's own rules for tags that were not closed take time and memory by the square of how many there are: 75 KB of
`<p><b id=1><b id=2>...</p><p>x</p><p>x</p>` are 5.7 GB as a tree in every parser that follows them.
"""

from __future__ import annotations

import re
from collections import defaultdict

DEEPEST_OF_A_TAG, DEEPEST = 300, 2000
"""Elements of one name, and of any names, that may be open at once."""

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/<>]{0,40})[^<>]*>?")
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
_CLOSED_BY_OTHERS = frozenset(
    ["p", "li", "td", "th", "tr", "dd", "dt", "option", "optgroup", "tbody", "thead", "tfoot", "rt", "rp"]
)
_KEPT = frozenset(["html", "head", "body", "title", "script", "style", "noscript", "textarea", "a"])
_INLINE = frozenset(
    [
        "b",
        "i",
        "u",
        "s",
        "em",
        "strong",
        "small",
        "big",
        "font",
        "span",
        "code",
        "tt",
        "strike",
        "nobr",
        "sub",
        "sup",
        "q",
    ]
)


def tamed(html: str) -> str:
    """The HTML, without those tags of which too many are open at once; as it came where there are none."""
    if html.count("<") <= DEEPEST_OF_A_TAG:
        return html
    dropped, depth = _nested(html, frozenset())
    if depth > DEEPEST and dropped:
        depth = _nested(html, dropped)[1]

    def without(found: re.Match[str]) -> str:
        name = found.group(2).lower()
        if name in _KEPT or not (depth > DEEPEST or name in dropped):
            return found.group()
        return "" if name in _INLINE else "\n<br>"

    return _TAG.sub(without, html) if dropped or depth > DEEPEST else html


def _nested(html: str, without: frozenset[str]) -> tuple[frozenset[str], int]:
    """Names of which too many are open at once, and how many of any names are."""
    opened: defaultdict[str, int] = defaultdict(int)
    dropped: set[str] = set()
    depth = deepest = 0
    for found in _TAG.finditer(html):
        name = found.group(2).lower()
        step = -1 if found.group(1) else 1
        if name in _VOID or name in _KEPT or name in without or opened[name] + step < 0:
            continue
        opened[name] += step
        if opened[name] > DEEPEST_OF_A_TAG:
            dropped.add(name)
        if name not in _CLOSED_BY_OTHERS:
            depth += step
            deepest = max(deepest, depth)
    return frozenset(dropped), deepest
