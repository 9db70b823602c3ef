"""Answers that are wrapped, empty or text: read where they can be read, else an error, never a paid miss."""

from __future__ import annotations

import json
from typing import Any

import pytest

from enrichment_assets.domain.charsets import allowed_charset, decode_text
from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.mapping import ResponseReader
from enrichment_assets.domain.provider import Answer, Reading
from enrichment_assets.domain.statuses import Outcome
from enrichment_assets.registry.loader import builtin_workflows
from tests.harness.batches import async_step, step

EMAIL = "ann@a.example"
FOUND = {"status": "done", "email": EMAIL}
MISSED = {"status": "not_found"}
ASKING = async_step("ask", provides={"email": "email"}, callback={"found_if": "status != 'not_found'"})


def called_back(body: Any, workflow: Any = ASKING) -> Reading:
    return ResponseReader(workflow).read_callback(body if isinstance(body, bytes) else json.dumps(body).encode())


def answered(body: Any, **fields: Any) -> Reading:
    workflow = step("ask", **{"provides": {"email": "email"}, "response": {}, **fields})
    return ResponseReader(workflow).read(Answer(200, {}, json.dumps(body).encode()))


WRAPPINGS = {
    "a list": lambda inner: [inner],
    "a string": json.dumps,
    "a string in a string": lambda inner: json.dumps(json.dumps(inner)),
    "an item of n8n": lambda inner: [{"json": inner, "pairedItem": {"item": 0}}],
    "an item alone": lambda inner: {"json": inner, "binary": {}},
    "a webhook node's output": lambda inner: [{"headers": {"host": "h"}, "params": {}, "query": {}, "body": inner}],
    "an HTTP node's output": lambda inner: {"statusCode": 200, "headers": {}, "body": json.dumps(inner)},
    "all items in a field": lambda inner: {"data": [inner]},
    "a field": lambda inner: {"data": inner},
}


@pytest.mark.parametrize("wrap", WRAPPINGS.values(), ids=WRAPPINGS)
def test_a_wrapped_callback_is_read_as_what_is_inside(wrap: Any) -> None:
    found, missed = called_back(wrap(FOUND)), called_back(wrap(MISSED))
    assert (found.outcome, dict(found.fields)) == (Outcome.FOUND, {"email": EMAIL})
    assert (missed.outcome, dict(missed.fields)) == (Outcome.NOT_FOUND, {})


@pytest.mark.parametrize(
    "body",
    [
        [FOUND, FOUND],
        [{"json": FOUND}, {"json": FOUND}],
        [[1, 2]],
        "Workflow was started",
        42,
        True,
        None,
        b'"{\\"email\\": \\"ann@"',
        {"data": [FOUND, MISSED]},
    ],
)
def test_a_callback_that_no_miss_can_be_told_from_is_an_error(body: Any) -> None:
    with pytest.raises(ContractError):
        called_back(body)


def test_a_mapping_that_means_the_wrapping_is_taken_at_its_word() -> None:
    lists = async_step("ask", provides={"email": "[?status=='done'].email | [0]"}, callback={})
    assert dict(called_back([MISSED, FOUND], lists).fields) == {"email": EMAIL}
    assert called_back([MISSED, MISSED], lists).outcome is Outcome.NOT_FOUND
    inside = async_step("ask", provides={"email": "data[0].email"}, callback={})
    assert called_back({"data": [FOUND]}, inside).fields["email"] == EMAIL
    assert called_back({"data": [FOUND]}, inside).payload == {"data": [FOUND]}


def test_an_error_of_the_wrapping_is_not_seen_through() -> None:
    refusing = async_step("ask", provides={"email": "email"}, callback={"error_if": "[0].error"})
    with pytest.raises(ContractError, match="is an error"):
        called_back([{"error": "credits", "email": EMAIL}], refusing)


N8N = builtin_workflows()["run-n8n-webhook"]


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({}, Outcome.NOT_FOUND),
        ([], Outcome.NOT_FOUND),
        ([{}], Outcome.NOT_FOUND),
        ([{"json": {}}], Outcome.NOT_FOUND),
        ({"result": None}, Outcome.NOT_FOUND),
        ({"result": ""}, Outcome.NOT_FOUND),
        ({"result": {}, "status": "ok"}, Outcome.NOT_FOUND),
        ({"result": {"email": None, "phones": [" "]}}, Outcome.NOT_FOUND),
        ({"email": None, "phones": []}, Outcome.NOT_FOUND),
        ([{"json": {"status": "not_found"}}], Outcome.NOT_FOUND),
        ({"result": False}, Outcome.FOUND),
        ({"result": 0}, Outcome.FOUND),
        ({"result": {"score": 0}}, Outcome.FOUND),
        ({"email": EMAIL}, Outcome.FOUND),
        ([{"json": {"result": {"a": 1}}}], Outcome.FOUND),
    ],
)
def test_nothing_from_n8n_is_no_finding(body: Any, outcome: Outcome) -> None:
    assert called_back(body, N8N).outcome is outcome


def test_text_in_an_answer_a_callback_and_a_poll_is_opened_before_it_is_mapped() -> None:
    mapped = {"provides": {"email": "output.email"}, "response": {"decode": "output"}, "callback": {}}
    text = {"output": 'Here you are:\n```json\n{"email": "ann@a.example"}\n```'}
    assert answered(text, **mapped).fields["email"] == EMAIL
    assert called_back([text], async_step("ask", **mapped)).fields["email"] == EMAIL
    polled = async_step("ask", **mapped, poll={"request": {"url": "/x"}, "payload": "result"})
    poll = ResponseReader(polled).read_poll(Answer(200, {}, json.dumps({"result": text}).encode()))
    assert poll is not None and poll.fields["email"] == EMAIL


def test_text_that_is_cut_off_is_an_error_not_a_miss() -> None:
    mapped = {"provides": {"email": "output.email"}, "response": {"decode": "output"}, "callback": {}}
    with pytest.raises(ContractError, match="cut off"):
        answered({"output": '```json\n{"email": "ann@'}, **mapped)
    with pytest.raises(ContractError, match="cut off"):
        called_back({"output": '{"email": "ann@'}, async_step("ask", **mapped))


def test_a_path_that_is_none_is_refused_with_the_workflow() -> None:
    with pytest.raises(ConfigurationError, match=r"workflow ask, response.decode"):
        ResponseReader(step("ask", response={"decode": "length(@)"}))


def test_what_was_mended_is_told_with_the_reading() -> None:
    assert called_back(b'{"email":"ann@a.example","bio":"\\ud83d"}').note == "half a character was read as U+FFFD"
    assert called_back(FOUND).note is None


@pytest.mark.parametrize("name", ["idna", "punycode", "utf-7", "rot13", "base64", "unicode_escape", "mbcs", "nonsense"])
def test_a_charset_that_is_none_of_the_webs_is_not_decoded_with(name: str) -> None:
    assert allowed_charset(name) is None
    assert decode_text(b"caf\xc3\xa9", f"text/plain; charset={name}") == "café"


@pytest.mark.parametrize(
    ("name", "letter", "raw"),
    [
        ("windows-1252", "é", b"\xe9"),
        ("ISO-8859-2", "ł", b"\xb3"),
        ("koi8-r", "я", b"\xd1"),
        ("Shift_JIS", "日", b"\x93\xfa"),
        ("GB18030", "中", b"\xd6\xd0"),
        ('"utf-8"', "é", b"\xc3\xa9"),
    ],
)
def test_charsets_of_web_pages_are_decoded(name: str, letter: str, raw: bytes) -> None:
    assert decode_text(raw, f"text/html; charset={name}") == letter
