"""A world to launch batches in: one sandbox process a session, forgotten before each test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from enrichment_assets.sandbox.process import SandboxProcess
from enrichment_assets.settings import Settings
from tests.engine.world import World


@pytest.fixture
def world(settings: Settings, hq: psycopg.Connection[dict[str, Any]], sandbox: SandboxProcess, tmp_path: Path) -> World:
    """Clients, uploads and batches in this test's database."""
    return World(replace(settings, sandbox_url=sandbox.url), hq, sandbox, tmp_path)
