"""A receiver process over this test's own database."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.settings import Settings


@pytest.fixture
def receiver(settings: Settings) -> Iterator[ReceiverProcess]:
    with ReceiverProcess(settings) as process:
        yield process


@pytest.fixture
def http(receiver: ReceiverProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=receiver.url, timeout=30) as client:
        yield client
