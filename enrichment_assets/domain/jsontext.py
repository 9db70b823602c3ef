r"""JSON bytes to values that survive the way to Postgres and back, exactly; and such values to JSON bytes.

What a plain parser gets wrong for us: integers beyond 64 bits become floats (they stay exact here, as text), NUL
characters cannot be kept by jsonb (they become U+FFFD; the raw bytes are in the ledger).

What a billed answer may have wrong without being lost: half a character (JavaScript's `JSON.stringify` writes a cut
emoji as `\ud83d` alone) is read as U+FFFD, Python's NaN and Infinity as null, and UTF-16, UTF-32, byte order marks and
NUL bytes at the end are seen through. Whoever reads is told. Of two members with one name the last counts, as in jsonb.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import orjson

_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_TWENTY_DIGITS = b"0" * 20
_MINUS_NINETEEN_DIGITS = b"-" + b"0" * 19
MAX_DEPTH = 250
"""Levels of lists and objects that orjson writes, less a few for what a payload is put into."""

_BOM = b"\xef\xbb\xbf"
_MARKS = (b"\xff\xfe", b"\xfe\xff")
_AROUND = b" \t\r\n\0"
_SURROGATE = re.compile("[\ud800-\udfff]")
_MIN_INTEGER = -(2**63)
_MAX_INTEGER = 2**64 - 1


HALF_CHARACTER = "half a character was read as U+FFFD"
NOT_A_NUMBER = "NaN or Infinity was read as null"
"""What a reader is told, for people."""


def parse_json(body: bytes, notes: list[str] | None = None, charset: str | None = None) -> Any:
    """Parse one JSON document, in UTF-8 unless it shows to be UTF-16 or UTF-32.

    Args:
        body: The bytes.
        notes: Gets a sentence for each thing that was mended.
        charset: What the sender says that the encoding is (`domain.charsets`); counts where it is not UTF-8.

    Raises:
        ValueError: Not JSON, not text, too deep, or with something behind it. The message quotes no data.
    """
    body = _as_utf8(body)
    if not body:
        raise ValueError("it is empty")
    try:
        value = orjson.loads(body)
        if _may_exceed_64_bits(body):
            value = json.loads(body, parse_int=_exact_integer)
    except ValueError:
        value = _mended(body, [] if notes is None else notes, charset)
    except RecursionError as error:
        raise ValueError(_reason(error)) from None
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH:
        _refuse_depth(value)
    if b"\\u0000" in body:
        value = _texts_by(lambda text: text.replace("\0", "\ufffd"), value)
    return value


def _as_utf8(body: bytes) -> bytes:
    """Without a byte order mark, and without white space and NUL bytes around; other Unicode forms (RFC 8259 8.1)."""
    if body[:2] in _MARKS or b"\0" in body[:4]:
        try:
            body = body.decode(json.detect_encoding(body)).encode()
        except ValueError:
            return body
    return body.removeprefix(_BOM).strip(_AROUND)


def _mended(body: bytes, notes: list[str], charset: str | None) -> Any:
    """What orjson refuses, read by the standard library's parser, which is told about NaN and half characters."""
    told: set[str] = set()

    def not_a_number(name: str) -> float | None:
        told.add(NOT_A_NUMBER)
        return None

    def whole(text: str) -> str:
        if not _SURROGATE.search(text):
            return text
        joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        if "\ufffd" in joined and joined.count("\ufffd") > text.count("\ufffd"):
            told.add(HALF_CHARACTER)
        return joined

    def finite(digits: str) -> float | None:
        number = float(digits)
        return number if math.isfinite(number) else not_a_number(digits)

    try:
        value = json.loads(
            _text(body, charset), parse_int=_exact_integer, parse_float=finite, parse_constant=not_a_number
        )
        if value is None:
            raise ValueError("it is no value at all")
        value = _texts_by(whole, value)
    except (ValueError, RecursionError) as error:
        raise ValueError(_reason(error)) from None
    notes.extend(sorted(told))
    return value


def _text(body: bytes, charset: str | None) -> str:
    """Surrogates that were encoded one by one (CESU-8) pass; any other slip needs the sender's word for its charset."""
    try:
        return body.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        if charset is None or charset.startswith("utf"):
            raise ValueError(f"not UTF-8 at byte {error.start}, and no other encoding is named") from None
    return body.decode(charset)


def json_bytes(value: Any) -> bytes:
    """Any value as one JSON document: what JSON has no type for as text, integers beyond 64 bits (a sum) as text too.

    Raises:
        TypeError: It is nested deeper than `MAX_DEPTH`, or a string in it is no Unicode text.
    """
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:
        return orjson.dumps(_within_64_bits(value), default=str, option=orjson.OPT_NON_STR_KEYS)


def _within_64_bits(value: Any) -> Any:
    if isinstance(value, int):
        return value if _MIN_INTEGER <= value <= _MAX_INTEGER else str(value)
    if isinstance(value, list | tuple):
        return [_within_64_bits(member) for member in value]
    if isinstance(value, dict):
        return {_within_64_bits(key): _within_64_bits(member) for key, member in value.items()}
    return value


def _refuse_depth(value: Any) -> None:
    """Raise `ValueError` for what could be read but not be written again."""
    try:
        orjson.dumps([[value]])
    except TypeError:
        raise ValueError("it is nested too deeply") from None


def _may_exceed_64_bits(body: bytes) -> bool:
    """Whether orjson could have made a float of an integer; six times faster than a regular expression."""
    zeros = body.translate(_DIGITS_TO_ZERO)
    return _TWENTY_DIGITS in zeros or (b"-9" in body and _MINUS_NINETEEN_DIGITS in zeros)


def _exact_integer(digits: str) -> int | str:
    if len(digits) > 21:
        return digits
    number = int(digits)
    return number if _MIN_INTEGER <= number <= _MAX_INTEGER else digits


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _texts_by(change: Callable[[str], str], value: Any) -> Any:
    """The value with every text in it changed, names of members too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_texts_by(change, member) for member in value]
    if isinstance(value, dict):
        return {_texts_by(change, key): _texts_by(change, member) for key, member in value.items()}
    return value
