"""Playwright's own Python, with axe, installed from the package index into an environment of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ["playwright==1.65.2", "axe-playwright-python==0.1.8"]


@pytest.fixture(scope="session")
def playwright(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Playwright's own Python; no browser is fetched: Debian's is there."""
    python = tmp_path_factory.mktemp("playwright") / "venv" / "bin" / "python"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(python.parents[1])], check=True)
    subprocess.run([*uv, "pip", "install", "--quiet", "--python", str(python), *PACKAGES], check=True)
    return python
