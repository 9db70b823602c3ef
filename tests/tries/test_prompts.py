"""Prompts are tried, tested and compared like any workflow: tokens, citations and dropped values are shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness.models import SCHEMA, chat, playing, prompt_step, question_in, said
from tests.tries.conftest import Desk, Row

PAGE = "We build pumps in Bremen. Write to ada@pumps.example."
REAL = {"ENRICH_SANDBOX_URL": "", "OPENAI_API_KEY": "sk-of-ours-123456"}


def played(_path: str, body: Row) -> tuple[int, Any]:
    """Who writes to `[bob]` is told an address that stands nowhere; who asks for `[prose]` gets no answer first."""
    question = question_in(body)
    if "[bob]" in question:
        return 200, chat(said(email="bob@elsewhere.example"))
    if "[prose]" in question and "not accepted" not in question:
        return 200, chat("A fine company!")
    return 200, chat(said(email="ada@pumps.example"))


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", REAL["OPENAI_API_KEY"])


def test_a_prompt_is_tried_with_its_tokens_its_citations_and_what_grounding_dropped(desk: Desk) -> None:
    with playing(played) as model:
        desk.register(prompt_step("score", model))
        page = ("--set", "company_name=Pumps", "--set", f"original.page={PAGE}")
        dry = desk.json("try", "score", *page, "--dry-run", **REAL)["rows"][0]
        assert dry["request"]["headers"]["authorization"] == "Bearer ${OPENAI_API_KEY}"
        assert PAGE.split(".")[0] in dry["request"]["body"]["text"] and model.asked == []

        tried = desk.json("try", "score", *page, **REAL)
        (row,) = tried["rows"]
        assert (row["outcome"], row["said"]["model"]) == ("found", "gpt-5.2-2026-08-01")
        assert (row["said"]["input_tokens"], row["said"]["cached_input_tokens"], row["said"]["output_tokens"]) == (
            900, 100, 50,
        )  # fmt: skip
        assert row["said"]["inputs"] == {"page": PAGE, "name": "Pumps"}
        assert row["said"]["citations"] == [
            {"field": "email", "input": "page", "quote": "ada@pumps.example", "start": PAGE.index("ada@")}
        ]
        assert row["cost"] == "0.00105", "800 tokens at 1, 100 at 0.5, 50 at 4 dollars a million"
        assert "sk-of-ours" not in json.dumps(tried)

        bob = desk.json("try", "score", "--set", f"original.page={PAGE} [bob]", **REAL)["rows"][0]
        email = next(one for one in bob["fields"] if one["field"] == "email")
        assert (email["answered"], email["value"], email["rejected"]) == ("bob@elsewhere.example", None, "not_grounded")
        twice = desk.json("try", "score", "--set", f"original.page={PAGE} [prose]", **REAL)["rows"][0]
        assert (twice["outcome"], twice["cost"]) == ("found", "0.0021"), "it was asked once more"
        assert "cited     email:" in desk("try", "--show", tried["batch"], **REAL).stdout


def test_a_prompts_answers_are_cases_and_a_changed_schema_is_compared(desk: Desk, tmp_path: Path) -> None:
    cases, recorded = tmp_path / "cases.jsonl", tmp_path / "recorded.jsonl"
    with playing(played) as model:
        step = prompt_step("score", model)
        batch = desk.ran([{"company_name": "Pumps", "page": f"{PAGE} {trap}"} for trap in ("", "[bob]")], step)
        asked = len(model.asked)
        grounded = {"body": chat(said(email="ada@pumps.example"))}
        seen = {"inputs": {"original.page": PAGE}}
        lines: list[Row] = [
            {"name": "grounded", **seen, "answer": grounded, "expect": {"email": "ada@pumps.example", "score": 80}},
            {"name": "as seen", "answer": {"asked": {"page": "no address"}, **grounded}, "expect": {"email": None},
             "assert": "rejected.email.reason == 'not_grounded'"},
            {"name": "refused", **seen, "answer": {"body": chat(None, refusal="No.")}, "outcome": "not_found",
             "assert": "reason == 'refused'"},
            {"name": "unlike", **seen, "answer": {"body": chat(said(101))}, "outcome": "failed"},
        ]  # fmt: skip
        cases.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        report = desk.json("workflow", "test", "score", str(cases))
        assert [(one["case"], one["reason"]) for one in report["results"] if not one["passed"]] == []

        assert desk.json("workflow", "test", "score", str(recorded), "--record", batch.key)["cases"] == 2
        assert desk.json("workflow", "test", "score", str(recorded))["failed"] == 0

        stricter = {**SCHEMA, "properties": {**SCHEMA["properties"], "score": {"type": "integer", "maximum": 50}}}
        shown = yaml.safe_load(desk("workflow", "show", "score").stdout)
        changed = tmp_path / "score.yaml"
        changed.write_text(yaml.safe_dump({**shown, "prompt": {**shown["prompt"], "answer": stricter}}))
        compared = desk.json("workflow", "test", str(changed), "--replay", batch.key)
        assert compared["endings"] == [{"before": "found", "after": "failed", "answers": 2}]
        ungrounded = {key: value for key, value in shown["prompt"].items() if key != "grounded"}
        changed.write_text(yaml.safe_dump({**shown, "prompt": ungrounded}))
        compared = desk.json("workflow", "test", str(changed), "--replay", batch.key)
        email = next(one for one in compared["fields"] if one["field"] == "email")
        assert (email["same"], email["gained"], email["examples"][0]["after"]) == (1, 1, "bob@elsewhere.example")
        assert len(model.asked) == asked, "no call was made"
