"""No answer and no callback stops a batch or fills the database: bodies are counted, bounded and read alone."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import os
import signal
from collections.abc import Iterator

import pytest

from enrichment_assets.domain.bodies import MAX_PLAIN_BYTES, BodyEncodingError, plain_body
from enrichment_assets.domain.provider import Answer
from enrichment_assets.engine.decisions import reading
from enrichment_assets.engine.decisions.decision import Decision, decide
from enrichment_assets.engine.decisions.reading import MOST_READINGS
from enrichment_assets.engine.run.prepared_step import Step
from enrichment_assets.receiver.log_lines import FewOfEachKind
from enrichment_assets.store.calls.readings import INLINE
from enrichment_assets.store.inbox.callbacks import MOST_BODIES, MOST_BYTES, TOO_MANY, Receipt
from enrichment_assets.wire.transport import MAX_ANSWER
from tests.engine.hostile_server import answering
from tests.engine_features.test_questions_under_way import in_a_child, over
from tests.engine_features.test_signed_callbacks import VARIABLE, post, signed_step, standard
from tests.harness.batches import BatchHarness, Launched, async_step, people, step

GOOD = {"found": True, "id": "answer-1"}


def called(harness: BatchHarness, rows: int = 1) -> Launched:
    batch = harness.launch(people(rows), async_step("slow"))
    batch.run()
    return batch


def test_a_callback_whose_reading_runs_died_of_is_given_up_and_the_others_are_read(harness: BatchHarness) -> None:
    batch = called(harness, rows=3)
    for call in batch.calls():
        batch.call_back(call, {**GOOD, "call": call["id"]})
    first, second, third = (row["id"] for row in batch.inbox())
    batch.change("update callback_inbox set readings = %s where id = %s", MOST_READINGS, first)
    batch.change("update callback_inbox set readings = %s where id = %s", MOST_READINGS - 1, second)
    batch.run()
    given_up, read, read_too = batch.states()
    assert (given_up["status"], given_up["error_class"]) == ("FAILED", "contract")
    assert given_up["reason"].startswith(f"reading this body has ended {MOST_READINGS} runs")
    assert (read["status"], read_too["status"]) == ("COMPLETED", "COMPLETED")
    rows = {row["id"]: row for row in batch.inbox()}
    assert (rows[first]["status"], rows[second]["status"]) == ("dead", "applied")
    assert [rows[n]["readings"] for n in (first, second, third)] == [MOST_READINGS + 1, MOST_READINGS, 1]
    assert bytes(rows[first]["body"]), "the bytes are kept"


@pytest.mark.parametrize(("readings", "status"), [(MOST_READINGS, "FAILED"), (MOST_READINGS - 1, "COMPLETED")])
def test_an_answer_that_a_dead_run_left_is_read_a_few_times_and_then_given_up(
    harness: BatchHarness, readings: int, status: str
) -> None:
    batch = harness.launch(people(1), step("ask"))
    batch.run()
    batch.change("update provider_calls set state = 'received', readings = %s", readings)
    batch.change("update workflow_states set status = 'PENDING', outcome = null, result_id = null")
    batch.change("delete from enrichment_results")
    batch.run()
    assert batch.state("ask")["status"] == status
    assert batch.calls()[0]["readings"] == readings + 1
    assert batch.asked("ask") == 1


def test_a_large_callback_is_fetched_when_it_is_read_and_reads_the_same(harness: BatchHarness) -> None:
    batch = called(harness)
    batch.call_back(batch.calls()[0], {**GOOD, "text": "x" * 6 * INLINE})
    batch.run()
    assert (batch.state("slow")["status"], batch.state("slow")["outcome"]) == ("COMPLETED", "found")


def test_a_token_stores_so_many_callbacks_and_then_one_dead_letter_says_so(harness: BatchHarness) -> None:
    batch = called(harness)
    call = batch.calls()[0]
    receipts = [batch.call_back(call, {"n": n}) for n in range(MOST_BODIES + 3)]
    assert receipts == [Receipt.STORED] * MOST_BODIES + [Receipt.REFUSED] * 3
    assert batch.call_back(call, {"n": 0}) is Receipt.ALREADY_STORED
    letters = [row for row in batch.inbox() if row["status"] == "dead"]
    assert [(row["error"], bytes(row["body"])) for row in letters] == [(TOO_MANY, b"")]
    assert len(batch.inbox()) == MOST_BODIES + 1


def test_a_token_stores_so_many_bytes_also_after_its_answer_came(harness: BatchHarness) -> None:
    batch = called(harness)
    call = batch.calls()[0]
    batch.call_back(call, GOOD)
    batch.run()
    batch.change("update callback_inbox set body = convert_to(repeat('x', %s), 'UTF8')", MOST_BYTES - 10)
    assert batch.call_back(call, {"n": 1}) is Receipt.STORED
    assert batch.call_back(call, {"n": 12345}) is Receipt.REFUSED


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(VARIABLE, "whsec_YS1zZWNyZXQtZm9yLXRlc3Rz")
    yield


def test_a_signed_callback_that_came_for_another_call_is_refused(harness: BatchHarness, secret: None) -> None:
    batch = harness.launch(people(2), signed_step("standard_webhooks"))  # type: ignore[arg-type]
    batch.run()
    one, two = batch.calls()
    body = json.dumps(GOOD).encode()
    headers = standard(body)
    assert post(batch, one, body, headers) is Receipt.STORED
    assert post(batch, two, body, headers) is Receipt.STORED
    batch.run()
    assert [state["status"] for state in batch.states()] == ["COMPLETED", "IN_PROGRESS"]
    assert [row["status"] for row in batch.inbox()] == ["applied", "dead"]
    assert "webhook-id came before" in batch.inbox()[1]["error"]


def test_what_is_packed_twice_has_the_bound_of_an_answer() -> None:
    assert MAX_ANSWER == MAX_PLAIN_BYTES
    fits, larger = b"0" * MAX_PLAIN_BYTES, b"0" * (MAX_PLAIN_BYTES + 1)
    packed = [gzip.compress(gzip.compress(body, mtime=0), mtime=0) for body in (fits, larger)]
    assert hashlib.sha256(plain_body(packed[0], "gzip, gzip")).digest() == hashlib.sha256(fits).digest()
    with pytest.raises(BodyEncodingError, match="unpacks to more"):
        plain_body(packed[1], "gzip, gzip")


def test_log_lines_of_one_kind_are_few_and_say_how_many_were_left_out() -> None:
    now = [0.0]
    few = FewOfEachKind(lines=2, seconds=60, now=lambda: now[0])

    def said(message: str, *arguments: object) -> str | None:
        record = logging.LogRecord("receiver", logging.WARNING, __file__, 1, message, arguments, None)
        return record.getMessage() if few.filter(record) else None

    assert [said("refused %d", n) for n in range(5)] == ["refused 0", "refused 1", None, None, None]
    assert said("another kind") == "another kind"
    now[0] = 61.0
    assert said("refused %d", 5) == "refused 5 (3 more like this were left out)"
    assert [said("refused %d", n) for n in (6, 7)] == ["refused 6", None]


def _die_of(word: bytes) -> None:
    """In a process of its own: let reading an answer with this word end the process."""

    def read(step: Step, answer: Answer) -> Decision:
        if word in answer.body:
            os.kill(os.getpid(), signal.SIGKILL)
        return decide(step, answer)

    vars(reading)["decide"] = read


def test_an_answer_that_kills_whoever_reads_it_fails_its_item_after_a_few_runs_and_the_batch_goes_on(
    harness: BatchHarness,
) -> None:
    rows = [{"first_name": "Ann", "n": name} for name in ("deadly", "fine", "good")]
    deaths = 0
    with answering() as server:
        server.bodies = {"/deadly": b'{"found": true, "id": "deadly"}'}
        request = {"url": server.url + "/{{original.n}}", "body": {}}
        first = step("first", request=request, free_or_idempotent=True)
        batch = harness.launch(rows, first, step("later", uses=["first"], free_or_idempotent=True))
        while deaths <= MOST_READINGS and in_a_child(batch, prepare=lambda: _die_of(b"deadly")) != [0]:
            over(batch)
            batch.due()
            deaths += 1
        assert deaths == MOST_READINGS + 1, "once live, and then as often as it is tried again"
        assert batch.run().finished
        assert server.asked["/deadly"] == 1
    state = batch.state("first")
    assert (state["status"], state["error_class"]) == ("FAILED", "contract")
    assert (batch.statuses("first"), batch.statuses("later")) == ({"FAILED": 1, "COMPLETED": 2}, {"COMPLETED": 3})
    (kept,) = [call for call in batch.calls("first") if call["item_id"] == batch.first_item()]
    assert bytes(kept["response_body"]) == server.bodies["/deadly"]
