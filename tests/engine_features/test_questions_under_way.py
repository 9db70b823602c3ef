"""What several batches of a client ask at the same moment is asked once: the bill, the rows, and who waits how long."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest

from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.calls.single_flight import FIRST_LOOK, FIRST_LOOK_ASYNC, LONGEST_LOOK, look_again_in
from enrichment_assets.services.operations.recovery import resolve
from tests.actors import TESTER
from tests.chaos.faults import arm
from tests.chaos.points import ATTEMPTED, READ
from tests.engine.hostile_server import Answers, answering
from tests.harness.batches import BatchHarness, Launched, async_step, company_step, people, step
from tests.harness.handles import hq_of

KEYED = {"idempotency_header": "idempotency-key"}


def finder(**fields: Any) -> WorkflowDefinition:
    """The billed person step whose answers may be reused for a day."""
    return step("find", **{"reuse_for": "1d", **fields})


def run_together(*batches: Launched) -> None:
    """Advance batches in a thread each, until nothing of them is due soon."""
    runs = [threading.Thread(target=batch.run, kwargs={"linger": 20.0}) for batch in batches]
    for run in runs:
        run.start()
    for run in runs:
        run.join()


def in_a_child(*batches: Launched, prepare: Callable[[], None] = lambda: None) -> list[int]:
    """Advance batches in a process each, at once; what their processes ended with."""
    children = []
    for batch in batches:
        child = os.fork()
        if child == 0:
            try:
                prepare()
                batch.run(linger=20.0)
            finally:
                os._exit(0)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def die_in_the_middle() -> None:
    """Let this process be killed when its first answer has come and is not stored yet."""
    arm(ATTEMPTED.fault())


def killed(batch: Launched) -> Launched:
    """Run a batch in a process that is killed with its first answer in hand."""
    assert in_a_child(batch, prepare=die_in_the_middle) == [-signal.SIGKILL]
    assert [call["state"] for call in batch.calls()] == ["intent"]
    return batch


@contextmanager
def under_way(provider: Answers, leader: Launched, answers: bool = True) -> Iterator[None]:
    """While the block runs, the first request of `leader` is with the provider; others' are answered at once.

    At its end the request is answered, or its connection breaks, and the leader's run ends.
    """
    arrived, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        provider.before = None
        arrived.set()
        go_on.wait(60)
        if not answers:
            raise ConnectionAbortedError

    provider.before = hold
    run = threading.Thread(target=leader.run)
    run.start()
    try:
        assert arrived.wait(60)
        yield
    finally:
        go_on.set()
        run.join()


def over(batch: Launched) -> Launched:
    """Let the lease of a batch's dead run be over."""
    batch.change("update runners set expires_at = now() - interval '1 s' where batch_id = %s", batch.batch_id)
    return batch


def reasons(batch: Launched) -> list[str]:
    """Where the answers of a batch come from, in words."""
    return [state["reason"] or "" for state in batch.states()]


@pytest.mark.parametrize("together", [run_together, in_a_child], ids=["two threads", "two processes"])
def test_two_batches_at_once_are_charged_once_for_each_question(
    harness: BatchHarness, together: Callable[..., object]
) -> None:
    harness.sandbox.configure(latency="40ms")
    rows = people(60)
    find, firm = finder(limits={"concurrency": 12}), company_step("firm", reuse_for="1d")
    rows = [{**row, "company_name": f"Company {n % 7}"} for n, row in enumerate(rows)]
    batches = [harness.launch(rows, find, firm), harness.launch(rows[::-1], find, firm)]
    together(*batches)
    assert [batch.statuses() for batch in batches] == [{"COMPLETED": 120}] * 2
    assert batches[0].asked("find") == batches[0].billed("find") == 60
    assert batches[0].asked("firm") == batches[0].billed("firm") == 7
    assert harness.sandbox.billing()["double_charges"] == []
    for batch, other in (batches, batches[::-1]):
        own = {call["id"] for call in other.calls() if call["attempt"]}
        reused = [call for call in batch.calls() if call["reused_from"]]
        assert {call["reused_from"] for call in reused} <= own
        assert {call["cost"] for call in reused} <= {Decimal(0)}
        said = [reason for reason in reasons(batch) if reason.startswith(f"reused: batch {other.key} asked the same")]
        assert len(said) >= len(reused)
    reused_in_all = sum(1 for batch in batches for call in batch.calls() if call["reused_from"])
    assert reused_in_all == 67


def test_many_batches_that_ask_in_different_orders_neither_stand_still_nor_ask_twice(harness: BatchHarness) -> None:
    harness.sandbox.configure(latency="5ms")
    rows = people(150)
    orders = [rows, rows[::-1], rows[75:] + rows[:75], rows[::2] + rows[1::2]]
    batches = [harness.launch(order, finder(limits={"concurrency": 40})) for order in orders]
    run_together(*batches)
    assert [batch.statuses() for batch in batches] == [{"COMPLETED": 150}] * 4
    assert batches[0].asked("find") == 150
    assert sum(1 for batch in batches for call in batch.calls() if call["reused_from"]) == 450


def test_two_clients_never_wait_for_each_other(harness: BatchHarness) -> None:
    harness.sandbox.configure(latency="40ms")
    batches = [harness.launch(people(20), finder(), client=client) for client in ("acme", "globex")]
    run_together(*batches)
    assert [batch.statuses() for batch in batches] == [{"COMPLETED": 20}] * 2
    assert batches[0].asked("find") == 40
    assert {call["reused_from"] for batch in batches for call in batch.calls()} == {None}


@pytest.mark.parametrize("waits", [True, False])
def test_who_asks_anew_waits_for_nobody_and_is_waited_for(harness: BatchHarness, waits: bool) -> None:
    with answering() as provider:
        finders = [finder(url=f"{provider.url}/find", reuse_for=age) for age in ((0, "1d") if waits else ("1d", 0))]
        leader, other = (harness.launch(people(1), find) for find in finders)
        with under_way(provider, leader):
            assert other.run(linger=0.0).finished is not waits
            assert provider.asked["/find"] == (1 if waits else 2)
        other.due()
        assert other.run().finished
        assert provider.asked["/find"] == (1 if waits else 2)


def test_a_batch_that_waits_says_for_whom_comes_back_by_itself_and_needs_no_money(harness: BatchHarness) -> None:
    with answering() as provider:
        here = finder(url=f"{provider.url}/find")
        leader, follower = harness.launch(people(1), here), harness.launch(people(1) * 3, here)
        follower.set_budget("0.00", batch=True)
        with under_way(provider, leader):
            report = follower.run(linger=0.0)
            assert (report.finished, follower.calls()) == (False, [])
            assert follower.statuses() == {"PENDING": 3}
            assert reasons(follower) == [f"waits for batch {leader.key}, which asks the same"] * 3
            (soon,) = follower.rows(
                """select b.resume_at <= now() + interval '2 s' as resumed,
                          max(s.next_attempt_at) <= now() + interval '2 s' and count(s.next_attempt_at) = 3 as looks
                   from batches b join workflow_states s on s.batch_id = b.id where b.id = %s group by b.id""",
                follower.batch_id,
            )
            assert soon == {"resumed": True, "looks": True}
        assert follower.run(linger=5.0).finished
        assert provider.asked["/find"] == 1
        assert follower.statuses() == {"COMPLETED": 3}
        (call,) = follower.calls()
        assert call["reused_from"] == leader.calls()[0]["id"]
        assert all(reason.startswith(f"reused: batch {leader.key} asked the same") for reason in reasons(follower))


@pytest.mark.parametrize(("body", "asked"), [(b'{"found": false}', 1), (b"<html>", 2)], ids=["a miss", "a failure"])
def test_a_miss_is_shared_and_after_a_failure_the_one_who_waited_asks(
    harness: BatchHarness, body: bytes, asked: int
) -> None:
    with answering() as provider:
        provider.bodies["/find"] = body
        here = finder(url=f"{provider.url}/find")
        leader, follower = harness.launch(people(1), here), harness.launch(people(1), here)
        with under_way(provider, leader):
            follower.run(linger=0.0)
            assert follower.statuses() == {"PENDING": 1}
        follower.due()
        assert follower.run().finished
        assert provider.asked["/find"] == asked
        assert follower.state("find")["outcome"] == leader.state("find")["outcome"]
        assert follower.state("find")["error_class"] == leader.state("find")["error_class"]


def test_after_a_call_of_unknown_fate_the_one_who_waited_asks_and_its_answer_serves_both(harness: BatchHarness) -> None:
    with answering() as provider:
        here = finder(url=f"{provider.url}/find")
        leader, follower = harness.launch(people(1), here), harness.launch(people(1), here)
        with under_way(provider, leader, answers=False):
            follower.run(linger=0.0)
            assert follower.statuses() == {"PENDING": 1}
        assert leader.statuses() == {"AMBIGUOUS": 1}
        follower.due()
        assert follower.run().finished
        assert provider.asked["/find"] == 2
        resolve(hq_of(leader.settings), leader.key, "retry", actor=TESTER)
        assert leader.run().finished
        assert provider.asked["/find"] == 2
        assert leader.calls()[0]["reused_from"] == follower.calls()[0]["id"]


def test_a_dead_runs_call_is_waited_for_until_its_lease_is_over_and_keeps_its_unknown_fate(
    harness: BatchHarness,
) -> None:
    leader, follower = killed(harness.launch(people(1), finder())), harness.launch(people(3), finder())
    follower.run(linger=0.0)
    assert follower.statuses() == {"COMPLETED": 2, "PENDING": 1}
    over(leader)
    follower.due()
    assert follower.run().finished
    assert follower.statuses() == {"COMPLETED": 3}
    assert leader.asked("find") == 4
    leader.run()
    assert leader.statuses() == {"AMBIGUOUS": 1}, "what may have been charged twice is there to be seen"
    resolve(hq_of(leader.settings), leader.key, "retry", actor=TESTER)
    leader.run()
    assert leader.statuses() == {"COMPLETED": 1}
    assert leader.asked("find") == leader.billed("find") == 4


def test_where_keys_are_honoured_a_dead_runs_call_is_made_again_by_its_batch_and_charged_once(
    harness: BatchHarness,
) -> None:
    leader, follower = (
        over(killed(harness.launch(people(1), finder(**KEYED)))),
        harness.launch(people(3), finder(**KEYED)),
    )
    follower.run(linger=0.0)
    assert follower.statuses() == {"COMPLETED": 2, "PENDING": 1}
    assert leader.run().finished
    follower.due()
    assert follower.run().finished
    assert (follower.asked("find"), follower.billed("find")) == (4, 3), "the repeated call was answered for nothing"
    assert harness.sandbox.billing()["double_charges"] == []


def test_nobody_waits_longer_than_for_a_call_of_its_own(harness: BatchHarness) -> None:
    leader = over(killed(harness.launch(people(1), finder(**KEYED))))
    follower = harness.launch(people(1), finder(**KEYED, retry={"base": 0.01, "total": 60.0}))
    follower.run(linger=0.0)
    assert follower.statuses() == {"PENDING": 1}
    leader.change("update provider_calls set sent_at = now() - interval '61 s'")
    follower.due()
    assert follower.run().finished
    assert follower.calls()[0]["reused_from"] is None
    leader.run()
    assert leader.calls()[0]["reused_from"] == follower.calls()[0]["id"]
    assert harness.sandbox.billing()["double_charged_idempotency_keys"] == {}


def test_answers_that_get_lost_are_fetched_under_one_key_by_one_of_two_batches(harness: BatchHarness) -> None:
    harness.sandbox.configure(latency="20ms")
    rows = people(15, faults='{"resets": 1, "fault_attempts": 1}')
    batches = [harness.launch(order, finder(**KEYED)) for order in (rows, rows[::-1])]
    run_together(*batches)
    assert [batch.statuses() for batch in batches] == [{"COMPLETED": 15}] * 2
    assert batches[0].billed("find") == 15
    assert harness.sandbox.billing()["double_charges"] == []


def test_an_answer_that_a_dead_run_could_only_store_is_taken(harness: BatchHarness) -> None:
    leader = harness.launch(people(1), finder())
    assert in_a_child(leader, prepare=lambda: arm(READ.fault())) == [-signal.SIGKILL]
    assert [call["state"] for call in leader.calls()] == ["received"]
    follower = harness.launch(people(1), finder())
    assert follower.run().finished
    assert follower.calls()[0]["reused_from"] == leader.calls()[0]["id"]
    assert over(leader).run().finished
    assert leader.asked("find") == 1
    assert follower.results()[0]["fields"] == leader.results()[0]["fields"]


def test_an_accepted_submission_is_waited_for_without_a_run_until_it_is_answered_or_overdue(
    harness: BatchHarness,
) -> None:
    slow = async_step("slow", reuse_for="1d", deadline="2h")
    leader, first, second = (harness.launch(people(1), slow) for _ in range(3))
    leader.run()
    for follower in (first, second):
        follower.run(linger=0.0)
        assert (follower.statuses(), follower.calls()) == ({"PENDING": 1}, [])
    (call,) = leader.calls()
    leader.call_back(call, {"found": True, "id": "one"})
    leader.run()
    first.due()
    assert first.run().finished
    assert first.asked("slow") == 1
    assert first.results()[0]["fields"] == {"slow": "one"}
    leader.change(
        "update provider_calls set state = 'sent', deadline_at = now() - interval '1 s' where id = %s", call["id"]
    )
    second.due()
    second.run()
    assert second.statuses() == {"IN_PROGRESS": 1}
    assert second.asked("slow") == 2


@pytest.mark.parametrize("first", [FIRST_LOOK, FIRST_LOOK_ASYNC])
def test_looks_grow_rare_and_those_who_wait_look_together(first: float) -> None:
    age, looks, day = 0.0, 0, 86_400.0
    while age < day:
        wait = look_again_in(age, first, 1_000_000.3 + age)
        assert 0 < wait <= LONGEST_LOOK
        assert wait <= max(first, age / 2)
        age, looks = age + wait, looks + 1
    assert looks < 60
    due = {now + look_again_in(600.0 + now / 10, first, now) for now in (1.0, 17.5, 40.0, 99.9)}
    assert due <= {128.0, 256.0}, "followers of calls of different age wake up at one time"
