"""What left and what came, as text that a person can read: pretty where it is JSON, and bounded. Pure: no I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from enrichment_assets.domain.bodies import BodyEncodingError, plain_body
from enrichment_assets.domain.charsets import decode_text
from enrichment_assets.domain.jsontext import parse_json
from enrichment_assets.domain.provider import RenderedRequest

MOST_SHOWN = 8_000
"""Characters of a body that are shown; the ledger has the whole."""


@dataclass(frozen=True, slots=True)
class ShownBody:
    """A body as text. `size`: its bytes as they are kept; `cut`: there is more of it than `text` shows."""

    text: str
    size: int
    cut: bool


@dataclass(frozen=True, slots=True)
class ShownRequest:
    """A request, its query in its URL; secrets are `${VARIABLE}`."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: ShownBody | None


def shown_request(request: RenderedRequest) -> ShownRequest:
    """The request as text."""
    query = urlencode(request.query, safe="${}")
    url = f"{request.url}{'&' if '?' in request.url else '?'}{query}" if query else request.url
    body = None if request.content is None else shown_body(request.content, len(request.content), {})
    return ShownRequest(request.method, url, dict(request.headers), body)


def shown_body(body: bytes, size: int, headers: Mapping[str, str], encoding: str | None = None) -> ShownBody:
    """A body, or the beginning of one of `size` bytes, as text.

    Args:
        body: The bytes.
        size: How many there are in all.
        headers: Of the message, by lower-case name.
        encoding: Content encoding that the bytes still have.
    """
    try:
        plain = plain_body(body, encoding)
    except BodyEncodingError as error:
        return ShownBody(f"({size:,} bytes that cannot be unpacked: {error})", size, cut=True)
    text = decode_text(plain, headers.get("content-type", ""))
    if "\0" in text or text.count("\ufffd") > max(len(text) // 10, 3):
        return ShownBody(f"({size:,} bytes that are no text)", size, cut=True)
    text = _pretty(plain, text) if len(body) >= size else text
    return ShownBody(text[:MOST_SHOWN], size, cut=len(text) > MOST_SHOWN or len(body) < size)


def _pretty(plain: bytes, text: str) -> str:
    """JSON with line ends and indents; anything else as it is."""
    try:
        return json.dumps(parse_json(plain), indent=2, ensure_ascii=False)
    except (ValueError, TypeError):
        return text
