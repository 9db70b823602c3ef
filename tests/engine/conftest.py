"""A world to launch batches in: one sandbox process a session, forgotten before each test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from enrichment_assets.sandbox.process import SandboxProcess
from enrichment_assets.sandbox.settings import SandboxSettings
from enrichment_assets.settings import Settings
from tests.engine.world import World


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[SandboxProcess]:
    """The session's sandbox."""
    with SandboxProcess(seed=7) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess) -> SandboxProcess:
    """A sandbox that knows nothing yet and makes no faults."""
    sandbox_process.configure(**SandboxSettings(seed=7).model_dump(mode="json"))
    sandbox_process.reset()
    return sandbox_process


@pytest.fixture
def world(settings: Settings, hq: psycopg.Connection[dict[str, Any]], sandbox: SandboxProcess, tmp_path: Path) -> World:
    """Clients, uploads and batches in this test's database."""
    return World(replace(settings, sandbox_url=sandbox.url), hq, sandbox, tmp_path)
