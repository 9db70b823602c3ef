"""The engine's fixtures."""

from __future__ import annotations

from tests.engine.conftest import sandbox, sandbox_process, world

__all__ = ["sandbox", "sandbox_process", "world"]
