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
