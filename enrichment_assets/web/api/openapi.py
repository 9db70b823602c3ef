"""The OpenAPI document of the table of routes (OpenAPI 3.1): what a program, a generator or a tester reads."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

from enrichment_assets.web.api.route_types import ClientBy, Route, Takes, Whoever
from enrichment_assets.web.api.schemas import Schema, Schemas

_KINDS: Mapping[str, Schema] = {
    "text": {"type": "string", "maxLength": 2_000},
    "texts": {"type": "array", "maxItems": 100, "items": {"type": "string", "maxLength": 2_000}},
    "number": {"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
    "flag": {"type": "boolean"},
    "cursor": {"type": "string", "maxLength": 2_000},
    "object": {"type": "object"},
    "words": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 2_000}},
    "time": {"type": "string", "format": "date-time"},
    "objects": {
        "type": "array",
        "minItems": 1,
        "maxItems": 1_000,
        "items": {"type": "object", "additionalProperties": {"type": ["string", "number", "null"]}},
    },
}
ERROR: Schema = {
    "type": "object",
    "properties": {
        "code": {"type": "string", "description": "for programs: it stays the same"},
        "message": {"type": "string", "description": "what happened"},
        "hint": {"type": ["string", "null"], "description": "what helps"},
        "fields": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["code", "message", "hint", "fields"],
    "additionalProperties": False,
}
"""The one shape of errors."""


def _header(name: str, says: str, schema: Schema) -> Schema:
    return {"name": name, "in": "header", "required": False, "description": says, "schema": schema}


_TAG: Schema = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r'^("[!#-~]*"|\*)$'}
_IDEMPOTENCY = _header(
    "Idempotency-Key",
    "Any text of your own: the same one within a day gives the first answer again, and does nothing.",
    {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
)
_IF_MATCH = _header(
    "If-Match", "The `ETag` that you have seen: where it is another one by now nothing is changed.", _TAG
)
_IF_NEW = _header(
    "If-None-Match", "`*`: it is to be new; where it is there already nothing is changed.", {"const": "*"}
)
_IF_CHANGED = _header("If-None-Match", "The `ETag` that you have: where it is still that one the answer is 304.", _TAG)

_NUMBER: Schema = {"schema": {"type": "integer", "minimum": 0}}
_PACE: Schema = {
    "RateLimit-Limit": {**_NUMBER, "description": "how many may come at once"},
    "RateLimit-Remaining": {**_NUMBER, "description": "how many more may come now"},
    "RateLimit-Reset": {**_NUMBER, "description": "seconds after which all may come again"},
}
_ETAG: Schema = {"ETag": {"description": "its version", "schema": {"type": "string"}}}
_REPEATED: Schema = {
    "Idempotency-Replayed": {"description": "it is the answer to an earlier request", "schema": {"const": "true"}}
}
_LATER: Schema = {"Retry-After": {"description": "seconds to wait", "schema": {"type": "integer", "minimum": 1}}}
_WHY_NOT: Mapping[int, str] = {
    401: "who asks is not known",
    403: "they may not, or a page of another site asks",
    404: "it is not there, or who asks does not see it",
    409: "it does not go together with how things stand",
    421: "the server does not answer under this name",
    422: "what was sent is not as it has to be: `fields` says what",
    429: "too many requests: `Retry-After` says when",
    500: "a fault of the server",
    503: "the server cannot reach what it needs",
}
_WHY_NOT_CHANGED: Mapping[int, str] = {
    400: "the body is no JSON object",
    413: "the body is too large",
    415: "the body is of another kind than is taken",
}


@cache
def document(routes: tuple[Route, ...]) -> Mapping[str, Any]:
    """The document of these routes."""
    schemas = Schemas()
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.address, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Enrichment",
            "version": version("enrichment-assets"),
            "description": "Everything is closed unless it says otherwise. What belongs to a client whom a key does "
            "not see is not there for it. Amounts of money are text; times are ISO 8601 in UTC.",
        },
        "paths": paths,
        "components": {
            "schemas": {**schemas.named, "Error": ERROR},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "an API key"},
                "session": {"type": "apiKey", "in": "cookie", "name": "enrich_session"},
            },
        },
    }


def _operation(route: Route, schemas: Schemas) -> Schema:
    first = (inspect.getdoc(route.handler) or "").split("\n\n", 1)[0]
    places = [_parameter(Takes(name, "text", "which"), "path") for name in re.findall(r"{(\w+)}", route.path)]
    behind = route.takes if route.method == "GET" or route.takes_file else ()
    if route.method == "POST" and route.client is ClientBy.QUERY and not route.takes_file:
        behind = (Takes("client", "text", "whose; not needed where a key is of one client"),)
    said: Schema = {
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}_{route.address.strip('/')}").rstrip("_"),
        "summary": " ".join(first.split()),
        "security": [] if route.needs is Whoever.ANYBODY else [{"key": []}, {"session": []}],
        "parameters": [*places, *(_parameter(one, "query") for one in behind), *_headers(route)],
        "responses": _responses(route, schemas),
    }
    if not isinstance(route.needs, Whoever):
        said["description"] = f"Takes the permission `{route.needs.value}`."
    if route.takes_file:
        said["requestBody"] = {"required": True, "content": {"application/octet-stream": {"schema": {}}}}
    elif route.method == "POST":
        needed = any(one.needed for one in route.takes)
        said["requestBody"] = {"required": needed, "content": {"application/json": {"schema": _body(route)}}}
    return said


def _headers(route: Route) -> list[Schema]:
    if route.method == "GET":
        return [_IF_CHANGED] if route.is_versioned else []
    if route.needs is Whoever.ANYBODY:
        return []
    return [_IDEMPOTENCY, *([_IF_MATCH, _IF_NEW] if route.is_versioned else [])]


def _responses(route: Route, schemas: Schemas) -> Schema:
    """Every status that a route has, with what is in it."""
    is_known = route.needs is not Whoever.ANYBODY
    headers = {
        **(_PACE if is_known else {}),
        **(_ETAG if route.is_versioned else {}),
        **(_REPEATED if route.method == "POST" and is_known else {}),
    }
    found: Schema = {
        str(route.status): {
            "description": "as asked",
            "headers": headers,
            "content": {"application/json": {"schema": _answer(route, schemas)}},
        }
    }
    why_not = dict(_WHY_NOT)
    if route.method == "POST":
        why_not |= _WHY_NOT_CHANGED
        if route.is_versioned:
            why_not[412] = "it was changed since it was seen: nothing is changed"
    elif route.is_versioned:
        found["304"] = {"description": "it is as who asks has it", "headers": headers}
    for status, says in sorted(why_not.items()):
        found[str(status)] = {
            "description": says,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            **({"headers": _LATER} if status == 429 else {}),
        }
    return found


def _parameter(one: Takes, where: str) -> Schema:
    return {
        "name": one.name,
        "in": where,
        "required": one.needed or where == "path",
        "description": one.says,
        "schema": dict(_KINDS[one.kind]),
    }


def _body(route: Route) -> Schema:
    return {
        "type": "object",
        "properties": {one.name: {**_KINDS[one.kind], "description": one.says} for one in route.takes},
        "required": [one.name for one in route.takes if one.needed],
        "additionalProperties": False,
    }


def _answer(route: Route, schemas: Schemas) -> Schema:
    if route.gives is None:
        return {"type": "object"}
    shape = schemas.of(route.gives)
    if not route.gives_many:
        return shape
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": shape},
            "next": {
                "type": [_of_next(route), "null"],
                "description": "what leads to the next ones; null: these are the last",
            },
        },
        "required": ["items", "next"],
        "additionalProperties": False,
    }


def _of_next(route: Route) -> str:
    after = next((one for one in route.takes if one.name == "after"), None)
    return "integer" if after is not None and after.kind == "number" else "string"
