"""The engine's and the platform's fixtures."""

from __future__ import annotations

from tests.engine.conftest import sandbox, sandbox_process, world
from tests.platform.conftest import open_folder

__all__ = ["open_folder", "sandbox", "sandbox_process", "world"]
