"""`python -m tests.systems.demo_child`: a process that forks one demo of a system after another, to be killed."""

from __future__ import annotations

import os
from typing import Any

import enrichment_assets.assets.enrichment
import enrichment_assets.assets.extraction
import enrichment_assets.sensors
import enrichment_assets.warehouse  # noqa: F401 - children need it
from enrichment_assets.cli.demo_systems import show_system
from tests.chaos.faults import arm
from tests.harness.fork_server import serve


def show(order: dict[str, Any]) -> int:
    """Show the order's system in the home that its environment says; its fault ends the process on the way."""
    os.environ.update(order["environment"])
    if order.get("fault"):
        arm(order["fault"])
    show_system(order["system"], given={})
    return 0


if __name__ == "__main__":
    serve(show)
