"""What is wrong with the schema of an answer, for everybody and for one dialect, and what is stripped before it leaves.

Vendors promise answers that fit the schema, and each takes a part of JSON Schema only. A keyword that only narrows a
value (`minimum`, `pattern`) is stripped where a dialect does not know it, and told to the model in words; the answer is
validated here against the whole schema. What decides the form of the answer (`allOf`, optional properties) cannot be
stripped: such a schema is refused before it is saved, with the place.

Sources: OpenAI, "Structured outputs", supported schemas; Anthropic, "Structured outputs", JSON Schema limitations;
Google, "Structured output" of the Gemini API.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

import orjson

Schema = Mapping[str, Any]
Place = tuple[str | int, ...]
SchemaFault = tuple[Place, str]
"""Keys into the schema, and what is wrong there."""

_HOLD_SCHEMAS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LIST_SCHEMAS = ("anyOf", "oneOf", "allOf", "prefixItems")
_ARE_SCHEMAS = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
                "unevaluatedItems", "unevaluatedProperties")  # fmt: skip

NARROWING = frozenset({
    "minLength", "maxLength", "pattern", "format", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
    "multipleOf", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "contains", "minContains",
    "maxContains", "propertyNames", "unevaluatedItems", "unevaluatedProperties", "patternProperties",
})  # fmt: skip
"""Keywords that allow fewer values and change nothing else of an answer's form."""

_ABOUT = frozenset({"$schema", "$id", "$comment", "examples", "deprecated", "readOnly", "writeOnly"})
"""Keywords that say something of the schema itself."""

_FORMS = ("allOf", "oneOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "default")
"""What OpenAI's strict mode refuses, wherever it stands."""

MOST_LEVELS = 10
MOST_PROPERTIES = 5_000
MOST_ENUM_VALUES = 1_000
"""OpenAI's bounds for the whole schema."""

MOST_OPTIONAL = 24
MOST_UNIONS = 16
"""Anthropic's bounds for one request."""


class Carrier(StrEnum):
    """Whose rules a schema travels by; `parameters.schemas` of a workflow names one."""

    OPENAI = "openai"
    """Strict structured outputs."""
    ANTHROPIC = "anthropic"
    GEMINI = "gemini"
    """Google's subset of OpenAPI."""
    PERPLEXITY = "perplexity"
    WHOLE = "whole"
    """A server that takes all of JSON Schema (vLLM): it is sent as it is."""
    TEXT = "text"
    """A server that takes no schema, or drops it silently (Ollama Cloud): it stands in the instructions."""


def schema_faults(schema: Schema, carrier: Carrier) -> Iterator[SchemaFault]:
    """What of a schema one carrier cannot carry; `general_faults` come first, and alone where there are any."""
    if carrier is Carrier.OPENAI:
        yield from _openai_faults(schema)
    elif carrier is Carrier.ANTHROPIC:
        yield from _anthropic_faults(schema)
    elif carrier in (Carrier.GEMINI, Carrier.PERPLEXITY):
        yield from _recursion_faults(schema, f"{carrier.title()}'s")


def general_faults(schema: Schema) -> Iterator[SchemaFault]:
    """What no carrier can carry: an answer that is no object, a reference to nowhere, a recursion without end."""
    if schema.get("type") != "object":
        yield (
            ("type",),
            "an answer is an object: write `type: object` at the top, with what you ask for in `properties`",
        )
        return
    broken = False
    for place, part in parts_of(schema):
        reference = part.get("$ref")
        if reference is not None and (not isinstance(reference, str) or target(schema, reference) is None):
            broken = True
            yield (*place, "$ref"), f"{reference!r} is no part of this schema: a reference is `#/$defs/Name`"
    if not broken and not _can_end(schema):
        yield (), "the recursion has no end: every object needs another one of its own kind; let it be null or left out"


def as_carried(schema: Schema, carrier: Carrier) -> Mapping[str, Any]:
    """The schema as it leaves: without what the carrier does not know, which is said in `description` instead.

    It is worked out once for a schema, and shared by those who ask for it: not to be changed.
    """
    return _carried_text(orjson.dumps(schema), carrier)


@lru_cache(maxsize=64)
def _carried_text(text: bytes, carrier: Carrier) -> Mapping[str, Any]:
    schema = _rewritten(orjson.loads(text), _in_order)
    if carrier in (Carrier.WHOLE, Carrier.TEXT):
        return schema
    whole = _inlined(schema) if carrier is Carrier.GEMINI else schema
    return _rewritten(whole, lambda part: _carried(part, carrier))


def _in_order(part: dict[str, Any]) -> dict[str, Any]:
    """One part of a schema with its properties in the order of `required`, then the others.

    Models write an answer in the order of its properties (OpenAI, "Structured outputs": key ordering), so a score that
    stands behind its reasons rests on them. Members of an object have no order in jsonb, where workflows are kept.
    """
    properties, required = part.get("properties"), part.get("required")
    if not isinstance(properties, Mapping) or not isinstance(required, list):
        return part
    first = [name for name in required if name in properties]
    return {**part, "properties": {name: properties[name] for name in dict.fromkeys([*first, *properties])}}


def is_open(schema: Schema) -> bool:
    """Whether this part of a schema is an object."""
    kind = schema.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in schema


def parts_of(schema: Schema, place: Place = ()) -> Iterator[tuple[Place, Schema]]:
    """Every schema in a schema with its place, itself first."""
    yield place, schema
    for keyword in _HOLD_SCHEMAS:
        members = schema.get(keyword)
        for name, part in members.items() if isinstance(members, Mapping) else ():
            if isinstance(part, Mapping):
                yield from parts_of(part, (*place, keyword, name))
    for keyword in _LIST_SCHEMAS:
        options = schema.get(keyword)
        for number, part in enumerate(options if isinstance(options, list) else ()):
            if isinstance(part, Mapping):
                yield from parts_of(part, (*place, keyword, number))
    for keyword in _ARE_SCHEMAS:
        if isinstance(part := schema.get(keyword), Mapping):
            yield from parts_of(part, (*place, keyword))


def target(schema: Schema, reference: str) -> Schema | None:
    """What `#/$defs/Name` (or `#`, the schema itself) points to; None: nothing in this schema."""
    if not reference.startswith("#"):
        return None
    found: Any = schema
    for name in reference[1:].split("/")[1:]:
        step = name.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list):
            found = found[int(step)] if step.isdecimal() and int(step) < len(found) else None
        else:
            found = found.get(step) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else None


def _openai_faults(schema: Schema) -> Iterator[SchemaFault]:
    """Strict structured outputs: closed objects, every property required, no keyword that changes the form."""
    if "anyOf" in schema:
        yield ("anyOf",), "OpenAI takes no choice at the top: put it into a property"
    properties = values = 0
    for place, part in parts_of(schema):
        for keyword in _FORMS:
            if keyword in part:
                remedy = "; `anyOf` is taken" if keyword == "oneOf" else ""
                yield (*place, keyword), f"OpenAI's strict schemas have no `{keyword}`{remedy}"
        if "$ref" in part and (beside := sorted(set(part) - {"$ref"})):
            yield place, f"OpenAI takes no keyword beside `$ref`: {', '.join(beside)}"
        if is_open(part):
            yield from _not_strict(place, part)
        named = part.get("properties")
        properties += len(named) if isinstance(named, Mapping) else 0
        values += len(part["enum"]) if isinstance(part.get("enum"), list) else 0
        levels = sum(1 for key in place if key in ("properties", "items"))
        if levels == MOST_LEVELS + 1:
            yield place, f"OpenAI takes {MOST_LEVELS} levels of objects and lists at most"
    if properties > MOST_PROPERTIES:
        yield (), f"{properties} properties: OpenAI takes {MOST_PROPERTIES} at most"
    if values > MOST_ENUM_VALUES:
        yield (), f"{values} values of `enum`: OpenAI takes {MOST_ENUM_VALUES} at most"


def _not_strict(place: Place, part: Schema) -> Iterator[SchemaFault]:
    if part.get("additionalProperties") is not False:
        yield (
            (*place, "additionalProperties"),
            "OpenAI's strict schemas close every object: write `additionalProperties: false`",
        )
    optional = _optional(part)
    if optional:
        yield (
            (*place, "required"),
            f"OpenAI's strict schemas require every property, and {optional[0]!r} is not: name it under `required`, "
            "and let it be null where it may be missing (`type: [string, 'null']`)",
        )


def _anthropic_faults(schema: Schema) -> Iterator[SchemaFault]:
    """No recursion, and few properties that may be left out or are of several types."""
    yield from _recursion_faults(schema, "Anthropic's")
    optional, unions = 0, 0
    for place, part in parts_of(schema):
        optional += len(_optional(part))
        unions += isinstance(part.get("type"), list) or "anyOf" in part or "oneOf" in part
        if isinstance(open_ := part.get("additionalProperties"), Mapping) or open_ is True:
            yield (*place, "additionalProperties"), "Anthropic takes closed objects only: `additionalProperties: false`"
        for keyword in ("oneOf", "not", "if", "dependentRequired", "dependentSchemas"):
            if keyword in part:
                remedy = "; `anyOf` is taken" if keyword == "oneOf" else ""
                yield (*place, keyword), f"Anthropic's schemas have no `{keyword}`{remedy}"
    if optional > MOST_OPTIONAL:
        yield (), f"{optional} properties may be left out: Anthropic takes {MOST_OPTIONAL} at most; require the others"
    if unions > MOST_UNIONS:
        yield (), f"{unions} properties are of several types: Anthropic takes {MOST_UNIONS} at most"


def _optional(part: Schema) -> list[str]:
    properties, required = part.get("properties"), part.get("required")
    names = list(properties) if isinstance(properties, Mapping) else []
    return [name for name in names if not isinstance(required, list) or name not in required]


def _recursion_faults(schema: Schema, whose: str) -> Iterator[SchemaFault]:
    for place, part in parts_of(schema):
        reference = part.get("$ref")
        if isinstance(reference, str) and _leads_back(schema, reference):
            yield (*place, "$ref"), f"{whose} schemas cannot contain themselves, and {reference!r} does"
            return


def _leads_back(schema: Schema, reference: str) -> bool:
    """Whether what a reference names comes to itself again."""
    seen: set[str] = set()
    waiting = [reference]
    while waiting:
        found = target(schema, waiting.pop())
        for _, part in parts_of(found) if found is not None else ():
            named = part.get("$ref")
            if named == reference:
                return True
            if isinstance(named, str) and named not in seen:
                seen.add(named)
                waiting.append(named)
    return False


def _can_end(schema: Schema) -> bool:
    """Whether any finite value fits: grown from the references that need no other, until nothing is added."""
    references = {part["$ref"] for _, part in parts_of(schema) if isinstance(part.get("$ref"), str)}
    ends: set[str] = set()
    while grown := {one for one in references - ends if _ends(target(schema, one) or {}, ends)}:
        ends |= grown
    return _ends(schema, ends)


def _ends(part: Schema, ends: set[str]) -> bool:
    """Whether a finite value fits a part, where only these references lead to one."""
    if isinstance(reference := part.get("$ref"), str) and reference not in ends:
        return False
    if not all(_ends(one, ends) for one in _schemas(part, "allOf")):
        return False
    for keyword in ("anyOf", "oneOf"):
        if (options := _schemas(part, keyword)) and not any(_ends(one, ends) for one in options):
            return False
    kinds = part.get("type")
    if isinstance(kinds, list) and set(kinds) - {"object", "array"}:
        return True
    properties, required = part.get("properties"), part.get("required")
    if isinstance(properties, Mapping) and isinstance(required, list):
        needed = [properties[name] for name in required if isinstance(properties.get(name), Mapping)]
        if not all(_ends(one, ends) for one in needed):
            return False
    items = part.get("items")
    least = part.get("minItems")
    return not (isinstance(items, Mapping) and isinstance(least, int) and least > 0 and not _ends(items, ends))


def _schemas(part: Schema, keyword: str) -> list[Schema]:
    found = part.get(keyword)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _carried(part: dict[str, Any], carrier: Carrier) -> dict[str, Any]:
    """One part of a schema without what the carrier does not know; what narrowed it is said in its description."""
    dropped = NARROWING | _ABOUT
    if carrier is Carrier.ANTHROPIC and part.get("minItems") in (0, 1):
        dropped -= {"minItems"}
    if carrier is Carrier.GEMINI:
        dropped |= {"additionalProperties", "default"}
        if "const" in part:
            part = {**{name: value for name, value in part.items() if name != "const"}, "enum": [part["const"]]}
    kept = {name: value for name, value in part.items() if name not in dropped}
    said = ", ".join(f"{name}: {part[name]}" for name in part if name in dropped & NARROWING and _is_plain(part[name]))
    if said:
        kept["description"] = f"{kept['description']} ({said})" if kept.get("description") else f"({said})"
    if carrier is Carrier.ANTHROPIC and is_open(part):
        kept["additionalProperties"] = False
    return kept


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _rewritten(schema: Schema, change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """The schema with every part of it changed, names of properties left alone."""
    kept = change(dict(schema))
    for keyword in _HOLD_SCHEMAS:
        if isinstance(members := kept.get(keyword), Mapping):
            kept[keyword] = {
                name: _rewritten(part, change) if isinstance(part, Mapping) else part for name, part in members.items()
            }
    for keyword in _LIST_SCHEMAS:
        if isinstance(options := kept.get(keyword), list):
            kept[keyword] = [_rewritten(part, change) if isinstance(part, Mapping) else part for part in options]
    for keyword in _ARE_SCHEMAS:
        if isinstance(part := kept.get(keyword), Mapping):
            kept[keyword] = _rewritten(part, change)
    return kept


def _inlined(schema: Schema) -> dict[str, Any]:
    """Without references: each is replaced by what it names. Only for a schema that does not contain itself."""

    def inline(part: Schema) -> dict[str, Any]:
        reference = part.get("$ref")
        named = target(schema, reference) if isinstance(reference, str) else None
        return {**inline(named), **{k: v for k, v in part.items() if k != "$ref"}} if named is not None else dict(part)

    whole = _rewritten(schema, inline)
    return {name: value for name, value in whole.items() if name not in ("$defs", "definitions")}
