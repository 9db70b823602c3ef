"""What came over the wire is what is kept: any bytes, any type, any encoding."""

from __future__ import annotations

import gzip
from typing import Any

import httpx
import psycopg
from call_fixture import inbox, insert_calls
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Hq = psycopg.Connection[dict[str, Any]]

HEADER_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=60)


def test_any_bytes_under_any_content_type_are_kept_exactly(http: httpx.Client, hq: Hq) -> None:
    inserted = insert_calls(hq)

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(body=st.binary(max_size=3000), content_type=HEADER_TEXT.map(str.strip))
    def kept(body: bytes, content_type: str) -> None:
        hq.execute("delete from callback_inbox")
        hq.commit()
        headers = {"content-type": content_type.encode("latin-1")}
        answer = http.post(f"/callbacks/{inserted.tokens[0]}", content=body, headers=headers)
        assert answer.status_code == 202
        (row,) = inbox(hq)
        assert row["body"] == body
        expected = "".join(c if c.isprintable() else " " for c in content_type)
        assert row["content_type"] == expected

    kept()


def test_compressed_and_chunked_bodies_are_kept_as_they_came(http: httpx.Client, hq: Hq) -> None:
    inserted = insert_calls(hq)
    packed = gzip.compress(b'{"a": 1}' * 1000)
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    pieces = (packed[n : n + 7] for n in range(0, len(packed), 7))
    assert http.post(f"/callbacks/{inserted.tokens[0]}", content=pieces, headers=headers).status_code == 202
    (row,) = inbox(hq)
    assert row["body"] == packed
    assert row["headers"]["content-encoding"] == "gzip"


def test_an_empty_body_without_a_content_type_is_a_callback_too(http: httpx.Client, hq: Hq) -> None:
    inserted = insert_calls(hq)
    assert http.post(f"/callbacks/{inserted.tokens[0]}").status_code == 202
    (row,) = inbox(hq)
    assert (row["body"], row["content_type"]) == (b"", None)
