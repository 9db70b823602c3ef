"""Files that are dropped into a bucket: once, whole, and never over another."""

from __future__ import annotations

import pytest

from enrichment_assets.domain.provider import RenderedRequest
from enrichment_assets.objects.bucket import Bucket
from enrichment_assets.wire.file_drop import drop


def put(url: str, content: bytes) -> tuple[int, bytes]:
    answer = drop(RenderedRequest("PUT", url, content=content))
    return answer.status, answer.body


def test_a_file_is_put_into_a_bucket_once_and_never_over_another(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"{bucket}/drops/acme/New%20leads-1f.csv"
    assert [put(url, content)[0] for content in (b"first", b"first", b"second")] == [201, 200, 200]
    assert Bucket.at(f"{bucket}/drops", "FILE_DROP_FOLDER").read("acme/New leads-1f.csv")[0] == b"first"
    status, body = put("s3://no-such-bucket-here/leads.csv", b"x")
    assert (status, b"FILE_DROP_FOLDER" in body and b"no such bucket" in body) == (403, True)
