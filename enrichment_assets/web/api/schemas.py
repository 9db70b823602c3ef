"""JSON Schemas of shapes, made of their fields and of what their docstrings say of each."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel

from enrichment_assets.domain.hints import Hint
from enrichment_assets.services.shapes.shape import Shape

Schema = dict[str, Any]

HINT: Schema = {
    "type": "object",
    "properties": {
        "action": {"type": "string"},
        "arguments": {"type": "object", "additionalProperties": {"type": "string"}},
        "text": {"type": "string"},
    },
    "required": ["action", "arguments", "text"],
}
_PLAIN: Mapping[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    Decimal: {"type": "string", "pattern": r"^-?[0-9]+\.[0-9]{2,}$"},
    datetime: {"type": "string", "format": "date-time"},
    date: {"type": "string", "format": "date"},
    Hint: HINT,
    Any: {},
}


class Schemas:
    """The schemas of the shapes that were asked for, by name: `components.schemas` of an OpenAPI document."""

    def __init__(self) -> None:
        self.named: dict[str, Schema] = {}

    def of(self, shape: type[Shape]) -> Schema:
        """A reference to a shape's schema, which is made if it is new."""
        name = shape.__name__
        if name not in self.named:
            self.named[name] = {}  # a shape may have itself among its fields
            self.named[name] = self._object(shape)
        return {"$ref": f"#/components/schemas/{name}"}

    def _object(self, shape: type[Shape]) -> Schema:
        hints, said = typing.get_type_hints(shape), described(shape)
        properties: dict[str, Schema] = {}
        needed: list[str] = []
        is_open = False
        for one in fields(shape):  # type: ignore[arg-type]  # every shape is a dataclass
            kind = hints[one.name]
            if one.metadata.get("flat"):
                inner = self._flat(kind)
                is_open = is_open or inner is None
                properties |= {} if inner is None else inner["properties"]
                needed += [] if inner is None else inner["required"]
                continue
            schema = self._schema(kind)
            text = said.get(one.name)
            properties[one.name] = schema if text is None or "$ref" in schema else {**schema, "description": text}
            needed.append(one.name)
        first = (inspect.getdoc(shape) or "").split("\n\n", 1)[0]
        return {
            "type": "object",
            "description": " ".join(first.split()),
            "properties": properties,
            "required": needed,
            "additionalProperties": is_open,
        }

    def _flat(self, kind: Any) -> Schema | None:
        """What a field stands for whose own keys stand among the shape's; None: any keys."""
        is_shape = isinstance(kind, type) and issubclass(kind, Shape)
        return self._object(kind) if is_shape else None

    def _schema(self, kind: Any) -> Schema:
        if kind in _PLAIN:
            return dict(_PLAIN[kind])
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin in (typing.Union, types.UnionType):
            return {"anyOf": [self._schema(one) for one in arguments]}
        if kind is type(None):
            return {"type": "null"}
        if origin is Literal:
            return {"enum": list(arguments)}
        if origin is tuple and len(arguments) == 2 and arguments[1] is ...:
            return {"type": "array", "items": self._schema(arguments[0])}
        if origin is tuple:
            return {"type": "array", "prefixItems": [self._schema(one) for one in arguments]}
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self._schema(arguments[1])}
        if isinstance(kind, type) and issubclass(kind, Shape):
            return self.of(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return {"type": "object"}
        return {}


def described(shape: type[Shape]) -> dict[str, str]:
    """Field -> what the docstring says of it under `Attributes`."""
    _, _, attributes = (inspect.getdoc(shape) or "").partition("Attributes:\n")
    found = re.findall(r"^    (\w+): (.+(?:\n        .+)*)", attributes, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}
