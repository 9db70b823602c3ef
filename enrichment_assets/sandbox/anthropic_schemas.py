"""What Anthropic refuses in the schema of an answer.

platform.claude.com/docs/en/build-with-claude/structured-outputs, "JSON Schema limitations": no recursion, no bounds of
numbers and lengths, `minItems` of 0 or 1 only, objects closed by `additionalProperties: false`; at most 24 optional
parameters and 16 parameters with a union type in a request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MOST_OPTIONAL = 24
MOST_UNIONS = 16
_REFUSED = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"),
    *("maxItems", "uniqueItems", "if", "then", "else", "not", "oneOf", "patternProperties"),
)


def complaint(schema: Any) -> str:
    """Why a schema would be refused; empty when it would not."""
    if not isinstance(schema, Mapping):
        return "Input should be a valid dictionary"
    definitions = schema.get("$defs") or {}
    if any(_reaches(definitions, name, name) for name in definitions) or "#" in _references(schema):
        return "Recursive schemas are not supported"
    parts = list(_parts(schema))
    for part in parts:
        for keyword in _REFUSED:
            if keyword in part:
                return f"For '{part.get('type', 'any')}' type, property '{keyword}' is not supported"
        if part.get("minItems", 0) not in (0, 1):
            return "For 'array' type, 'minItems' values other than 0 or 1 are not supported"
        if part.get("type") == "object" and part.get("additionalProperties") is not False:
            return "For 'object' type, 'additionalProperties' must be explicitly set to false"
    optional = sum(len(set(part.get("properties") or {}) - set(part.get("required") or ())) for part in parts)
    if optional > MOST_OPTIONAL:
        return f"Schemas contain too many optional parameters ({optional}), the limit is {MOST_OPTIONAL}"
    unions = sum(isinstance(part.get("type"), list) or "anyOf" in part for part in parts)
    if unions > MOST_UNIONS:
        return f"Schemas contain too many parameters with union types ({unions}), the limit is {MOST_UNIONS}"
    return ""


def _parts(schema: Any) -> Iterator[Mapping[str, Any]]:
    """A schema and all schemas in it."""
    if not isinstance(schema, Mapping):
        return
    yield schema
    for keyword in ("properties", "$defs", "definitions"):
        for part in (schema.get(keyword) or {}).values():
            yield from _parts(part)
    for keyword in ("anyOf", "allOf", "prefixItems"):
        for part in schema.get(keyword) or ():
            yield from _parts(part)
    yield from _parts(schema.get("items"))


def _references(schema: Any) -> set[str]:
    return {str(part["$ref"]) for part in _parts(schema) if "$ref" in part}


def _reaches(definitions: Mapping[str, Any], start: str, goal: str) -> bool:
    """Whether a definition refers to itself, directly or through others."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for reference in _references(definitions.get(waiting.pop(), {})):
            name = reference.rpartition("/")[2]
            if name == goal:
                return True
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return False
