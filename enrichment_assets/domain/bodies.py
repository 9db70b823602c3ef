"""The plain bytes of a stored callback body: content encodings undone, within a bound.

What belongs here: pure decoding. The inbox keeps what came over the wire; whoever reads it decodes it here first.
"""

from __future__ import annotations

import zlib

MAX_PLAIN_BYTES = 10_000_000
"""Bound of what an answer or a callback may unpack to, through all its encodings: 264 bytes can become gigabytes."""

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS
_MAX_MEMBERS = 16
"""A gzip body may be several joined; a body of a million empty ones is an attack on our time."""


class BodyEncodingError(ValueError):
    """The body is not what its Content-Encoding says, or unpacks to too much, or the encoding is not known here."""


def plain_body(body: bytes, content_encoding: str | None, limit: int = MAX_PLAIN_BYTES) -> bytes:
    """Undo `gzip`, `deflate` and `identity` (also several, outermost last, at most four) as RFC 9110 8.4 lists them.

    Raises `BodyEncodingError` with a sentence for people; the message quotes nothing of the body.
    """
    codings = [c for c in ((content_encoding or "").lower().replace(" ", "").split(",")) if c]
    if len(codings) > 4:
        raise BodyEncodingError("the body has more than four content encodings")
    for coding in reversed(codings):
        body = _undo(body, coding, limit)
    return body


def _undo(body: bytes, coding: str, limit: int) -> bytes:
    if coding == "identity":
        return body
    if coding in ("gzip", "x-gzip"):
        return _inflate(body, _GZIP_OR_ZLIB, coding, limit)
    if coding == "deflate":
        try:
            return _inflate(body, _GZIP_OR_ZLIB, coding, limit)
        except BodyEncodingError:  # some senders leave the zlib header out
            return _inflate(body, _RAW_DEFLATE, coding, limit)
    raise BodyEncodingError(f"content encoding {coding[:40]!r} is not supported (gzip, deflate and identity are)")


def _inflate(body: bytes, window: int, coding: str, limit: int) -> bytes:
    plain = b""
    for _ in range(_MAX_MEMBERS):
        if not body:
            return plain
        machine = zlib.decompressobj(window)
        try:
            plain += machine.decompress(body, limit - len(plain) + 1)
        except zlib.error:
            raise BodyEncodingError(f"the body is not valid {coding}") from None
        if len(plain) > limit:
            raise BodyEncodingError(f"the body unpacks to more than {limit} bytes")
        if not machine.eof:
            raise BodyEncodingError(f"the {coding} body is cut off")
        body = machine.unused_data
    if body:
        raise BodyEncodingError(f"the body has more than {_MAX_MEMBERS} {coding} members")
    return plain
