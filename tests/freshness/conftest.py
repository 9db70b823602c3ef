"""Fixtures of the Dagster tests."""

from tests.assets.conftest import instance, sandbox, simulated

__all__ = ["instance", "sandbox", "simulated"]
