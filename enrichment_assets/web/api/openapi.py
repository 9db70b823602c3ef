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

_IDEMPOTENCY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any text of your own: the same one within a day gives the first answer again, and does nothing.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[ -~]+$"},
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
    behind = route.takes if route.method == "GET" else ()
    if route.method == "POST" and route.client is ClientBy.QUERY:
        behind = (Takes("client", "text", "whose; not needed where a key is of one client"),)
    parameters = [*places, *(_parameter(one, "query") for one in behind)]
    said: Schema = {
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}_{route.address.strip('/')}").rstrip("_"),
        "summary": " ".join(first.split()),
        "security": [] if route.needs is Whoever.ANYBODY else [{"key": []}, {"session": []}],
        "parameters": [*parameters, *([_IDEMPOTENCY] if route.method == "POST" else [])],
        "responses": {
            str(route.status): {
                "description": "as asked",
                "content": {"application/json": {"schema": _answer(route, schemas)}},
            },
            "default": {
                "description": "why not",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }
    if not isinstance(route.needs, Whoever):
        said["description"] = f"Takes the permission `{route.needs.value}`."
    if route.method == "POST":
        said["requestBody"] = {"required": False, "content": {"application/json": {"schema": _body(route)}}}
    return said


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
                "type": ["integer", "null"],
                "description": "what leads to the next ones; null: these are the last",
            },
        },
        "required": ["items", "next"],
        "additionalProperties": False,
    }
