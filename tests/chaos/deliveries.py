"""Leads that go to a simulated CRM while runs are killed: each is there once at the end, and none is missing."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from enrichment_assets.engine.run.advance import Interrupted
from enrichment_assets.providers import build_providers
from enrichment_assets.services.catalog.configuration import add_workflow
from enrichment_assets.services.deliveries.delivering import deliver, run_deliveries
from tests.actors import TESTER
from tests.chaos.crash_harness import CrashHarness
from tests.chaos.points import SENT, Point
from tests.chaos.scenarios import TRIES
from tests.delivery.crm import FIND, contacts, destination
from tests.delivery.test_delivering import LOCAL, people
from tests.harness.fork_server import KILLED
from tests.harness.handles import hq_of


def launch_delivered(harness: CrashHarness, rows: int, slugs: Sequence[str], planned: Sequence[str]) -> str:
    """A finished batch whose leads can go to these destinations; to the `planned` they are planned, and did not go."""
    hq, settings = hq_of(harness.settings), harness.settings
    for slug in slugs:
        workflow = destination(slug, {"target": slug, "find": {**FIND, "settles": 0}})
        add_workflow(hq, settings, workflow, actor=TESTER)
    with harness.launcher() as launcher:
        batch = launcher.launch(people(*(f"P{n}" for n in range(rows))), LOCAL, client="delivering", key="delivering")
    harness.finish(batch.key)
    stopped = threading.Event()
    stopped.set()
    with suppress(Interrupted):
        providers = build_providers(harness.sandbox.url)
        deliver(hq, settings, batch.key, planned, actor=TESTER, providers=providers, stop=stopped)
    return batch.key


def kill_delivery_at(harness: CrashHarness, batch: str, slug: str, point: Point, *, plans: bool) -> bool:
    """Kill runs that deliver a batch at a point; False when none of them came there."""
    told = {"deliver": [slug], "plan": plans}
    if point.crashed:
        harness.first.run(harness.order(batch, harness.fault(SENT, hit=2), **told))
        harness.let_leases_pass()
    came = any(harness.first.run(harness.order(batch, harness.fault(point), **told)) == KILLED for _ in range(TRIES))
    harness.let_leases_pass()
    return came


def finish_delivery(harness: CrashHarness, batch: str, slug: str, *, plans: bool) -> None:
    """Deliver until nothing is open; where the plan was killed it is made again."""
    hq, providers = hq_of(harness.settings), build_providers(harness.sandbox.url)
    if plans:
        deliver(hq, harness.settings, batch, [slug], actor=TESTER, providers=providers)
    for _ in range(TRIES):
        with harness.launcher() as launcher:
            harness.launched(launcher, batch).due()
        run_deliveries(hq, harness.settings, batch, [slug], providers=providers)


def broken_delivery(harness: CrashHarness, batch: str, slug: str, rows: int) -> list[str]:
    """Sentences about what is wrong with a destination after the crashes; none: each lead is there, once."""
    there = Counter(one["key"] for one in contacts(harness.sandbox) if one["list"] == slug)
    known = harness.rows("select key, state, external_id from deliveries where destination = %s", slug)
    states = harness.rows(
        "select s.status from workflow_states s join batches b on b.id = s.batch_id "
        "where b.batch_key = %s and s.workflow_slug = %s",
        batch,
        slug,
    )
    wrong = [f"{key} is there {times} times" for key, times in there.items() if times > 1]
    if len(there) != rows:
        wrong.append(f"{len(there)} of {rows} leads are there")
    wrong += [f"a delivery is {row['state']}" for row in known if row["state"] != "delivered"]
    if {row["key"] for row in known} != set(there):
        wrong.append("what is there and what is known to be there differ")
    return wrong + [f"a lead is {row['status']}" for row in states if row["status"] != "COMPLETED"]
