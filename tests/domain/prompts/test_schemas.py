"""Schemas of answers: what each dialect refuses, with the place, and what leaves of them."""

from typing import Any

import pytest

from enrichment_assets.domain.prompts.schemas import Carrier, as_carried, general_faults, schema_faults


def closed(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An object as OpenAI's strict mode wants it."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
        **more,
    }


TREE = closed({"name": {"type": "string"}, "parts": {"type": "array", "items": {"$ref": "#/$defs/tree"}}})
RECURSIVE = closed({"tree": {"$ref": "#/$defs/tree"}}, **{"$defs": {"tree": TREE}})
ENDLESS = closed({"a": {"$ref": "#/$defs/node"}}, **{"$defs": {"node": closed({"next": {"$ref": "#/$defs/node"}})}})


@pytest.mark.parametrize(
    ("schema", "place", "reason"),
    [
        # platform.openai.com/docs/guides/structured-outputs, "Supported schemas"
        (closed({"a": {"type": "string"}}, required=[]), ("required",), "'a' is not"),
        ({**closed({"a": {"type": "string"}}), "additionalProperties": True}, ("additionalProperties",), "close every"),
        (closed({"a": {"type": "object", "properties": {}}}), ("properties", "a", "additionalProperties"), "close"),
        (
            closed({"votes": {"type": "object", "additionalProperties": {"type": "integer"}}}),  # of a dict[str, int]
            ("properties", "votes", "additionalProperties"),
            "close every",
        ),
        (closed({"a": {"allOf": [{"type": "string"}]}}), ("properties", "a", "allOf"), "no `allOf`"),
        (closed({"a": {"not": {"type": "null"}}}), ("properties", "a", "not"), "no `not`"),
        (closed({"a": {"if": {}, "then": {}}}), ("properties", "a", "if"), "no `if`"),
        (closed({"a": {"oneOf": [{"type": "string"}]}}), ("properties", "a", "oneOf"), "`anyOf` is taken"),
        (closed({"a": {"type": "string", "default": ""}}), ("properties", "a", "default"), "no `default`"),
        (
            closed({"a": {"$ref": "#/$defs/a", "description": "x"}}, **{"$defs": {"a": {"type": "string"}}}),
            ("properties", "a"),
            "beside `$ref`: description",
        ),
        (closed({"a": {"type": "string"}}, anyOf=[{}]), ("anyOf",), "no choice at the top"),
        (
            closed({"list": {"type": "array", "items": {"type": "object", "properties": {"b": {}}}}}),
            ("properties", "list", "items", "additionalProperties"),
            "close every",
        ),
    ],
)
def test_openai_refuses_what_strict_schemas_cannot_say(
    schema: dict[str, Any], place: tuple[str, ...], reason: str
) -> None:
    faults = dict(schema_faults(schema, Carrier.OPENAI))
    assert place in faults
    assert reason in faults[place]


def test_openai_takes_a_recursion_that_ends_and_properties_called_like_keywords() -> None:
    assert list(schema_faults(RECURSIVE, Carrier.OPENAI)) == []
    named_like_keywords = closed({"default": {"type": "string"}, "not": {"type": "string"}, "items": {"type": "null"}})
    assert list(schema_faults(named_like_keywords, Carrier.OPENAI)) == []


def test_anthropic_counts_what_may_be_left_out_and_what_is_of_several_types() -> None:
    def faults(optional: int, unions: int) -> list[str]:
        properties = {f"o{number}": {"type": "string"} for number in range(optional)}
        properties |= {f"u{number}": {"type": ["string", "null"]} for number in range(unions)}
        schema = {"type": "object", "properties": properties, "required": [f"u{n}" for n in range(unions)]}
        return [message for _, message in schema_faults(schema, Carrier.ANTHROPIC)]

    assert faults(24, 16) == []
    assert "25 properties may be left out: Anthropic takes 24" in faults(25, 16)[0]
    assert "17 properties are of several types: Anthropic takes 16" in faults(24, 17)[0]


def test_anthropic_counts_in_nested_objects_and_choices_too() -> None:
    inner = {"type": "object", "properties": {f"o{n}": {"anyOf": [{"type": "string"}]} for n in range(17)}}
    schema = {"type": "object", "properties": {"list": {"type": "array", "items": inner}}, "required": ["list"]}
    assert any(
        "17 properties are of several types" in message for _, message in schema_faults(schema, Carrier.ANTHROPIC)
    )


@pytest.mark.parametrize("carrier", [Carrier.ANTHROPIC, Carrier.GEMINI, Carrier.PERPLEXITY])
def test_a_schema_that_contains_itself_is_refused_where_recursion_is_not_taken(carrier: Carrier) -> None:
    places = [place for place, message in schema_faults(RECURSIVE, carrier) if "contain themselves" in message]
    assert places == [("properties", "tree", "$ref")]
    twice = closed({"a": {"$ref": "#/$defs/a"}, "b": {"$ref": "#/$defs/a"}}, **{"$defs": {"a": {"type": "string"}}})
    assert not [message for _, message in schema_faults(twice, carrier) if "contain themselves" in message]


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "array", "items": {}}, "an answer is an object"),
        ({"anyOf": [{"type": "object"}]}, "an answer is an object"),
        ({}, "an answer is an object"),
        (closed({"a": {"$ref": "#/$defs/nothing"}}), "is no part of this schema"),
        (closed({"a": {"$ref": "https://schemas.example/a"}}), "is no part of this schema"),
        (ENDLESS, "no end"),
        (closed({"self": {"$ref": "#"}}), "no end"),
        (closed({"list": {"type": "array", "minItems": 1, "items": {"$ref": "#"}}}), "no end"),
        (closed({"a": {"anyOf": [{"$ref": "#"}, closed({"b": {"$ref": "#"}})]}}), "no end"),
    ],
)
def test_nobody_can_carry_an_answer_that_is_no_object_or_has_no_end(schema: dict[str, Any], reason: str) -> None:
    assert [reason in message for _, message in general_faults(schema)] == [True]


@pytest.mark.parametrize(
    "schema",
    [
        RECURSIVE,
        closed({"self": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}),
        closed({"list": {"type": "array", "items": {"$ref": "#"}}}),
        {"type": "object", "properties": {"self": {"$ref": "#"}}},  # it may be left out
    ],
)
def test_a_recursion_that_can_end_is_taken(schema: dict[str, Any]) -> None:
    assert list(general_faults(schema)) == []


def test_bounds_are_stripped_and_told_in_words() -> None:
    score = {"type": "integer", "minimum": 0, "maximum": 100, "description": "How well they fit."}
    sent = as_carried(closed({"score": score, "maximum": {"type": "string", "pattern": "^a"}}), Carrier.OPENAI)
    assert sent["properties"]["score"] == {
        "type": "integer",
        "description": "How well they fit. (minimum: 0, maximum: 100)",
    }
    assert sent["properties"]["maximum"] == {"type": "string", "description": "(pattern: ^a)"}
    assert sent["additionalProperties"] is False


def test_each_carrier_gets_what_it_knows() -> None:
    schema = closed(
        {"kind": {"const": "a"}, "list": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/word"}}},
        **{
            "$defs": {"word": {"type": "string", "minLength": 2}},
            "$schema": "https://json-schema.org/draft/2020-12/schema",
        },
    )
    anthropic = as_carried(schema, Carrier.ANTHROPIC)
    assert anthropic["properties"]["list"]["minItems"] == 1
    assert anthropic["$defs"]["word"] == {"type": "string", "description": "(minLength: 2)"}
    gemini = as_carried(schema, Carrier.GEMINI)
    assert gemini["properties"]["kind"] == {"enum": ["a"]}
    assert gemini["properties"]["list"]["items"] == {"type": "string", "description": "(minLength: 2)"}
    assert not {"$defs", "$schema", "additionalProperties"} & set(gemini)
    assert as_carried(schema, Carrier.WHOLE) == schema
    assert "$schema" not in as_carried(schema, Carrier.OPENAI)


@pytest.mark.parametrize("carrier", list(Carrier))
def test_a_model_writes_in_the_order_of_required_whatever_jsonb_made_of_the_properties(carrier: Carrier) -> None:
    # OpenAI, "Structured outputs": "outputs will be produced in the same order as the ordering of keys in the schema".
    inner = {
        "type": "object",
        "properties": {"b": {}, "aa": {}},
        "required": ["aa", "b"],
        "additionalProperties": False,
    }
    schema = {
        "type": "object",
        "properties": {"list": {"type": "array", "items": inner}, "score": {"type": "integer"}, "reason": {}},
        "required": ["reason", "score", "list"],
        "additionalProperties": False,
    }
    sent = as_carried(schema, carrier)
    assert list(sent["properties"]) == ["reason", "score", "list"]
    assert list(sent["properties"]["list"]["items"]["properties"]) == ["aa", "b"]
    optional = as_carried({**schema, "required": ["reason", "not there"]}, carrier)
    assert list(optional["properties"]) == ["reason", "list", "score"]
