"""A bucket of its own for each test, on one server of the session, and installations that share nothing but it."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from enrichment_assets.objects.bucket import Bucket
from enrichment_assets.settings import Settings

_numbers = itertools.count(1)

Machine = Callable[[str], Settings]


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """URL of the session's server."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def credentials(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables that say who we are, set for this test."""
    said = {
        "AWS_ACCESS_KEY_ID": "AKIATEST",
        "AWS_SECRET_ACCESS_KEY": "canary-of-the-store",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3_server,
    }
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    return said


@pytest.fixture
def bucket(credentials: dict[str, str]) -> str:
    """URL of a fresh bucket."""
    import boto3

    name = f"enrich-{next(_numbers)}"
    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}"


@pytest.fixture
def store(bucket: str) -> Bucket:
    """The folder of the warehouse in it."""
    return Bucket.at(f"{bucket}/warehouse", "ENRICH_WAREHOUSE")


@pytest.fixture
def machine(settings: Settings, bucket: str, tmp_path: Path) -> Machine:
    """`machine("a")`: an installation with a home of its own; its databases and the bucket are those of all others."""

    def named(name: str) -> Settings:
        return replace(settings, home=tmp_path / name, uploads=f"{bucket}/uploads", warehouse=f"{bucket}/warehouse")

    return named
