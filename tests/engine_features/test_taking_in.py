"""Callbacks taken in without a run: each has its one effect, no call is made, and a run is wanted for a group."""

from __future__ import annotations

from datetime import timedelta

import pytest

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.engine.run import taking
from enrichment_assets.engine.run.taking import Taken
from enrichment_assets.providers import build_providers
from enrichment_assets.services.batches.taking import take_in_callbacks
from enrichment_assets.store.states.groups import GRACE, LONGEST_WAIT, SHORTEST_WAIT, outlooks
from tests.harness.batches import BatchHarness, Launched, async_step, people, step
from tests.harness.handles import hq_of

GOOD = {"found": True, "id": "answer-1"}
OTHER = {"found": True, "id": "answer-2"}


def take_in(batch: Launched, seconds: float = 30.0) -> Taken:
    """One look of the daemon."""
    providers = build_providers(batch.sandbox.url)
    return take_in_callbacks(hq_of(batch.settings), batch.settings, batch.key, providers, seconds)


def began(batch: Launched, ago: str) -> None:
    """Let the batch have been under way for so long."""
    batch.change("update batches set started_at = now() - %s::interval, created_at = now() - %s::interval", ago, ago)


def waits(batch: Launched) -> float:
    """Seconds until the sequencer looks at the batch."""
    (row,) = batch.rows("select extract(epoch from resume_at - now())::float8 as wait from batches")
    return float(row["wait"])


def test_what_was_called_back_is_applied_once_and_what_calls_somebody_waits_for_a_run(harness: BatchHarness) -> None:
    batch = harness.launch(people(8), async_step("slow", deadline="2h"), step("later", step=2, requires=["slow"]))
    batch.run()
    first, second, *_ = batch.calls("slow")
    batch.call_back(first, GOOD)
    batch.call_back(first, GOOD)
    batch.call_back(first, OTHER)
    batch.call_back(second, {"found": False, "id": None})
    taken = take_in(batch)
    assert (taken.items, taken.settled.finished) == (2, False)
    assert [row["status"] for row in batch.inbox()] == ["applied", "superseded", "applied"]
    assert [row["fields"] for row in batch.results() if row["outcome"] == "found"] == [{"slow": "answer-1"}]
    assert batch.statuses("slow") == {"COMPLETED": 2, "IN_PROGRESS": 6}
    assert batch.statuses("later") == {"PENDING": 8}
    assert batch.asked("later") == 0
    assert batch.rows("select count(*) as n from item_leases where runner_id is not null")[0]["n"] == 0
    assert take_in(batch).items == 0
    for call in batch.calls("slow"):
        batch.call_back(call, GOOD)
    assert batch.run().finished
    assert batch.statuses("later") == {"COMPLETED": 7, "SKIPPED": 1}
    assert batch.billed("slow") == 8


def test_a_local_step_is_computed_at_once_and_the_batch_ends_with_its_last_callback(harness: BatchHarness) -> None:
    tidy = step(
        "tidy",
        step=2,
        mode="local",
        provider="local",
        operation="normalise_name",
        request=None,
        response={},
        callback={},
        requires=["slow"],
        provides={"first_name": "first_name"},
    )
    batch = harness.launch(people(2), async_step("slow", deadline="2h"), tidy)
    batch.run()
    one, two = batch.calls("slow")
    batch.call_back(one, GOOD)
    assert not take_in(batch).settled.finished
    assert batch.statuses("tidy") == {"COMPLETED": 1, "PENDING": 1}
    batch.call_back(two, GOOD)
    settled = take_in(batch).settled
    assert (settled.finished, settled.goes_on) == (True, True)
    (row,) = batch.rows("select finished_at is not null as finished, resume_at from batches")
    assert row == {"finished": True, "resume_at": None}


@pytest.mark.parametrize(
    ("called_back", "of", "age", "goes_on", "wait"),
    [
        (1, 8, "10 s", False, SHORTEST_WAIT),  # a young batch: others will come
        (2, 8, "10 s", True, GRACE),  # a quarter of its rows can go on
        (1, 8, "20 min", False, timedelta(minutes=20)),  # as long again as it had been under way
        (1, 8, "5 h", False, LONGEST_WAIT),
        (1, 1, "10 s", True, GRACE),  # nothing more is awaited
    ],
)
def test_a_run_is_wanted_for_a_group_and_not_for_each_callback(
    harness: BatchHarness, called_back: int, of: int, age: str, goes_on: bool, wait: timedelta
) -> None:
    batch = harness.launch(people(of), async_step("slow", deadline="9h"), step("later", step=2, requires=["slow"]))
    batch.run()
    began(batch, age)
    for call in batch.calls("slow")[:called_back]:
        batch.call_back(call, GOOD)
    assert take_in(batch).settled.goes_on is goes_on
    assert waits(batch) == pytest.approx(wait.total_seconds(), abs=5)


def test_items_that_have_waited_long_enough_go_on_with_the_next_callback(harness: BatchHarness) -> None:
    batch = harness.launch(people(12), async_step("slow", deadline="9h"), step("later", step=2, requires=["slow"]))
    batch.run()
    one, two, *_ = batch.calls("slow")
    batch.call_back(one, GOOD)
    assert not take_in(batch).settled.goes_on
    batch.change("update workflow_states set advanced_at = now() - interval '2 minutes' where status = 'COMPLETED'")
    began(batch, "3 minutes")  # it waited for two, and the batch had been under way for one
    batch.call_back(two, GOOD)
    assert take_in(batch).settled.goes_on


def test_items_of_a_stopped_step_are_no_group(harness: BatchHarness) -> None:
    batch = harness.launch(people(8), async_step("slow", deadline="2h"), step("later", step=2, requires=["slow"]))
    batch.run()
    batch.change(
        "insert into step_stops (batch_id, workflow_slug, client_id, cause, reason, process, stopped_at) "
        "select id, 'later', client_id, 'auth', 'no key', 'test', now() from batches"
    )
    for call in batch.calls("slow")[:4]:
        batch.call_back(call, GOOD)
    assert not take_in(batch).settled.goes_on


def test_a_body_that_somebody_began_to_read_is_left_to_a_run(harness: BatchHarness) -> None:
    batch = harness.launch(people(2), async_step("slow", deadline="2h"))
    batch.run()
    suspect, good = batch.calls("slow")
    batch.call_back(suspect, GOOD)
    batch.change("update callback_inbox set readings = 1")
    batch.call_back(suspect, OTHER)
    batch.call_back(good, GOOD)
    take_in(batch)
    assert [row["status"] for row in batch.inbox()] == ["new", "new", "applied"]
    assert batch.run().finished
    assert [row["status"] for row in batch.inbox()] == ["applied", "superseded", "applied"]


def test_a_large_callback_is_taken_in_too(harness: BatchHarness) -> None:
    batch = harness.launch(people(1), async_step("slow", deadline="2h"))
    batch.run()
    batch.call_back(batch.calls("slow")[0], {**GOOD, "note": "x" * 400_000})
    assert take_in(batch).settled.finished


def test_a_batch_of_the_other_world_is_not_touched(harness: BatchHarness) -> None:
    batch = harness.launch(people(1), async_step("slow", deadline="2h"))
    batch.run()
    batch.call_back(batch.calls("slow")[0], GOOD)
    batch.change("update batches set blueprint = jsonb_set(blueprint, '{simulated}', 'false')")
    with pytest.raises(ConfigurationError):
        take_in(batch)
    assert [row["status"] for row in batch.inbox()] == ["new"]


def test_a_poll_is_worth_a_run_less_often_the_older_the_batch_is(harness: BatchHarness) -> None:
    polled = {"request": {"method": "GET", "url": "/results/{{ external_id }}"}, "every": "30s"}
    batch = harness.launch(people(1), async_step("slow", deadline="9h", poll=polled))
    batch.run()
    assert waits(batch) == pytest.approx(30, abs=3)
    began(batch, "10 minutes")
    batch.change("update workflow_states set next_poll_at = now() + interval '30 s'")
    take_in(batch)
    assert waits(batch) == pytest.approx(300, abs=5)
    batch.change("update workflow_states set deadline_at = now() + interval '60 s'")
    take_in(batch)
    assert waits(batch) == pytest.approx(60, abs=3)  # a deadline is kept


def test_what_a_run_finds_is_known_before_it_is_asked_for(harness: BatchHarness) -> None:
    quick = harness.launch(people(1), step("plain"), key="quick")
    slow = harness.launch(people(2), step("plain"), async_step("slow", step=2, deadline="2h"), key="slow")
    with hq_of(slow.settings).transaction() as connection:
        before = outlooks(connection, ["quick", "slow", "none"])
    assert {key: (found.open, found.may_finish) for key, found in before.items()} == {
        "quick": (["plain"], True),
        "slow": (["plain", "slow"], False),
    }
    quick.run()
    slow.run()
    with hq_of(slow.settings).transaction() as connection:
        after = outlooks(connection, ["quick", "slow"])
    assert {key: (found.open, found.may_finish) for key, found in after.items()} == {
        "quick": ([], True),
        "slow": (["slow"], False),
    }


def test_a_batch_whose_states_take_long_to_count_is_settled_now_and_then_and_with_its_last_answer(
    harness: BatchHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "QUICK", 0.0)
    monkeypatch.setattr(taking, "REST_FACTOR", 1_000_000)
    batch = harness.launch(people(8), async_step("slow", deadline="2h"), step("later", step=2, requires=["slow"]))
    batch.run()
    first, second, third, *others = batch.calls("slow")
    batch.call_back(first, GOOD)
    assert not take_in(batch).settled.goes_on
    for call in (second, third):
        batch.call_back(call, GOOD)
    assert not take_in(batch).settled.goes_on  # a group, which nobody has counted
    assert 0 < waits(batch) <= SHORTEST_WAIT.total_seconds() + 5  # it is looked at all the same
    for call in others:
        batch.call_back(call, GOOD)
    assert take_in(batch).settled.goes_on
