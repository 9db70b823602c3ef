"""`python -m tests.services.mail.sending_child`: a process that forks one sender after another, to be killed."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from enrichment_assets.providers import build_providers
from enrichment_assets.services.deliveries.delivering import run_deliveries
from enrichment_assets.settings import Settings
from tests.chaos import faults
from tests.harness.fork_server import serve
from tests.harness.handles import hq_of


def send(order: dict[str, Any]) -> int:
    """Send what is due of a batch.

    The process ends on the spot after so many seconds (`cut_after`), or where a fault strikes (`fault`).
    """
    if order["fault"]:
        faults.arm(order["fault"])
    if order["cut_after"]:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, order["cut_after"])
    settings = Settings(
        home=Path(order["home"]),
        hq_database_url=order["hq"],
        workspace_database_url=order["workspace"],
        dagster_database_url=order["hq"],
        sandbox_url=order["sandbox"],
        receiver_url=order["receiver"],
    )
    run_deliveries(
        hq_of(settings), settings, order["batch"], order["slugs"], providers=build_providers(order["sandbox"])
    )
    return 0


if __name__ == "__main__":
    serve(send)
