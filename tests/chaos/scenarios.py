"""How a batch comes to a point, and what is done to it there."""

from __future__ import annotations

import os
import signal
import time

from tests.chaos.crash_harness import SHORT_LEASE, CrashHarness, email_of, receiving
from tests.chaos.points import ORDER_PLACED, SENT, Point
from tests.chaos.random_decisions import DecidedBatch
from tests.engine_features.test_families import FAMILIES, STAFF
from tests.engine_features.test_fanout import later, search
from tests.harness.batches import bulk_async_step, bulk_step, step
from tests.harness.fork_server import KILLED
from tests.harness.models import prompt_step

TRIES = 4


def kill_at(harness: CrashHarness, batch: str, point: Point, rows: int, hit: int = 1) -> bool:
    """Kill runs of a batch at a point; False when none of them came there."""
    if point.crashed:
        harness.first.run(harness.order(batch, harness.fault(SENT, hit=3)))
        harness.let_leases_pass()
    if point.callbacks or point.overdue:
        harness.sandbox.configure(hold_callbacks=True)
        harness.first.run(harness.order(batch))
        harness.sandbox.configure(hold_callbacks=False)
    if point.callbacks:
        harness.sandbox.flush_callbacks()
        harness.wait_for_callbacks(batch, rows)
    if point.overdue:
        with harness.launcher() as launcher:
            harness.launched(launcher, batch).overdue()
    order = harness.order(batch, harness.fault(point, hit=hit), taking=point.taking)
    came = any(harness.first.run(order) == KILLED for _ in range(TRIES))
    harness.let_leases_pass()
    if point.overdue:
        harness.sandbox.flush_callbacks()
    return came


def launch_reusing(harness: CrashHarness, client: str, rows: int) -> str:
    """A batch that has each question twice, and an earlier one of its client that has been answered all of them."""
    people = [{"first_name": f"{client} {n}", "n": str(n)} for n in range(rows)] * 2
    with harness.launcher() as launcher:
        paid, reusing = (
            launcher.launch(people, step("kept", reuse_for="1d"), client=client, key=f"{client}-{which}").key
            for which in ("paid", "reusing")
        )
    harness.finish(paid)
    return reusing


def launch_families(harness: CrashHarness, client: str, rows: int) -> str:
    """A batch whose rows have two children each, and two tables that are written for each row together."""
    clubs = [{"company_name": f"{client} {n}", "one": f"Ann {n}", "two": f"Bob {n}"} for n in range(rows)]
    with harness.launcher() as launcher:
        return launcher.launch(clubs, search(STAFF), later(), families=FAMILIES, client=client, key=client).key


def launch_bulk(harness: CrashHarness, client: str, rows: int, *, later: bool = False) -> str:
    """A batch whose rows share one request, with a budget; `later`: one callback answers it."""
    people = [{"first_name": f"{client} {n}"} for n in range(rows)]
    with harness.launcher() as launcher:
        batch = launcher.launch(
            people, (bulk_async_step if later else bulk_step)("together"), client=client, key=client
        )
        batch.set_budget("1000")
    return batch.key


def launch_order(harness: CrashHarness, client: str, rows: int) -> str:
    """A batch whose rows are one order to a vendor's batch API, with a budget."""
    people = [{"company_name": f"{client} {n}", "page": f"Pumps {n}, mail@pumps{n}.example"} for n in range(rows)]
    asked = {"batch": True, "model": "gpt-test", "every": 1}
    with harness.launcher() as launcher:
        order = prompt_step("together", prompt=asked, mode="async", price={"estimate": "0.01"})
        batch = launcher.launch(people, order, client=client, key=client)
        batch.set_budget("1000")
    return batch.key


def kill_order_at(harness: CrashHarness, batch: str, point: Point) -> bool:
    """Kill runs of a batch of `launch_order` at a point; False when none of them came there."""
    if point.crashed:
        harness.first.run(harness.order(batch, harness.fault(ORDER_PLACED)))
        harness.let_leases_pass()
    if point.overdue:
        harness.first.run(harness.order(batch))
        with harness.launcher() as launcher:
            harness.launched(launcher, batch).overdue()
    came = any(harness.first.run(harness.order(batch, harness.fault(point))) == KILLED for _ in range(TRIES))
    harness.let_leases_pass()
    return came


def decide_at(harness: CrashHarness, decided: DecidedBatch, point: Point) -> bool:
    """Kill who decides at a point, beside a run; then decide it again, as a person would; False: never came there."""
    batch, arguments = decided.key, {}
    if point.decision == "suppress":
        decided.said_no[decided.rows] = arguments["email"] = email_of(batch, decided.rows - 1)
    for before, needed in (("resume", "pause"), ("retry", "cancel")):
        if point.decision == before:
            harness.decide(batch, needed)
    harness.first.start(harness.order(batch))
    told = {"decide": {"what": point.decision, "arguments": arguments}}
    came = harness.second.run(harness.order(batch, harness.fault(point), **told)) == KILLED
    harness.decide(batch, point.decision, **arguments)
    harness.first.wait()
    return came


def heed_at(harness: CrashHarness, decided: DecidedBatch, point: Point) -> bool:
    """Kill a run at a point where it meets what was decided before; False: it never came there."""
    batch, arguments = decided.key, {}
    if point.decision == "suppress":
        decided.said_no[decided.rows] = arguments["email"] = email_of(batch, decided.rows - 1)
    harness.first.run(harness.order(batch, harness.fault(SENT, hit=2)))
    harness.let_leases_pass()
    harness.decide(batch, point.decision, **arguments)
    came = harness.first.run(harness.order(batch, harness.fault(point, hit=point.hit))) == KILLED
    harness.let_leases_pass()
    return came


def stop_at(harness: CrashHarness, batch: str, point: Point) -> bool:
    """Stop a run until its lease is over and another has been at its items; True when it came there and woke up."""
    process = _held(harness, batch, point)
    if process is None:
        return False
    harness.second.run(harness.order(batch))
    os.kill(process, signal.SIGCONT)
    harness.first.wait()
    return True


def hold_at(harness: CrashHarness, batch: str, point: Point) -> tuple[int, int]:
    """Stop a run until others have finished its batch: its exit code, and the provider's calls after it woke up."""
    process = _held(harness, batch, point)
    assert process is not None, f"never came there: {point}"
    harness.finish(batch, server=harness.second)
    before = harness.sandbox.billing(subjects=False)["calls"]
    os.kill(process, signal.SIGCONT)
    code = harness.first.wait()
    return code, harness.sandbox.billing(subjects=False)["calls"] - before


def _held(harness: CrashHarness, batch: str, point: Point) -> int | None:
    """The number of a process that is stopped at a point and has lost its lease; None: none came there.

    On a slow machine a run may lose a short lease before it comes there: the next one is given a longer one.
    """
    number = harness.folder / f"{batch}.pid"
    fault = {**harness.fault(point, "hold"), "number": str(number)}
    for tries in range(TRIES):
        harness.first.start(harness.order(batch, fault, lease=SHORT_LEASE * 2**tries))
        while not harness.first.has_ended():
            if number.exists() and number.read_text().endswith("\n"):
                harness.wait_for_leases(batch)
                return int(number.read_text())
            time.sleep(0.02)
        harness.first.wait()
        harness.let_leases_pass()
    return None


def restart_at(harness: CrashHarness, batch: str, point: Point) -> bool:
    """Stop the database at once under a run, and start it again; True when the run noticed."""
    before = harness.postgres.server_pid()
    code = harness.first.run(harness.order(batch, harness.fault(point, "restart")))
    harness.restart_database()
    harness.let_leases_pass()
    return code == 1 and harness.postgres.server_pid() != before


def kill_receiver_at(
    harness: CrashHarness, batch: str, point: Point, *, ready_first: bool = False
) -> tuple[bool, int, int]:
    """Kill the receiver while it takes callbacks: whether it was, how many it acknowledged, how many are kept.

    `ready_first`: no callback is sent before it could keep one, as a single one may be given up on a slow machine. Not
    for a point that asking for readiness passes.
    """
    query = "select count(*) as n from callback_inbox i join batches b on b.id = i.batch_id where b.batch_key = %s"
    harness.wait_until_all_have_called_back()  # those of an earlier batch are none of this one's
    before = harness.sandbox.callbacks()
    with receiving(harness, harness.fault(point)) as receiver:
        harness.sandbox.configure(hold_callbacks=ready_first)
        harness.run_until_a_callback_is_planned(batch, before["planned"])
        if ready_first:
            harness.wait_for_receiver(receiver)
            harness.sandbox.configure(hold_callbacks=False)
            harness.sandbox.flush_callbacks()
        harness.wait_until_all_have_called_back()
        killed = harness.ends_killed(receiver)  # its connections break before it is over
    acknowledged = harness.sandbox.callbacks()["delivered"] - before["delivered"]
    return killed, acknowledged, harness.rows(query, batch)[0]["n"]
