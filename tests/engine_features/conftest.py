"""The engine's world: one sandbox process a session, batches made directly."""

from __future__ import annotations

from tests.engine.conftest import world

__all__ = ["world"]
