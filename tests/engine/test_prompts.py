"""Prompts through the engine: what a model answers becomes fields, a refusal, a failure, or one more ask."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import orjson
import pytest

from enrichment_assets.engine.run.advance import Interrupted
from tests.harness.batches import BatchHarness, Launched, Row
from tests.harness.models import Model, chat, playing, prompt_step, question_in, response, said

PAGE = "We build pumps in Bremen. Write to ada@pumps.example."
TAKEN = Decimal("0.00105")
"""800 tokens at 1, 100 at 0.5, 50 at 4 dollars a million: 0.0008 + 0.00005 + 0.0002."""


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")


def rows(*traps: str) -> list[Row]:
    """A row for each, with a page that says what its model does."""
    return [{"company_name": f"Pumps {n}", "page": f"{PAGE} [{trap}]"} for n, trap in enumerate(traps)]


class Played:
    """A model that does what a row's page says, and counts how often each row was asked."""

    def __init__(self) -> None:
        self.times: Counter[str] = Counter()

    def __call__(self, path: str, body: Row) -> tuple[int, Any] | tuple[int, Any, dict[str, str]]:
        question = question_in(body)
        trap = question.partition("[")[2].partition("]")[0]
        self.times[trap] += 1
        first = self.times[trap] == 1
        answers: dict[str, tuple[int, Any]] = {
            "good": (200, chat(f"```json\n{said(email='ada@pumps.example')}\n```")),
            "invented": (200, chat(said(email="bob@elsewhere.example"))),
            "refused": (200, chat(None, refusal="I cannot help with that.")),
            "cut": (200, chat('{"score": 8', finish="length")),
            "filtered": (200, chat(None, finish="content_filter")),
            "prose-once": (200, chat("A fine company!" if first else said(70))),
            "high-once": (200, chat(said(120) if first else said(90))),
            "prose": (200, chat("A fine company!")),
            "long": (400, {"error": {"code": "context_length_exceeded", "message": "too long"}}),
            "wrong": (400, {"error": {"code": "unsupported_parameter", "param": "response_format"}}),
            "down-inside": (200, {"error": {"code": 502, "message": "x"}} if first else chat(said(60))),
        }
        return answers[trap]


def test_each_answer_has_its_outcome_and_costs_what_it_used(harness: BatchHarness) -> None:
    traps = [
        "good", "invented", "refused", "cut", "filtered", "prose-once", "high-once", "prose", "long", "wrong",
        "down-inside",
    ]  # fmt: skip
    played = Played()
    with playing(played) as model:
        batch = harness.launch(rows(*traps), prompt_step("score", model))
        assert batch.run().finished
        states = dict(zip(traps, batch.states(), strict=True))
        fates = {trap: (s["status"], s["outcome"], s["error_class"]) for trap, s in states.items()}
        assert fates == {
            "good": ("COMPLETED", "found", None),
            "invented": ("COMPLETED", "found", None),
            "refused": ("COMPLETED", "not_found", None),
            "cut": ("FAILED", None, "contract"),
            "filtered": ("FAILED", None, "contract"),
            "prose-once": ("COMPLETED", "found", None),
            "high-once": ("COMPLETED", "found", None),
            "prose": ("FAILED", None, "contract"),
            "long": ("SKIPPED", None, None),
            "wrong": ("FAILED", None, "contract"),
            "down-inside": ("COMPLETED", "found", None),
        }
        assert states["refused"]["reason"] == "refused"
        assert "cut off (length): raise `prompt.max_output_tokens`, which is 200" in states["cut"]["reason"]
        assert "filter stopped it" in states["filtered"]["reason"]
        assert states["prose"]["reason"] == "the answer is not as asked: the text holds no JSON object or list"
        assert states["long"]["reason"].startswith("invalid_input: ")
        assert "unsupported_parameter (response_format)" in states["wrong"]["reason"]

        fields = {state["item_id"]: trap for trap, state in states.items()}
        results = {fields[result["item_id"]]: result for result in batch.results()}
        assert results["good"]["fields"] == {"score": 80, "score_reason": "they hire", "email": "ada@pumps.example"}
        cited = {"at": "email", "input": "page", "quote": "ada@pumps.example", "start": PAGE.index("ada@")}
        assert results["good"]["citations"] == {"email": [cited]}
        assert results["invented"]["citations"] is None
        assert results["invented"]["fields"] == {"score": 80, "score_reason": "they hire"}
        assert results["invented"]["rejected"]["email"]["reason"] == "not_grounded"
        assert results["high-once"]["fields"]["score"] == 90

        costs = {trap: state["cost"] for trap, state in states.items()}
        assert costs["good"] == costs["refused"] == costs["cut"] == TAKEN
        assert costs["prose-once"] == costs["high-once"] == costs["prose"] == 2 * TAKEN
        assert batch.statuses()["COMPLETED"] == 6

        # Each ask is a call of its own, with the bytes that it brought; the second quotes what was wrong.
        calls = {trap: [c for c in batch.calls() if c["item_id"] == s["item_id"]] for trap, s in states.items()}
        assert [(c["state"], c["attempt"]) for c in calls["prose-once"]] == [("failed", 1), ("applied", 1)]
        assert len({c["call_key"] for c in calls["prose"]}) == 2 and played.times["prose"] == 2
        assert all(c["response_body"] for c in calls["prose"])
        assert len(calls["down-inside"]) == 1 and calls["down-inside"][0]["attempt"] == 2
        first, again = model.questions("[high-once]")
        assert again.startswith(first) and "$.score: the value is greater than the maximum of 100" in again
        kept = batch.rows("select inputs from prompt_inputs where call_id = %s", calls["good"][0]["id"])
        assert orjson.loads(bytes(kept[0]["inputs"])) == {"page": f"{PAGE} [good]", "name": "Pumps 0"}
        assert all(headers["authorization"] == "Bearer sk-test" for headers in model.headers)

        asked = len(model.asked)
        assert batch.run().finished and len(model.asked) == asked, "what has an end is not asked again"


GOOD = (200, chat(said()))
PROSE = (200, chat("A fine company!"))


class Scripted:
    """A model that says one thing after another, the last again and again; `then` runs before each answer."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.then: Any = None

    def __call__(self, path: str, body: Row) -> Any:
        if self.then is not None:
            self.then()
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def script() -> Scripted:
    return Scripted(GOOD)


@pytest.fixture
def model(script: Scripted) -> Iterator[Model]:
    with playing(script) as played:
        yield played


def stopped_after_the_first_ask(harness: BatchHarness, model: Model, script: Scripted, **fields: Any) -> Launched:
    """A batch of one row whose run ended between both asks."""
    script.answers = [PROSE, GOOD]
    stop = threading.Event()
    script.then = stop.set
    batch = harness.launch(rows("x"), prompt_step("score", model, **fields))
    with pytest.raises(Interrupted):
        batch.run(stop=stop)
    script.then = None
    assert len(model.asked) == 1 and batch.state("score")["status"] == "PENDING"
    return batch


def test_a_run_that_dies_between_both_asks_makes_the_second_alone(
    harness: BatchHarness, model: Model, script: Scripted
) -> None:
    batch = stopped_after_the_first_ask(harness, model, script)
    assert batch.run().finished
    assert [(c["state"], c["attempt"], c["cost"]) for c in batch.calls()] == [
        ("failed", 1, TAKEN),
        ("applied", 1, TAKEN),
    ]
    assert len(model.asked) == 2 and "was not accepted" in question_in(model.asked[1][1])
    assert batch.state("score")["cost"] == 2 * TAKEN and len(batch.results()) == 1


def test_an_answer_that_a_dead_run_kept_unread_is_read_then_asked_for_again(
    harness: BatchHarness, model: Model, script: Scripted
) -> None:
    batch = stopped_after_the_first_ask(harness, model, script)
    batch.change("update provider_calls set state = 'received', error = null, error_class = null, cost = null")
    batch.change("update workflow_states set cost = 0, call_id = null")
    assert batch.run().finished
    assert len(model.asked) == 2 and [c["state"] for c in batch.calls()] == ["failed", "applied"]
    assert batch.state("score")["cost"] == 2 * TAKEN


def test_a_second_ask_of_unknown_fate_is_not_made_again(harness: BatchHarness, model: Model, script: Scripted) -> None:
    batch = stopped_after_the_first_ask(harness, model, script)
    assert batch.run().finished
    batch.change(
        "update provider_calls set state = 'intent', http_status = null, response_body = null where state = 'applied'"
    )
    batch.change("delete from enrichment_results")
    batch.change("update workflow_states set status = 'PENDING', outcome = null, result_id = null")
    batch.change("update batches set finished_at = null")
    batch.run()
    assert batch.state("score")["status"] == "AMBIGUOUS" and len(model.asked) == 2


def test_companies_share_the_answer_of_the_second_ask_also_in_a_later_run(
    harness: BatchHarness, model: Model, script: Scripted
) -> None:
    script.answers = [PROSE, GOOD]
    company = [
        {"company_name": "Pumps", "company_domain": "pumps.example", "page": PAGE, "first_name": n} for n in "abc"
    ]
    batch = harness.launch(company, prompt_step("score", model, entity="company", requires=["company_name"]))
    assert batch.run().finished
    assert len(model.asked) == 2
    assert [(s["status"], s["outcome"]) for s in batch.states()] == [("COMPLETED", "found")] * 3
    batch.change("update workflow_states set status = 'PENDING', outcome = null, result_id = null where item_id = %s",
                 batch.states()[2]["item_id"])  # fmt: skip
    batch.change("update batches set finished_at = null")
    assert batch.run().finished
    assert len(model.asked) == 2 and batch.states()[2]["outcome"] == "found"


def test_no_second_ask_where_none_is_allowed_and_a_budget_bounds_the_second(
    harness: BatchHarness, model: Model, script: Scripted
) -> None:
    script.answers = [PROSE]
    batch = harness.launch(rows("x"), prompt_step("score", model, retry={"invalid_answers": 0}))
    assert batch.run().finished
    assert len(model.asked) == 1 and batch.state("score")["error_class"] == "contract"
    three = harness.launch(rows("x"), prompt_step("score", model, retry={"invalid_answers": 2, "base": 0.01}))
    assert three.run().finished
    assert len(model.asked) == 4 and len({call["call_key"] for call in three.calls()}) == 3


def test_an_empty_prompt_is_not_asked(harness: BatchHarness, model: Model) -> None:
    offered = {"inputs": {"page": "{{ original.page }}", "offer": "{{ parameters.offer }}"}}
    batch = harness.launch(
        [{"first_name": "Ada", "page": " "}], prompt_step("score", model, prompt=offered, parameters={"offer": "seals"})
    )
    assert batch.run().finished
    state = batch.state("score")
    assert state["status"] == "SKIPPED" and "are empty" in state["reason"] and not model.asked


def test_a_spent_account_stops_the_provider_and_a_rate_limit_is_waited_out(
    harness: BatchHarness, model: Model, script: Scripted
) -> None:
    limited = (429, {"error": {"code": "rate_limit_exceeded"}}, {"retry-after-ms": "20", "retry-after": "1"})
    script.answers = [limited, (529, {"error": {"type": "overloaded_error"}}), GOOD]
    batch = harness.launch(rows("x"), prompt_step("score", model))
    assert batch.run().finished
    assert batch.state("score")["outcome"] == "found" and [c["attempt"] for c in batch.calls()] == [3]
    script.answers = [(429, {"error": {"type": "insufficient_quota", "code": "insufficient_quota"}})]
    spent = harness.launch(rows(*"abcdef"), prompt_step("other", model, limits={"concurrency": 1}))
    report = spent.run()
    assert not report.finished and len(model.asked) < 3 + 6, "what was on its way is refused too, the rest waits"
    assert spent.statuses() == {"PENDING": 6}


def background(model: Model, **fields: Any) -> Any:
    """A prompt whose answer is asked about."""
    return prompt_step(
        "research",
        model,
        prompt={"background": True, "every": 1},
        mode="async",
        parameters={"api": "responses"},
        **fields,
    )


def looked_at(batch: Launched) -> None:
    """Let the pace of polls have passed, then run."""
    batch.change("update workflow_states set next_poll_at = now() - interval '1 s' where next_poll_at is not null")
    batch.run(linger=0.0)


def test_a_background_answer_is_submitted_once_and_polled_until_it_is_there(
    harness: BatchHarness, model: Model, script: Scripted
) -> None:
    done = response("completed", said(email="ada@pumps.example"), usage={"input_tokens": 900, "output_tokens": 50})
    script.answers = [(200, response("queued")), (200, response("in_progress")), (200, done)]
    batch = harness.launch(rows("x"), background(model))
    batch.run(linger=0.0)
    state = batch.state("research")
    assert state["status"] == "IN_PROGRESS" and state["deadline_at"] is not None and state["next_poll_at"] is not None
    looked_at(batch)
    assert batch.state("research")["status"] == "IN_PROGRESS"
    looked_at(batch)
    assert [path for path, _ in model.asked] == ["POST /responses", "GET /responses/resp_1", "GET /responses/resp_1"]
    assert batch.state("research")["outcome"] == "found"
    assert batch.results()[0]["fields"]["email"] == "ada@pumps.example", "it is grounded by the inputs that were kept"
    assert model.headers[1]["authorization"] == "Bearer sk-test"
    assert batch.calls()[0]["cost"] == Decimal("0.0011")


def test_a_background_answer_that_fails_or_is_not_as_asked_is_submitted_anew_within_bounds(
    harness: BatchHarness, model: Model, script: Scripted
) -> None:
    failed = response("failed", error={"code": "server_error", "message": "x"})
    queued = (200, response("queued"))
    script.answers = [queued, (200, failed), queued, (200, response("completed", "prose")), queued]
    script.answers += [(200, response("completed", said()))]
    batch = harness.launch(rows("x"), background(model))
    batch.run(linger=0.0)
    for _ in range(3):
        looked_at(batch)
        batch.due()
        batch.run(linger=0.0)
    assert batch.state("research")["outcome"] == "found", batch.state("research")["reason"]
    assert [(c["state"], c["attempt"]) for c in batch.calls()] == [("failed", 2), ("applied", 1)]
    assert [path for path, _ in model.asked].count("POST /responses") == 3
    script.answers = [queued, (200, response("incomplete", incomplete_details={"reason": "max_output_tokens"}))]
    cut = harness.launch(rows("y"), background(model))
    cut.run(linger=0.0)
    looked_at(cut)
    state = cut.state("research")
    assert state["status"] == "FAILED" and "raise `prompt.max_output_tokens`" in state["reason"]


def test_a_question_that_another_batch_asked_is_not_asked_again_and_reads_by_its_inputs(
    harness: BatchHarness, model: Model, script: Scripted
) -> None:
    script.answers = [PROSE, (200, chat(said(email="ada@pumps.example")))]
    first = harness.launch(rows("x"), prompt_step("score", model, reuse_for="1d"))
    assert first.run().finished
    second = harness.launch(rows("x"), prompt_step("score", model, reuse_for="1d"))
    assert second.run().finished
    assert len(model.asked) == 2
    assert second.results()[0]["fields"] == first.results()[0]["fields"]
    assert second.results()[0]["fields"]["email"] == "ada@pumps.example"


@pytest.mark.parametrize(
    ("provider", "parameters"),
    [
        ("openai", {}),
        ("openai", {"api": "responses"}),
        ("anthropic", {}),
        ("perplexity", {}),
        ("perplexity", {"api": "sonar"}),
    ],
)
def test_each_dialect_is_understood_by_the_sandbox(harness: BatchHarness, provider: str, parameters: Row) -> None:
    workflow = prompt_step("score", provider=provider, parameters=parameters)
    batch = harness.launch(rows("x", "y"), workflow)
    report = batch.run()
    assert report.finished, report
    assert batch.statuses() == {"COMPLETED": 2}, [s["reason"] for s in batch.states()]
    assert all(0 <= result["fields"]["score"] <= 100 for result in batch.results())
