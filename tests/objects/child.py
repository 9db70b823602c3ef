"""`python -m tests.objects.child`: a process that forks one machine after another, each to be killed while it works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from enrichment_assets.settings import Settings
from enrichment_assets.warehouse.copies import brought, published_as_one
from enrichment_assets.warehouse.files import Layout, put_in_place
from enrichment_assets.warehouse.generations import Scope
from enrichment_assets.warehouse.locking import locked_batch
from tests.chaos.faults import arm
from tests.harness.fork_server import serve

FILES = ("final_leads", "person_work_history")
SCOPE = Scope("acme-1", "acme")


def act(order: dict[str, Any]) -> int:
    """Publish both files of a batch with this text, or fetch them (`text` is None)."""
    if order["fault"]:
        arm(order["fault"])
    settings = Settings(home=Path(order["home"]), warehouse=order["warehouse"])
    if order["text"] is None:
        brought(settings)
        return 0
    layout = Layout.of(settings)

    def work() -> None:
        for name in FILES:
            with put_in_place(layout.model(name, SCOPE.client_slug, SCOPE.batch_key)) as unfinished:
                unfinished.write_text(order["text"])

    with locked_batch(layout, SCOPE.batch_key):
        published_as_one(layout, SCOPE, work)
    return 0


if __name__ == "__main__":
    serve(act)
