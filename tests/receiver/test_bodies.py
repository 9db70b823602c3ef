"""Content encodings are undone within a bound, whatever the sender tries."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrichment_assets.domain.bodies import BodyEncodingError, plain_body


def _raw_deflate(data: bytes) -> bytes:
    machine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return machine.compress(data) + machine.flush()


@given(st.binary(max_size=5000))
def test_every_supported_encoding_comes_back_to_the_same_bytes(data: bytes) -> None:
    assert plain_body(data, None) == data
    assert plain_body(data, " Identity ") == data
    assert plain_body(gzip.compress(data), "GZIP") == data
    assert plain_body(zlib.compress(data), "deflate") == data
    assert plain_body(_raw_deflate(data), "deflate") == data
    assert plain_body(gzip.compress(zlib.compress(data)), "deflate, gzip") == data
    assert plain_body(gzip.compress(data) + gzip.compress(data), "gzip") == data * 2


@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (b"not gzip", "gzip", "not valid gzip"),
        (gzip.compress(b"x" * 500)[:-9], "gzip", "cut off"),
        (gzip.compress(b"x") + b"rubbish", "gzip", "not valid gzip"),
        (gzip.compress(b"\0" * 1_000_001), "gzip", "more than 1000000 bytes"),
        (gzip.compress(b"") * 1000, "gzip", "members"),
        (b"x", "br", "not supported"),
        (b"x", "gzip," * 5, "more than four"),
    ],
)
def test_what_cannot_be_decoded_says_why(body: bytes, encoding: str, reason: str) -> None:
    with pytest.raises(BodyEncodingError, match=reason):
        plain_body(body, encoding, limit=1_000_000)


def test_exactly_the_limit_is_allowed() -> None:
    assert len(plain_body(gzip.compress(b"\0" * 1_000_000), "gzip", limit=1_000_000)) == 1_000_000


@given(st.binary(max_size=300), st.text(max_size=20))
def test_rubbish_raises_nothing_but_the_one_error(body: bytes, encoding: str) -> None:
    for named in (encoding, "gzip", "deflate"):
        try:
            plain_body(body, named)
        except BodyEncodingError as error:
            assert str(error)
