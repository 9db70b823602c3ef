"""One sandbox process for all clients of a file; each test begins with an empty bill and without faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from enrichment_assets.sandbox import SandboxProcess, SandboxSettings


@pytest.fixture(scope="module")
def process() -> Iterator[SandboxProcess]:
    with SandboxProcess(seed=7) as running:
        yield running


@pytest.fixture
def sandbox(process: SandboxProcess) -> SandboxProcess:
    process.configure(**SandboxSettings(seed=7).model_dump(mode="json", exclude={"providers", "scenarios"}))
    process.reset()
    return process


def units(sandbox: SandboxProcess) -> str:
    """What was billed so far, of whatever."""
    return str(sandbox.billing()["units"])
