"""`python -m tests.people.erasing_child`: a process that forks one erasure after another, to be killed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from enrichment_assets.services.people import erasing
from enrichment_assets.services.people.identifying import whom_of
from enrichment_assets.services.people.inventory import scope_of
from enrichment_assets.settings import Settings
from tests.actors import TESTER
from tests.chaos.faults import arm
from tests.harness.fork_server import serve
from tests.harness.handles import hq_of


def erase(order: dict[str, Any]) -> int:
    """Ask for an erasure where none is open, and carry out what is."""
    if order.get("fault"):
        arm(order["fault"])
    settings = Settings(
        home=Path(order["home"]),
        hq_database_url=order["hq"],
        workspace_database_url=order["workspace"],
        dagster_database_url=order["dagster"],
    )
    scope = scope_of(hq_of(settings), settings, order["dagster"], None)
    if not erasing.unfinished(scope) and not erasing.certificates(scope):
        erasing.ask(scope, whom_of(order["email"], None, None, None), "Zélda Quixby has asked", actor=TESTER)
    for erasure_id in erasing.unfinished(scope):
        erasing.carry_out(scope, erasure_id)
    return 0


if __name__ == "__main__":
    serve(erase)
