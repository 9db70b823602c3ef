"""`python -m tests.chaos.engine_child`: a process that forks one engine run after another, to be killed."""

from __future__ import annotations

import faulthandler
import signal
from pathlib import Path
from typing import Any

from enrichment_assets.engine.run.advance import EngineOptions
from enrichment_assets.providers import build_providers
from enrichment_assets.services.batches.advancing import advance_batch, load_batch
from enrichment_assets.services.batches.families import write_families
from enrichment_assets.services.batches.storing import store_results
from enrichment_assets.services.batches.taking import take_in_callbacks
from enrichment_assets.services.deliveries.delivering import deliver, run_deliveries
from enrichment_assets.settings import Settings
from enrichment_assets.store.links import BoundedConnection
from tests.actors import TESTER
from tests.chaos.decisions import decide
from tests.chaos.faults import arm
from tests.harness.fork_server import serve
from tests.harness.handles import hq_of

TAKING_SECONDS = 60.0
CUT_OFF = (-signal.SIGALRM, -signal.SIGPROF)
TIMERS = {"seconds": signal.ITIMER_REAL, "of work": signal.ITIMER_PROF}
"""By the clock, or by the processor's time that the run has used, which does not depend on how busy the machine is."""


def run_engine(order: dict[str, Any]) -> int:
    """Advance a batch and store its results, as the asset does, or take in its callbacks, as the daemon does.

    Or make a decision about it. 0: finished, 2: something is still open.
    """
    if order.get("fault"):
        arm(order["fault"])
    if order.get("patience"):
        BoundedConnection.patience = order["patience"]
    if order.get("cut_after"):
        after, timer = order["cut_after"]
        signal.setitimer(TIMERS[timer], after)  # the signal's default ends the process on the spot
    settings = Settings(
        home=Path(order["home"]),
        hq_database_url=order["hq"],
        workspace_database_url=order["workspace"],
        dagster_database_url=order["hq"],
        sandbox_url=order["sandbox"],
        receiver_url=order["receiver"],
    )
    if order.get("decide"):
        decide(hq_of(settings), settings, order["batch"], **order["decide"])
        return 0
    if order.get("deliver"):
        hq, providers = hq_of(settings), build_providers(order["sandbox"])
        if order.get("plan"):
            deliver(hq, settings, order["batch"], order["deliver"], actor=TESTER, providers=providers)
        else:
            run_deliveries(hq, settings, order["batch"], order["deliver"], providers=providers)
        return 0
    options = EngineOptions(
        order["receiver"], order["sandbox"], lease_seconds=order["lease"], linger_seconds=0.3, progress_seconds=60.0
    )
    if order.get("taking"):
        taken = take_in_callbacks(
            hq_of(settings), settings, order["batch"], build_providers(order["sandbox"]), TAKING_SECONDS
        )
        return 0 if taken.settled.finished else 2
    report = advance_batch(
        hq_of(settings), settings, order["batch"], build_providers(order["sandbox"]), options=options
    )
    store_results(hq_of(settings), order["batch"])
    write_families(hq_of(settings), load_batch(hq_of(settings), order["batch"]))
    return 0 if report.finished else 2


if __name__ == "__main__":
    faulthandler.register(signal.SIGUSR1)  # a run that hangs says where
    serve(run_engine)
