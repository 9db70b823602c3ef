"""The engine's world: one sandbox process a session, batches made directly."""

from __future__ import annotations

from tests.engine.conftest import sandbox, sandbox_process, world

__all__ = ["sandbox", "sandbox_process", "world"]
