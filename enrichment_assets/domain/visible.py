"""Text from outside, made fit for a screen: a terminal acts on control characters, hidden ones mislead a reader."""

from __future__ import annotations

import re

_RAW_IN_JSON = re.compile("[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


def visible(text: str) -> str:
    r"""`text` with every control and format character but line ends and tabs written as an escape (`\x1b`)."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text.replace("\r\n", "\n")
    )


def visible_json(text: str) -> str:
    r"""JSON as it was written, with the control characters that JSON allows raw written as `\u009b`."""
    return _RAW_IN_JSON.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
