"""Which text encodings a stranger may name. An allow list: some of Python's codecs take quadratic time, or run no text.

The names are those that web pages and mail really use (the WHATWG Encoding Standard's list, less its oddities).
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

_ALLOWED = frozenset(
    ["utf-8", "utf-8-sig", "ascii", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
    + [f"iso8859-{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)]
    + [f"cp{n}" for n in (437, 850, 852, 866, 874, 932, 949, 950, *range(1250, 1259))]
    + ["koi8-r", "koi8-u", "mac-roman", "mac-cyrillic", "tis-620"]
    + ["big5", "big5hkscs", "euc_jp", "euc_kr", "gb2312", "gbk", "gb18030", "iso2022_jp", "shift_jis"]
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9][A-Za-z0-9._:-]{0,39})", re.IGNORECASE)


@lru_cache(maxsize=256)
def allowed_charset(name: str) -> str | None:
    """Python's name of an encoding that may be decoded with, None for any other.

    >>> allowed_charset("Windows-1252"), allowed_charset("punycode")
    ('cp1252', None)
    """
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return found if found in _ALLOWED else None


def charset_of(content_type: str) -> str | None:
    """The allowed encoding that a Content-Type names, None where it names none or another."""
    named = _CHARSET.search(content_type[:1000])
    return allowed_charset(named.group(1)) if named else None


def decode_text(body: bytes, content_type: str) -> str:
    """A body as text by its Content-Type, UTF-8 without one; what cannot be decoded becomes U+FFFD."""
    return body.decode(charset_of(content_type) or "utf-8", errors="replace")
