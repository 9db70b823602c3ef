"""A submission is asked about at the provider's pace, long before its deadline, which stays where it is."""

from __future__ import annotations

import signal
from datetime import timedelta
from typing import Any

import pytest

from enrichment_assets.domain.provider import Answer
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.engine.decisions.decision import poll_in
from tests.chaos.faults import arm
from tests.chaos.points import POLL_READ
from tests.engine.hostile_server import Answers, answering
from tests.engine_features.test_questions_under_way import in_a_child, over
from tests.harness.batches import BatchHarness, Launched, async_step, people

READY = b'{"found": true, "id": "fine"}'


def polled_step(url: str, slug: str = "slow", **fields: Any) -> WorkflowDefinition:
    """A step that is submitted to and polled from a server of the test; 202: not ready."""
    poll = {"request": {"method": "GET", "url": url + "/results/{{external_id}}"}, "pending_status": [202]}
    request = {"url": f"{url}/orders/{slug}", "body": {"callback_url": "{{callback_url}}"}}
    return async_step(
        slug, **{"deadline": "10m", "request": request, "poll": {**poll, **fields.pop("poll", {})}, **fields}
    )


@pytest.mark.parametrize(
    ("status", "headers", "body", "every", "pace"),
    [
        (202, {"retry-after": "20"}, b"{}", None, 20.0),  # RFC 9110, 10.2.3: seconds
        (202, {"retry-after-ms": "2500"}, b"{}", 90, 2.5),
        (200, {}, b'{"id": 1, "retry_after_seconds": 45}', None, 45.0),
        (404, {}, b'{"error": "result_pending", "retry_after_seconds": 30}', 90, 30.0),
        (200, {"retry-after": "7"}, b'{"retry_after_seconds": 45}', 90, 7.0),
        (202, {"retry-after": "soon"}, b"{}", 90, 90.0),
        (202, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, b"{}", 90, 1.0),  # RFC 9110: a date; it has passed
        (202, {"retry-after": "0"}, b"{}", None, 1.0),
        (202, {"retry-after": "-5"}, b"{}", None, 1.0),
        (200, {}, b'{"retry_after_seconds": null}', 15, 15.0),
        (200, {}, b'{"note": "retry_after_seconds"}', None, None),
        (200, {}, b"{}", None, None),
    ],
)
def test_the_pace_is_the_providers_word_else_the_workflows_and_never_under_a_second(
    status: int, headers: dict[str, str], body: bytes, every: float | None, pace: float | None
) -> None:
    workflow = polled_step("http://127.0.0.1:9", poll={"every": every})
    assert poll_in(workflow, Answer(status, headers, body)) == pace
    assert poll_in(async_step("slow"), Answer(status, headers, body)) is None


def times(batch: Launched, slug: str = "slow") -> tuple[Any, Any, Any]:
    """When a submission is polled next and overdue, and when its call is, in seconds after it left."""
    state, (call,) = batch.state(slug), batch.calls(slug)
    found = (state["next_poll_at"], state["deadline_at"], call["deadline_at"])
    return tuple(at and round((at - call["sent_at"]) / timedelta(seconds=1)) for at in found)  # type: ignore[return-value]


def poll_is_due(batch: Launched) -> None:
    batch.change("update workflow_states set next_poll_at = now() where next_poll_at is not null")


def polls(answers: Answers) -> int:
    return sum(count for path, count in answers.asked.items() if path.startswith("/results/"))


def test_the_first_poll_comes_at_the_named_pace_and_the_deadline_stays(harness: BatchHarness) -> None:
    with answering() as answers:
        answers.bodies = {
            "/orders/named": b'{"id": "named", "retry_after_seconds": 20}',
            "/orders/own": b'{"id": "own"}',
            "/orders/late": b'{"id": "late"}',
        }
        named, late = (polled_step(answers.url, slug) for slug in ("named", "late"))
        batch = harness.launch(people(1), named, polled_step(answers.url, "own", poll={"every": 45}), late)
        batch.run(linger=0.0)
        assert polls(answers) == 0
    paces = {slug: times(batch, slug) for slug in ("named", "own", "late")}
    assert paces == {"named": (20, 600, 600), "own": (45, 600, 600), "late": (None, 600, 600)}
    (row,) = batch.rows("select resume_at from batches where id = %s", batch.batch_id)
    assert row["resume_at"] == batch.state("named")["next_poll_at"]


def test_polls_before_the_deadline_use_up_nothing_and_keep_those_who_wait_for_the_call_waiting(
    harness: BatchHarness,
) -> None:
    with answering() as answers:
        step = polled_step(answers.url, poll={"every": 50}, reuse_for="1d")
        batch, follower = (harness.launch(people(1), step) for _ in range(2))
        batch.run(linger=0.0)
        submitted = batch.state("slow")

        answers.status, answers.headers = 202, {"retry-after": "80"}
        poll_is_due(batch)
        batch.run(linger=0.0)
        state = batch.state("slow")
        assert (polls(answers), state["status"], state["reason"]) == (1, "IN_PROGRESS", "not ready yet when polled")
        assert (state["attempts"], state["deadline_at"]) == (submitted["attempts"], submitted["deadline_at"])
        assert times(batch)[0] in range(80, 140) and times(batch)[2] == 600
        assert batch.rows("select 1 from rate_limits where paused_until > now()") == [], "a pace is no rate limit"

        batch.run(linger=0.0)
        assert polls(answers) == 1, "asked before its time"

        poll_is_due(batch)
        follower.run(linger=0.0)
        assert (follower.statuses(), follower.calls()) == ({"PENDING": 1}, [])

        answers.status, answers.headers, answers.bodies = 404, {}, {"/results/fine": b'{"error": "no such job"}'}
        batch.run(linger=0.0)
        state = batch.state("slow")
        assert (state["status"], state["next_poll_at"]) == ("IN_PROGRESS", None)
        assert "asked again at the deadline" in state["reason"] and times(batch)[1] == 600

        answers.status, answers.bodies = 200, {}
        batch.overdue()
        assert batch.run().finished
        follower.due()
        assert follower.run().finished
        assert (batch.state("slow")["outcome"], follower.state("slow")["outcome"]) == ("found", "found")
        assert answers.asked["/orders/slow"] == 1


def test_a_callback_that_came_before_the_poll_wins(harness: BatchHarness) -> None:
    with answering() as answers:
        batch = harness.launch(people(1), polled_step(answers.url, poll={"every": 50}))
        batch.run(linger=0.0)
        batch.call_back(batch.calls()[0], {"found": True, "id": "called back"})
        poll_is_due(batch)
        assert batch.run().finished
        assert polls(answers) == 0
    assert batch.results()[0]["fields"] == {"slow": "called back"}


def test_a_run_that_dies_in_the_middle_of_a_poll_loses_nothing(harness: BatchHarness) -> None:
    with answering() as answers:
        batch = harness.launch(people(1), polled_step(answers.url, poll={"every": 50}))
        batch.run(linger=0.0)
        poll_is_due(batch)
        assert in_a_child(batch, prepare=lambda: arm(POLL_READ.fault())) == [-signal.SIGKILL]
        assert over(batch).run().finished
        assert (polls(answers), answers.asked["/orders/slow"]) == (2, 1)
    assert (batch.state("slow")["outcome"], len(batch.results())) == ("found", 1)
