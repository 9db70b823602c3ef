"""The engine's and the platform's fixtures."""

from __future__ import annotations

from tests.engine.conftest import world
from tests.platform.conftest import open_folder

__all__ = ["open_folder", "world"]
