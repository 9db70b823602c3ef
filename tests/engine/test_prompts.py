"""Prompts through the engine: what a model answers becomes fields, a refusal, a failure, or one more ask."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import orjson
import pytest

from tests.harness.batches import BatchHarness, Row
from tests.harness.models import chat, playing, prompt_step, question_in, said

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
