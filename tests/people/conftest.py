"""Batches in front of the sandbox, and the real program."""

from __future__ import annotations

from tests.recovery.conftest import enrich, harness, program

__all__ = ["enrich", "harness", "program"]
