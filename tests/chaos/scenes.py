"""How a batch comes to a point, and what is done to it there."""

from __future__ import annotations

import os
import signal
import time

from tests.chaos.nursery import KILLED
from tests.chaos.points import Point
from tests.chaos.town import SHORT_LEASE, Town, receiving
from tests.engine.world import step

TRIES = 4
SENT = Point("wire.transport:send")


def kill_at(town: Town, batch: str, point: Point, rows: int, hit: int = 1) -> bool:
    """Kill runs of a batch at a point; False when none of them came there."""
    if point.crashed:
        town.first.run(town.order(batch, town.fault(SENT, hit=3)))
        town.let_leases_pass()
    if point.callbacks or point.overdue:
        town.sandbox.configure(hold_callbacks=True)
        town.first.run(town.order(batch))
        town.sandbox.configure(hold_callbacks=False)
    if point.callbacks:
        town.sandbox.flush_callbacks()
        town.wait_for_callbacks(batch, rows)
    if point.overdue:
        with town.world() as world:
            town.launched(world, batch).overdue()
    order = town.order(batch, town.fault(point, hit=hit))
    came = any(town.first.run(order) == KILLED for _ in range(TRIES))
    town.let_leases_pass()
    if point.overdue:
        town.sandbox.flush_callbacks()
    return came


def launch_reusing(town: Town, client: str, rows: int) -> str:
    """A batch that has each question twice, and an earlier one of its client that has been answered all of them."""
    people = [{"first_name": f"{client} {n}", "n": str(n)} for n in range(rows)] * 2
    with town.world() as world:
        paid, reusing = (
            world.launch(people, step("kept", reuse_for="1d"), client=client, key=f"{client}-{which}").key
            for which in ("paid", "reusing")
        )
    town.finish(paid)
    return reusing


def stop_at(town: Town, batch: str, point: Point) -> bool:
    """Stop a run until its lease is over and another has been at its items; True when it came there and woke up."""
    process = _held(town, batch, point)
    if process is None:
        return False
    town.second.run(town.order(batch))
    os.kill(process, signal.SIGCONT)
    town.first.wait()
    return True


def hold_at(town: Town, batch: str, point: Point) -> tuple[int, int]:
    """Stop a run until others have finished its batch: its exit code, and the provider's calls after it woke up."""
    process = _held(town, batch, point)
    assert process is not None, f"never came there: {point}"
    town.finish(batch, nursery=town.second)
    before = town.sandbox.billing(subjects=False)["calls"]
    os.kill(process, signal.SIGCONT)
    code = town.first.wait()
    return code, town.sandbox.billing(subjects=False)["calls"] - before


def _held(town: Town, batch: str, point: Point) -> int | None:
    """The number of a process that is stopped at a point and has lost its lease; None: none came there.

    On a slow machine a run may lose a short lease before it comes there: the next one is given a longer one.
    """
    number = town.folder / f"{batch}.pid"
    fault = {**town.fault(point, "hold"), "number": str(number)}
    for tries in range(TRIES):
        town.first.start(town.order(batch, fault, lease=SHORT_LEASE * 2**tries))
        while not town.first.has_ended():
            if number.exists() and number.read_text().endswith("\n"):
                town.wait_for_leases(batch)
                return int(number.read_text())
            time.sleep(0.02)
        town.first.wait()
        town.let_leases_pass()
    return None


def restart_at(town: Town, batch: str, point: Point) -> bool:
    """Stop the database at once under a run, and start it again; True when the run noticed."""
    before = town.postgres.server_pid()
    code = town.first.run(town.order(batch, town.fault(point, "restart")))
    town.restart_database()
    town.let_leases_pass()
    return code == 1 and town.postgres.server_pid() != before


def kill_receiver_at(town: Town, batch: str, point: Point) -> tuple[bool, int, int]:
    """Kill the receiver while it takes callbacks: whether it was, how many it acknowledged, how many are kept."""
    query = "select count(*) as n from callback_inbox i join batches b on b.id = i.batch_id where b.batch_key = %s"
    town.wait_until_all_have_called_back()  # those of an earlier batch are none of this one's
    before = town.sandbox.callbacks()
    with receiving(town, town.fault(point)) as receiver:
        town.first.run(town.order(batch))
        town.wait_until_all_have_called_back()
        killed = receiver.process.poll() == KILLED
    acknowledged = town.sandbox.callbacks()["delivered"] - before["delivered"]
    return killed, acknowledged, town.rows(query, batch)[0]["n"]
