"""Values that are computed, not parsed, have to become JSON too: a mapping may add what no 64 bits hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment_assets.domain.jsontext import json_bytes, parse_json

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2**64 - 1, "18446744073709551615"),
        (2**64, '"18446744073709551616"'),
        ([{"sum": -(2**63) - 1, "n": True}], '[{"sum":"-9223372036854775809","n":true}]'),
        ({2**70: (1, 2**70)}, '{"1180591620717411303424":[1,"1180591620717411303424"]}'),
    ],
)
def test_integers_beyond_64_bits_are_kept_exactly_as_text(value: Any, text: str) -> None:
    assert json_bytes(value).decode() == text


@given(_values)
def test_what_was_written_reads_as_what_it_was(value: Any) -> None:
    written = json_bytes(value)
    assert json.loads(written) == _texts(value)
    assert json_bytes(parse_json(written)) == json_bytes(parse_json(json_bytes(parse_json(written))))


def test_what_is_nested_too_deeply_is_refused() -> None:
    value: Any = []
    for _ in range(300):
        value = [value]
    with pytest.raises(TypeError):
        json_bytes(value)


def _texts(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | list | dict):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**64 else str(value)
    if isinstance(value, list):
        return [_texts(member) for member in value]
    return {key: _texts(member) for key, member in value.items()}


HALF, NO_NUMBER = "half a character was read as U+FFFD", "NaN or Infinity was read as null"


@pytest.mark.parametrize(
    ("body", "value", "notes"),
    [
        # ECMA-262 JSON.stringify before 2019, and PHP, Java: cut text is written as half a pair
        (b'{"bio":"hi \\ud83d"}', {"bio": "hi \ufffd"}, [HALF]),
        (b'{"\\udc00":["\\ud83d", 1]}', {"\ufffd": ["\ufffd", 1]}, [HALF]),
        (b'{"bio":"\\ud83d\\ude00"}', {"bio": "\U0001f600"}, []),
        (b'{"bio":"\xed\xa0\xbd\xed\xb8\x80"}', {"bio": "\U0001f600"}, []),  # CESU-8 (Unicode TR 26): a whole pair
        (b'{"bio":"\xed\xa0\xbd"}', {"bio": "\ufffd"}, [HALF]),
        (b'{"bio":"\xef\xbf\xbd"}', {"bio": "\ufffd"}, []),  # U+FFFD as sent is the sender's own
        # Python's json.dumps writes these by default (allow_nan)
        (b'{"score":NaN,"max":Infinity,"min":-Infinity}', {"score": None, "max": None, "min": None}, [NO_NUMBER]),
        (b'{"score":1e999}', {"score": None}, [NO_NUMBER]),
        (
            b'{"id":123456789012345678901234567890,"t":"\\ud83d"}',
            {"id": "123456789012345678901234567890", "t": "\ufffd"},
            [HALF],
        ),
        ('{"n":"Müller"}'.encode("utf-16"), {"n": "Müller"}, []),  # RFC 4627 section 3: by byte order mark or NULs
        ('{"n":"Müller"}'.encode("utf-16-be"), {"n": "Müller"}, []),
        ('{"n":"Müller"}'.encode("utf-32-le"), {"n": "Müller"}, []),
        (b'\xef\xbb\xbf {"n":1}\r\n\0\0', {"n": 1}, []),
        (b'{"n":1,"n":2}', {"n": 2}, []),  # as PostgreSQL's jsonb: the last one counts
    ],
)
def test_what_a_billed_answer_has_wrong_is_mended_and_said(body: bytes, value: Any, notes: list[str]) -> None:
    said: list[str] = []
    assert parse_json(body, said) == value
    assert said == notes
    assert parse_json(json_bytes(value)) == value


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1}{"b":2}',
        b'{"a":1};',
        b"callback({})",
        b'<br />{"a":1}',
        b"NaN",
        b'{"a":01}',
        b"{'a':1}",
        b'{"a":"x',
        b"\0\0",
    ],
)
def test_what_can_be_read_in_two_ways_or_in_none_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        parse_json(body)


def test_letters_of_another_encoding_need_the_senders_word_for_it() -> None:
    body = '{"n":"Müller"}'.encode("cp1252")
    assert parse_json(body, charset="cp1252") == {"n": "Müller"}
    with pytest.raises(ValueError, match="not UTF-8"):
        parse_json(body)
