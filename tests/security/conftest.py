"""The platform's folder that every user may pass through."""

from __future__ import annotations

from tests.platform.conftest import open_folder

__all__ = ["open_folder"]
