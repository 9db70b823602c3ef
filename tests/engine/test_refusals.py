"""A step whose first answers are all the same refusal pauses, and says why; the other rows wait."""

from __future__ import annotations

from enrichment_assets.domain.statuses import ErrorClass, Status
from enrichment_assets.engine.decisions.refusals import PAUSES_AT, Refusals
from enrichment_assets.services.batches.status import status
from enrichment_assets.services.operations.statistics import batch_statistics
from tests.harness.batches import BatchHarness, async_step, people
from tests.harness.handles import hq_of

REFUSED = (Status.FAILED, ErrorClass.CONTRACT)


def told(refusals: Refusals, times: int, reason: str = "HTTP 404: gone", http_status: int = 404) -> list[str | None]:
    return [refusals.note(*REFUSED, reason, http_status) for _ in range(times)]


def test_the_tenth_equal_refusal_pauses_and_no_earlier_one() -> None:
    said = told(Refusals(), PAUSES_AT)
    assert said[:-1] == [None] * (PAUSES_AT - 1)
    assert said[-1] is not None and "HTTP 404: gone" in said[-1]


def test_any_other_answer_shows_that_the_address_is_right() -> None:
    for other in [
        (Status.COMPLETED, None, "", 200),
        (Status.IN_PROGRESS, None, "", 202),
        (Status.FAILED, ErrorClass.CONTRACT, "HTTP 410: gone", 410),
        (Status.FAILED, ErrorClass.CONTRACT, "the body is not JSON", 200),
        (Status.SKIPPED, None, "suppressed: HTTP 451", 451),
    ]:
        refusals = Refusals()
        told(refusals, 3)
        refusals.note(*other)
        assert told(refusals, 2 * PAUSES_AT) == [None] * 2 * PAUSES_AT, other


def test_a_retry_later_is_neither_and_numbers_in_a_reason_make_no_difference() -> None:
    refusals = Refusals()
    for n in range(PAUSES_AT - 1):
        refusals.note(Status.PENDING, ErrorClass.RETRYABLE, "HTTP 429", 429)
        assert refusals.note(Status.SKIPPED, None, f"invalid_input: HTTP 422: row {n}", 422) is None
    assert refusals.note(Status.SKIPPED, None, "invalid_input: HTTP 422: row 99", 422) is not None


def test_what_earlier_runs_were_refused_with_leaves_one_call_to_find_out() -> None:
    refusals = Refusals()
    refusals.remember("HTTP 404: gone", 500)
    assert told(refusals, 1)[0] is not None


def test_a_wrong_address_costs_a_handful_of_rows_not_the_batch_and_the_reasons_are_counted(
    harness: BatchHarness,
) -> None:
    wrong = async_step(
        "ask", request={"url": "/no-such-path", "body": {"n": "{{original.n}}"}}, limits={"concurrency": 1}
    )
    batch = harness.launch(people(40), wrong)
    report = batch.run()
    failed = batch.statuses()["FAILED"]
    assert PAUSES_AT <= failed < 2 * PAUSES_AT, "the calls that were on their way end"
    assert batch.statuses()["PENDING"] == 40 - failed
    assert "the first answers were all the same refusal (HTTP 404" in report.stopped["ask"]
    batch.run()
    again = batch.statuses()["FAILED"]
    assert failed < again < failed + PAUSES_AT
    reason, stopped = status(hq_of(harness.settings), harness.settings, batch.key).reasons
    assert (reason.workflow, reason.status, reason.states) == ("ask", "FAILED", again)
    assert reason.reason.startswith("HTTP 404: the address does not exist")
    assert (stopped.status, stopped.states, stopped.cause) == ("PENDING", 40 - again, "refused")
    (counted,) = batch_statistics(hq_of(harness.settings), batch.key)[0].reasons
    assert (counted.status, counted.states, counted.reason) == ("FAILED", again, reason.reason)
