"""Operators and runs at the same time: nothing is lost, nothing is called twice."""

from __future__ import annotations

import threading
import time

from enrichment_assets.services.operations.recovery import list_ambiguous, resolve
from enrichment_assets.services.operations.replaying import replay
from enrichment_assets.services.operations.retrying import retry
from tests.actors import TESTER
from tests.harness.handles import hq_of
from tests.recovery.conftest import RegisteredBatch

MANY = "First Name,Last Name\n" + "".join(f"Name{n},Surname{n}\n" for n in range(15))
"""Fewer than the failures in a row that open a provider's breaker."""


def test_a_retry_beside_a_live_run_loses_no_item_and_calls_each_once_more(harness: RegisteredBatch) -> None:
    harness.batch(
        harness.workflow("find-email"), harness.workflow("slow", provides={"title": "person.title"}), csv=MANY
    )
    harness.sandbox.configure(errors=1, error_status=[500])
    harness.run()
    retry(hq_of(harness.settings), harness.settings, harness.key, workflow="slow", actor=TESTER)
    harness.sandbox.configure(errors=0, latency="100ms")
    harness.sandbox.reset()
    running = threading.Thread(target=harness.run)
    running.start()
    while not harness.rows("select 1 from workflow_states where workflow_slug = 'slow' and status = 'COMPLETED'"):
        time.sleep(0.02)
    report = retry(hq_of(harness.settings), harness.settings, harness.key, actor=TESTER)
    assert len(report.running) == 1
    assert report.retried == {"find-email": 15}
    running.join()
    harness.run()
    assert harness.statuses("find-email") == harness.statuses("slow") == ["found"] * 15
    assert harness.batch_row()["finished_at"] is not None
    assert harness.billed() == (30, 30)


def test_operators_who_decide_at_once_decide_each_call_once(harness: RegisteredBatch) -> None:
    harness.batch(harness.workflow("find-email"), csv=MANY)
    harness.sandbox.configure(resets=1)
    harness.run()
    harness.sandbox.configure(resets=0)
    assert len(list_ambiguous(hq_of(harness.settings), harness.key)) == 15
    reports = []
    barrier = threading.Barrier(4)

    def decide(again: bool) -> None:
        barrier.wait()
        reports.append(resolve(hq_of(harness.settings), harness.key, "retry" if again else "accept-miss", actor=TESTER))

    threads = [threading.Thread(target=decide, args=(n % 2 == 0,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(r.calls for r in reports) == [0, 0, 0, 15]
    assert sum(r.cost for r in reports) in (0, sum(c["cost"] or 0 for c in harness.calls("find-email")))


def test_an_answer_that_was_polled_is_read_again_as_a_polled_one(harness: RegisteredBatch) -> None:
    body = {"item_id": "{{ item.id }}", "first_name": "{{ first_name }}", "callback_url": "{{ callback_url }}"}
    polled = {
        "mode": "async",
        "request": {"url": f"{harness.sandbox.url}/http/enrich", "body": body},
        "response": {"external_id": "id"},
        "deadline": 0.3,
    }
    poll = {"request": {"method": "GET", "url": f"{harness.sandbox.url}/http/results/{{{{ external_id }}}}"}}
    harness.batch(
        harness.workflow("find-later", **polled, poll={**poll, "payload": "nothing"}, callback={"error_if": "!@"})
    )
    harness.sandbox.configure(callback_drop=1)
    harness.run()
    time.sleep(0.4)
    harness.run()
    assert {state[2] for state in harness.states("find-later")} == {"contract"}
    billed = harness.billed()
    harness.register(harness.workflow("find-later", **polled, poll=poll))
    assert replay(hq_of(harness.settings), harness.settings, harness.key, "find-later", actor=TESTER).recovered == 3
    results = harness.rows("select fields, payload from enrichment_results")
    assert all(r["fields"]["email"] == r["payload"]["person"]["email"] for r in results)
    assert harness.billed() == billed
