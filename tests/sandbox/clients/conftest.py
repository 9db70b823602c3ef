"""Vendors' own clients call the session's sandbox process, not the one inside the test."""

from __future__ import annotations

import pytest

from enrichment_assets.sandbox import SandboxProcess
from tests.harness.sandbox import as_new


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess) -> SandboxProcess:
    """A sandbox that knows nothing yet and makes no faults."""
    return as_new(sandbox_process)


def units(sandbox: SandboxProcess) -> str:
    """What was billed so far, of whatever."""
    return str(sandbox.billing()["units"])
