"""Answers read by JMESPath: exact, total, and surprised by nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import jmespath
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.expressions import Expression, condition, fields_named
from enrichment_assets.domain.jsontext import parse_json
from enrichment_assets.domain.mapping import ResponseReader
from enrichment_assets.domain.provider import Answer, Reading
from enrichment_assets.domain.statuses import Outcome
from enrichment_assets.domain.workflow import WorkflowDefinition
from enrichment_assets.registry.loader import builtin_workflows


def reader(mode: str = "sync", **fields: Any) -> ResponseReader:
    return ResponseReader(
        WorkflowDefinition(
            slug="a-step",
            title="A",
            step=1,
            provider="http",
            operation="x",
            mode=mode,
            request={"url": "/v1"},
            **fields,
        )
    )


def answer(body: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, headers, body if isinstance(body, bytes) else orjson.dumps(body))


def test_provided_values_are_mapped_with_their_types_and_blanks_are_absent() -> None:
    provides = {
        "email": "d.email",
        "score": "d.score",
        "zero": "d.zero",
        "no": "d.no",
        "blank": "d.blank",
        "list": "d.list",
    }
    reading = reader(provides=provides).read(
        answer({"d": {"email": "a@b.co", "score": 7, "zero": 0, "no": False, "blank": " ", "list": []}})
    )
    assert reading.fields == {"email": "a@b.co", "score": 7, "zero": 0, "no": False}
    assert reading.outcome is Outcome.FOUND


def test_without_any_provided_value_nothing_was_found() -> None:
    reading = reader(provides={"email": "d.email"}).read(answer({"d": {"email": None}}))
    assert (reading.outcome, reading.fields) == (Outcome.NOT_FOUND, {})
    assert reading.payload == {"d": {"email": None}}


def test_found_if_outranks_the_default_and_a_miss_provides_nothing() -> None:
    mapping = {"provides": {"email": "email"}, "response": {"found_if": "ok"}}
    assert reader(**mapping).read(answer({"ok": True})).outcome is Outcome.FOUND
    missed = reader(**mapping).read(answer({"ok": False, "email": "a@b.co"}))
    assert (missed.outcome, missed.fields) == (Outcome.NOT_FOUND, {})


def test_an_error_in_a_good_status_is_a_contract_error() -> None:
    with pytest.raises(ContractError, match="is an error"):
        reader(response={"error_if": "error"}).read(answer({"error": "no"}))


@pytest.mark.parametrize(
    "number", [-6123456789012345678, -(2**63), -(2**63) - 1, 2**63 - 1, 2**64 - 1, 2**64, 2**80, -7]
)
def test_an_external_id_keeps_every_digit(number: int) -> None:
    body = b'{"request_id": %d}' % number
    assert reader(response={"external_id": "request_id"}).read(answer(body)).external_id == str(number)


def test_an_integer_beyond_64_bits_stays_exact_as_text_so_that_it_can_be_stored() -> None:
    value = parse_json(b'{"a": 123456789012345678901234567890, "b": -6123456789012345678, "c": 1.5}')
    assert value == {"a": "123456789012345678901234567890", "b": -6123456789012345678, "c": 1.5}
    assert orjson.loads(orjson.dumps(value)) == value


def test_a_nul_character_is_replaced_because_postgres_cannot_hold_it() -> None:
    assert parse_json(rb'{"a\u0000": ["x\u0000y"]}') == {"a\ufffd": ["x\ufffdy"]}


@pytest.mark.parametrize(
    "body",
    [b"", b"  ", b"<html>", b'{"a":', b"NaN", b"\xff\xfe", b"[" * 100_000, b'{"a":1}{"b":2}'],
)
def test_what_is_not_json_is_a_contract_error(body: bytes) -> None:
    with pytest.raises(ContractError, match="not JSON"):
        reader().read(answer(body))


def test_a_byte_order_mark_is_no_reason_to_refuse() -> None:
    assert reader().read(answer(b'\xef\xbb\xbf{"a": 1}')).payload == {"a": 1}


@pytest.mark.parametrize(
    ("cost", "units"),
    [
        (1, "1"),
        (0.5, "0.5"),
        ("0.001", "0.001"),
        (0, "0"),
        (-1, None),
        (True, None),
        ("free", None),
        ("NaN", None),
        ([], None),
    ],
)
def test_a_reported_cost_is_an_exact_decimal_or_not_said(cost: Any, units: str | None) -> None:
    reading = reader(response={"cost": "cost"}).read(answer({"cost": cost, "x": 1}))
    assert reading.cost_units == (None if units is None else Decimal(units))


def test_text_answers_are_decoded_and_carry_headers_and_final_url() -> None:
    text = reader(response={"format": "text"}, provides={"page": "text", "url": "final_url"})
    headers = {"content-type": "text/html; charset=latin-1", "zr-final-url": "https://x.com/en"}
    reading = text.read(Answer(200, headers, "Zoë".encode("latin-1")))
    assert reading.fields == {"page": "Zoë", "url": "https://x.com/en"}
    assert (
        text.read(Answer(200, {"content-type": "text/html; charset=nonsense"}, b"a\0\xff")).fields["page"]
        == "a\ufffd\ufffd"
    )


def test_emitted_objects_come_only_with_a_find() -> None:
    emitting = reader(emits="people", response={"found_if": "ok"})
    assert emitting.read(answer({"ok": 1, "people": [{"n": 1}, {"n": 2}]})).emitted == ({"n": 1}, {"n": 2})
    assert emitting.read(answer({"ok": 1, "people": None})).emitted == ()
    assert emitting.read(answer({"ok": False, "people": [{"n": 1}]})).emitted == ()
    mixed = emitting.read(answer({"ok": 1, "people": [{"n": 1}, "x", None]}))
    assert mixed.emitted == ({"n": 1}, "x", None), "what is no object is counted where children are made"
    for wrong in ({"n": 1}, "x", 5):
        with pytest.raises(ContractError, match="list of objects"):
            emitting.read(answer({"ok": 1, "people": wrong}))


def test_the_acknowledgement_of_an_async_call_may_be_anything() -> None:
    asynchronous = reader("async", provides={"x": "x"}, response={"external_id": "id"})
    assert asynchronous.read(answer(b"Workflow got started")).external_id is None
    assert asynchronous.read(answer({"id": -5, "x": "early"})) == Reading(
        Outcome.NOT_FOUND, {"id": -5, "x": "early"}, {}, external_id="-5"
    )


def test_a_callback_is_judged_whole_and_its_payload_is_mapped() -> None:
    callback = {"payload": "data.row", "found_if": "status == 'ok'", "error_if": "status == 'error'"}
    asynchronous = reader("async", provides={"x": "x"}, callback=callback)
    reading = asynchronous.read_callback(b'{"status":"ok","data":{"row":{"x":"1"}}}')
    assert (reading.outcome, reading.fields, reading.payload) == (Outcome.FOUND, {"x": "1"}, {"x": "1"})
    assert asynchronous.read_callback(b'{"status":"miss"}').outcome is Outcome.NOT_FOUND
    with pytest.raises(ContractError):
        asynchronous.read_callback(b'{"status":"error"}')


def test_a_poll_waits_while_it_is_pending_and_then_reads_like_the_callback() -> None:
    poll = {
        "request": {"method": "GET", "url": "/r"},
        "pending_if": "e == 'wait'",
        "pending_status": [202],
        "payload": "result",
    }
    polled = reader("async", provides={"x": "x"}, poll=poll, callback={"found_if": "x"})
    assert polled.read_poll(answer({"e": "wait"}, 404)) is None
    assert polled.read_poll(answer(b"anything", 202)) is None
    done = polled.read_poll(answer({"result": {"x": "1"}}))
    assert done is not None
    assert done.fields == {"x": "1"}
    with pytest.raises(ContractError, match="HTTP 410"):
        polled.read_poll(answer({"e": "gone"}, 410))


def test_an_expression_that_is_none_is_refused_with_workflow_and_field() -> None:
    with pytest.raises(ConfigurationError, match=r"workflow a-step, provides\.x"):
        reader(provides={"x": "a..b"})


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("email", {"email"}),
        ("!email && company.name == 'x'", {"email", "company"}),
        ("a[?b > c].d | [0]", {"a"}),
        ("contains(title, 'x') || length(names) > `3`", {"title", "names"}),
        ("{x: a, y: b.c}", {"a", "b"}),
        ("sort_by(people, &age)[0]", {"people"}),
        ("@.email", {"email"}),
        ("*", set()),
    ],
)
def test_the_fields_an_expression_reads_are_known(expression: str, names: set[str]) -> None:
    assert fields_named(expression) == names


def test_a_condition_has_the_truth_of_jmespath() -> None:
    for value, truth in [(None, False), ("", False), ([], False), ({}, False), (False, False), (0, True), ("x", True)]:
        assert condition("x")({"x": value}) is truth
    assert condition("!email")({}) is True


def test_the_placeholder_of_apollo_is_no_email() -> None:
    match = ResponseReader(builtin_workflows()["match-person-via-apollo"])
    person = {"id": "1", "email": "email_not_unlocked@domain.com", "title": "CEO"}
    reading = match.read(answer({"person": person, "request_id": -1}))
    assert reading.fields == {"apollo_person_id": "1", "title": "CEO"}
    assert match.read(answer({"person": {**person, "email": "a@b.co"}})).fields["email"] == "a@b.co"
    assert match.read(answer({"person": None})).outcome is Outcome.NOT_FOUND


@pytest.mark.parametrize(
    "data", [{"a": {"b": {"c": 1}}}, {"a": {"b": [1]}}, {"a": [{"b": 1}]}, {"a": "x"}, [], None, 5]
)
def test_a_plain_path_gives_what_jmespath_gives(data: Any) -> None:
    for path in ("a", "a.b", "a.b.c", '"a".b'):
        assert Expression(path, "x")(data) == jmespath.search(path, data)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.sampled_from(["person", "people", "data", "error"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(_JSON | st.binary())
def test_no_payload_makes_a_builtin_mapping_raise_anything_but_a_contract_error(payload: Any) -> None:
    body = payload if isinstance(payload, bytes) else __import__("json").dumps(payload).encode()
    for workflow in builtin_workflows().values():
        compiled = ResponseReader(workflow)
        for read in (compiled.read_callback, lambda b, c=compiled: c.read(Answer(200, {}, b))):
            try:
                assert isinstance(read(body), Reading)
            except ContractError:
                continue


def test_a_workflow_says_the_types_of_its_own_fields_and_they_are_checked_when_it_is_saved() -> None:
    provides: Any = {"seats": {"from": "d.seats", "type": "range"}, "open": "d.open"}
    reading = reader(provides=provides, types={"open": "boolean"}).read(
        answer({"d": {"seats": "51-200", "open": "no"}})
    )
    assert reading.fields == {"seats": "51-200", "seats_min": 51, "seats_max": 200, "open": False}
    refused: list[tuple[dict[str, Any], str]] = [
        ({"provides": {"a": "x"}, "types": {"b": "count"}}, "types.b: the workflow does not provide b"),
        ({"provides": {"email": "x"}, "types": {"email": "text"}}, "email is of type email everywhere"),
        ({"provides": {"a": "x"}, "types": {"a": "numbers"}}, "types.a"),
        ({"provides": {"a": {"from": "x", "kind": "count"}}}, "kind is not known"),
        ({"provides": {"a": {"type": "count"}}}, "provides.a"),
    ]
    for fields, message in refused:
        with pytest.raises(ValueError, match=message):
            reader(**fields)
    plain = reader(provides={"seats": "d.seats"})
    assert plain.read(answer({"d": {"seats": "51-200"}})).fields == {"seats": "51-200"}


def test_an_answer_that_is_found_by_a_value_that_is_none_found_nothing() -> None:
    find = reader(provides={"email": "d.email", "score": "d.score"}, response={"found_if": "d.email"})
    missed = find.read(answer({"d": {"email": True, "score": 90}}))
    assert (missed.outcome, missed.fields) == (Outcome.NOT_FOUND, {})
    assert missed.rejected == {"email": {"value": True, "reason": "wrong_type"}}
    assert find.read(answer({"d": {"email": "a@b.co", "score": 90}})).outcome is Outcome.FOUND
