"""JSON that a language model wrote into text: opened where there is one document, refused where it is half of one."""

from __future__ import annotations

from typing import Any

import pytest

from enrichment_assets.domain.text_json import TextOpener, json_in_text

ONE = {"email": "ann@a.example"}
TEXT = '{"email": "ann@a.example"}'


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"```json\n{TEXT}\n```",
        f"```\n{TEXT}\n```",
        f"~~~JSON\r\n{TEXT}\r\n~~~",
        f"```json {TEXT}```",
        f"```json\n{TEXT}```",
        f"Sure! Here is the result:\n\n```json\n{TEXT}\n```\nLet me know {{name}}.",
        f"I found [1] source. {TEXT} Hope that helps!",
        f'<think>maybe {{"email": null}}</think>\n{TEXT}',
        f"{TEXT}\n{TEXT}",
        '"{\\"email\\": \\"ann@a.example\\"}"',
        f"```json\n{TEXT}\n```\nand again\n```json\n{TEXT}\n```",
        f"````\n{TEXT}\n````",
    ],
)
def test_the_one_document_is_found_whatever_stands_around_it(text: str) -> None:
    assert json_in_text(text) == ONE


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"email": "ann@a.exam', "cut off"),
        ('```json\n{"email": "ann@', "cut off"),
        ('```json\n{"email": "ann@\n```', "cut off"),
        ('Here: {"people": [{"email": "a@a.example"},', "cut off"),
        ('{"person": {"email": "a@a.example"}, oops}', "broken"),
        ('{"a": 1} or {"a": 2}', "2 different"),
        ("I could not find anybody {name} [1].", "no JSON"),
        ("", "no JSON"),
        ("true", "no JSON"),
        ("{x" * 500, "too many"),
        ("[" * 5_000, "nested too deeply"),
    ],
)
def test_half_a_document_or_two_of_them_are_none(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        json_in_text(text)


@pytest.mark.parametrize(
    ("path", "payload", "opened"),
    [
        # OpenAI chat completions; n8n's AI Agent node; Anthropic messages with a thinking block beside the text
        (
            "choices[0].message.content",
            {"choices": [{"message": {"content": TEXT}}], "usage": {"total_tokens": 5}},
            {"choices": [{"message": {"content": ONE}}], "usage": {"total_tokens": 5}},
        ),
        ("output", {"output": f"```json\n{TEXT}\n```"}, {"output": ONE}),
        ("output", {"output": ONE}, {"output": ONE}),
        ("output", {"error": None}, {"error": None}),
        ("output", {"output": None}, {"output": None}),
        ("[0].output", [{"output": TEXT}], [{"output": ONE}]),
        (
            "content[*].text",
            {"content": [{"type": "thinking", "thinking": "hm"}, {"text": "let me see"}, {"text": TEXT}]},
            {"content": [{"type": "thinking", "thinking": "hm"}, {"text": "let me see"}, {"text": ONE}]},
        ),
        ("@", TEXT, ONE),
        ('a."b-c"[-1]', {"a": {"b-c": ["x", TEXT]}}, {"a": {"b-c": ["x", ONE]}}),
    ],
)
def test_a_path_opens_the_text_in_its_place(path: str, payload: Any, opened: Any) -> None:
    before = repr(payload)
    assert TextOpener(path)(payload) == opened
    assert repr(payload) == before


def test_where_no_text_of_several_holds_json_the_first_refusal_counts() -> None:
    with pytest.raises(ValueError, match="no JSON"):
        TextOpener("content[*].text")({"content": [{"text": "sorry"}, {"text": "no"}]})


@pytest.mark.parametrize("path", ["content[?type=='text'].text", "length(content)", "a || b", "{a: b}"])
def test_a_path_is_names_indexes_and_stars(path: str) -> None:
    with pytest.raises(ValueError, match="names, indexes"):
        TextOpener(path)
