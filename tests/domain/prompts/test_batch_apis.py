"""Orders to vendors' batch APIs: what leaves, what an ended order says of each line, what a lost one is found by."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
import pytest

from enrichment_assets.domain.errors import ContractError
from enrichment_assets.domain.prices import Price
from enrichment_assets.domain.prompts.anthropic_orders import AnthropicBatches
from enrichment_assets.domain.prompts.batch_api import Line, LineEnd, LineResult, combined, results_in
from enrichment_assets.domain.prompts.checks import prompt_faults
from enrichment_assets.domain.prompts.definition import BATCH_DEADLINE, MOST_LINES, Prompt
from enrichment_assets.domain.prompts.openai_orders import OpenAIBatches
from enrichment_assets.domain.provider import Answer, RenderedRequest
from enrichment_assets.providers import build_providers
from tests.harness.models import prompt_step

OPENAI, ANTHROPIC = OpenAIBatches(), AnthropicBatches({"anthropic-version": "2026-10-21"})
BODY = b'{"model":"m","messages":[{"role":"user","content":"Pumps \\u2028 --enrich-"}]}'
LINES = [Line(f"row-{n}", RenderedRequest("POST", "/chat/completions", content=BODY)) for n in range(2)]


def answer(value: Any) -> Answer:
    return Answer(200, {}, orjson.dumps(value))


def lines_of(*rows: Any) -> bytes:
    return b"\n".join(map(orjson.dumps, rows)) + b"\n\n"


def test_openai_gets_a_file_of_lines_and_an_order_that_names_it_and_us() -> None:
    upload = OPENAI.upload(LINES, "b1")
    kind = upload.headers["content-type"]
    edge = kind.partition("boundary=")[2].encode()
    assert upload.content is not None
    parts = upload.content.split(b"--" + edge)
    assert [b'name="purpose"' in part for part in parts] == [False, True, False, False]
    rows = [orjson.loads(row) for row in parts[2].partition(b"\r\n\r\n")[2].strip().split(b"\n")]
    assert [row["custom_id"] for row in rows] == ["row-0", "row-1"]
    assert {row["url"] for row in rows} == {"/v1/chat/completions"}
    assert rows[0]["body"] == orjson.loads(BODY)
    order = OPENAI.order(LINES, "b1", answer({"id": "file-1"}))
    assert orjson.loads(order.content or b"") == {
        "input_file_id": "file-1",
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"enrich_order": "b1"},
    }
    with pytest.raises(ContractError, match="no file"):
        OPENAI.order(LINES, "b1", answer({"object": "file"}))


def test_anthropic_gets_all_lines_in_the_order_and_is_asked_at_its_own_address_for_the_results() -> None:
    assert ANTHROPIC.upload(LINES, "b1") is None
    order = ANTHROPIC.order(LINES, "b1", None)
    requests = orjson.loads(order.content or b"")["requests"]
    assert requests == [{"custom_id": line.name, "params": orjson.loads(BODY)} for line in LINES]
    ended = {"id": "msgbatch_1", "processing_status": "ended", "results_url": "https://attacker.example/results"}
    assert [file.url for file in ANTHROPIC.files(ended) or ()] == ["/v1/messages/batches/msgbatch_1/results"]
    assert ANTHROPIC.files({**ended, "processing_status": "canceling"}) is None
    assert ANTHROPIC.find(None) is None


@pytest.mark.parametrize(
    ("status", "is_over"),
    # platform.openai.com/docs/guides/batch, "Checking the status of a batch"
    [
        *[(word, False) for word in ("validating", "in_progress", "finalizing", "cancelling")],
        *[(word, True) for word in ("failed", "completed", "expired", "cancelled")],
    ],
)
def test_openais_order_is_over_in_four_of_its_states(status: str, is_over: bool) -> None:
    files = OPENAI.files({"status": status, "output_file_id": "file-o", "error_file_id": None})
    assert ([file.url for file in files] if files is not None else None) == (
        ["/files/file-o/content"] if is_over else None
    )


OPENAI_LINES: list[tuple[Any, LineEnd, int]] = [
    ({"response": {"status_code": 200, "body": {"id": 1}}, "error": None}, LineEnd.ANSWERED, 200),
    ({"response": {"status_code": 429, "body": {"error": {}}}, "error": None}, LineEnd.ANSWERED, 429),
    ({"response": {"status_code": "?", "body": {}}, "error": None}, LineEnd.ANSWERED, 502),
    ({"response": None, "error": {"code": "batch_expired", "message": "x"}}, LineEnd.EXPIRED, 0),
    ({"response": None, "error": {"code": "batch_cancelled", "message": "x"}}, LineEnd.CANCELED, 0),
    ({"response": None, "error": {"code": "new_code"}}, LineEnd.REFUSED, 0),
    ({"response": None, "error": None}, LineEnd.REFUSED, 0),
]


@pytest.mark.parametrize(("line", "end", "status"), OPENAI_LINES)
def test_a_line_of_openais_files_has_an_end(line: Any, end: LineEnd, status: int) -> None:
    (result,) = OPENAI.results({"status": "completed"}, [lines_of({"custom_id": "a", **line})], ["a"])
    assert (result.name, result.end, result.status) == ("a", end, status)


ANTHROPIC_LINES: list[tuple[Any, LineEnd, int]] = [
    # platform.claude.com/docs, message batches: the four types; errors by the type of the error.
    ({"type": "succeeded", "message": {"id": "m"}}, LineEnd.ANSWERED, 200),
    ({"type": "errored", "error": {"error": {"type": "invalid_request_error"}}}, LineEnd.ANSWERED, 400),
    ({"type": "errored", "error": {"error": {"type": "overloaded_error"}}}, LineEnd.ANSWERED, 529),
    ({"type": "errored", "error": None}, LineEnd.ANSWERED, 500),
    ({"type": "expired"}, LineEnd.EXPIRED, 0),
    ({"type": "canceled"}, LineEnd.CANCELED, 0),
    ({"type": "paused"}, LineEnd.REFUSED, 0),
    (None, LineEnd.REFUSED, 0),
]


@pytest.mark.parametrize(("result", "end", "status"), ANTHROPIC_LINES)
def test_a_line_of_anthropics_results_has_an_end(result: Any, end: LineEnd, status: int) -> None:
    (found,) = ANTHROPIC.results({}, [lines_of({"custom_id": "a", "result": result})], ["a"])
    assert (found.end, found.status) == (end, status)


def test_a_file_that_was_not_taken_blames_its_wrong_lines_and_lets_the_others_go_again() -> None:
    errors = {"data": [{"code": "invalid_json_line", "line": 2}]}
    ends = [one.end for one in OPENAI.results({"status": "failed", "errors": errors}, [], ["a", "b", "c"])]
    assert ends == [LineEnd.NOT_DONE, LineEnd.REFUSED, LineEnd.NOT_DONE]
    for code, end in (("token_limit_exceeded", LineEnd.NOT_DONE), ("mismatched_model", LineEnd.REFUSED)):
        whole = {"status": "failed", "errors": {"data": [{"code": code, "line": None}]}}
        assert {one.end for one in OPENAI.results(whole, [], ["a", "b"])} == {end}


def test_a_result_stays_whole_whatever_separators_the_model_wrote() -> None:
    row = {"custom_id": "a", "response": {"status_code": 200, "body": {"text": "one\u2028two\u0085three\x1c"}}}
    (result,) = OPENAI.results({"status": "completed"}, [lines_of(row)], ["a"])
    assert result.body == row["response"]["body"]  # type: ignore[index]


def test_combined_results_are_found_by_name_and_two_that_differ_are_nobodys() -> None:
    one, two = LineResult("a", LineEnd.ANSWERED, 200, {"id": 1}), LineResult("b", LineEnd.EXPIRED, 0, why="x")
    assert results_in(combined([two, one, one]).body) == {"a": one, "b": two}
    assert results_in(combined([one, LineResult("a", LineEnd.EXPIRED, 0)]).body) == {"a": None}
    assert results_in(b'{"id": "batch_1", "status": "in_progress"}') is None
    with pytest.raises(ContractError):
        results_in(b"<html>")


def test_a_lost_order_is_found_by_our_name_on_whatever_page() -> None:
    orders = [{"id": "batch_2", "metadata": {"enrich_order": "other"}}, {"id": "batch_1", "metadata": None}]
    page = OPENAI.found(answer({"data": orders, "has_more": True}), "b1")
    assert (page.order, page.after) == (None, "batch_1")
    assert OPENAI.find("batch_1").query == {"limit": "100", "after": "batch_1"}
    own = {"id": "batch_0", "metadata": {"enrich_order": "b1"}}
    assert OPENAI.found(answer({"data": [own], "has_more": False}), "b1").order == own
    with pytest.raises(ContractError):
        OPENAI.found(answer({"error": {}}), "b1")


def test_a_batch_costs_half_or_what_the_workflow_says_and_searches_cost_what_they_cost() -> None:
    tokens = {"input": "2", "cached_input": "0.5", "output": "8", "search": "0.01", "as_of": "2026-11-28"}
    half = Price.model_validate({"tokens": tokens}).in_batch().tokens
    assert half is not None
    assert (half.input, half.cached_input, half.output, half.search) == tuple(map(Decimal, ("1", "0.25", "4", "0.01")))
    assert half.in_batch() == half, "once"
    said = Price.model_validate({"tokens": {**tokens, "batch": "0.75"}}).in_batch().tokens
    assert said is not None and said.input == Decimal("1.5")


def test_a_batch_needs_a_vendor_that_has_one_and_more_than_a_day() -> None:
    providers = build_providers()

    def told(**fields: Any) -> list[tuple[str, ...]]:
        workflow = prompt_step("score", prompt={"batch": True}, mode="async", **fields)
        return [fault.place for fault in prompt_faults(workflow, providers)]

    assert told(provider="openai") == told(provider="anthropic") == []
    assert told(provider="perplexity") == [("prompt", "batch")]
    assert told(provider="openai", deadline="24h") == [("deadline",)]
    assert prompt_step("score", prompt={"batch": True}, mode="async").deadline == BATCH_DEADLINE
    assert prompt_step("score").deadline < BATCH_DEADLINE


def test_an_order_has_as_many_lines_as_its_requests_and_answers_have_room() -> None:
    def most(**sizes: int) -> int:
        asked = {"model": "m", "instructions": "i", "inputs": {"a": "b"}, "answer": {}, "batch": True, **sizes}
        return Prompt.model_validate(asked).most_lines

    assert most(max_output_tokens=200, max_input_tokens=1_000) == MOST_LINES
    assert 1 <= most(max_output_tokens=128_000) < 20
    assert 1 <= most(max_output_tokens=100, max_input_tokens=200_000) < 100
