"""What OpenAI refuses in a schema that is asked for with `strict: true`.

platform.openai.com/docs/guides/structured-outputs, "Supported schemas": the root is an object and no `anyOf`, every
object closes itself with `additionalProperties: false` and requires all its properties; `allOf`, `not`, conditions,
`default` and keywords beside `$ref` are not permitted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
_NOT_PERMITTED = ("allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas", "default")
_HOLD_SCHEMAS = ("properties", "$defs", "definitions")
_LIST_SCHEMAS = ("anyOf", "prefixItems")


def complaint(name: str, schema: Any, *, strict: bool) -> str:
    """Why a response format would be refused, in OpenAI's words; empty when it would not."""
    if not _NAME.match(name):
        return f"Invalid 'response_format.json_schema.name': string does not match pattern. Expected {_NAME.pattern!r}."
    if not isinstance(schema, Mapping):
        return "Missing required parameter: 'response_format.json_schema.schema'."
    if not strict:
        return ""
    if schema.get("type") != "object" or "anyOf" in schema:
        return f"Invalid schema for response_format '{name}': schema must be a JSON Schema of 'type: \"object\"'."
    reason = next(_reasons(schema, ()), "")
    return f"Invalid schema for response_format '{name}': {reason}" if reason else ""


def _reasons(schema: Mapping[str, Any], place: tuple[str, ...]) -> Iterator[str]:
    at = f"In context={place!r}, "
    for keyword in _NOT_PERMITTED:
        if keyword in schema:
            yield f"{at}'{keyword}' is not permitted."
    if "$ref" in schema and len(schema) > 1:
        others = sorted(keyword for keyword in schema if keyword != "$ref")
        yield f"{at}$ref cannot have keywords {others!r}."
    if schema.get("type") == "object" or "properties" in schema:
        yield from _open_object(schema, at)
    for keyword in _HOLD_SCHEMAS:
        for name, part in (schema.get(keyword) or {}).items():
            yield from _reasons(part, (*place, keyword, name))
    for keyword in _LIST_SCHEMAS:
        for number, part in enumerate(schema.get(keyword) or ()):
            yield from _reasons(part, (*place, keyword, str(number)))
    if isinstance(schema.get("items"), Mapping):
        yield from _reasons(schema["items"], (*place, "items"))


def _open_object(schema: Mapping[str, Any], at: str) -> Iterator[str]:
    if schema.get("additionalProperties") is not False:
        yield f"{at}'additionalProperties' is required to be supplied and to be false."
    missing = [name for name in schema.get("properties") or {} if name not in (schema.get("required") or ())]
    if missing:
        yield (
            f"{at}'required' is required to be supplied and to be an array including every key in properties. "
            f"Missing '{missing[0]}'."
        )
