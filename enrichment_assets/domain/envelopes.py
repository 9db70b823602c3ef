"""What a callback is wrapped in: lists of one, JSON in a string, n8n's items, a node's whole output. Pure.

n8n posts what its last node gave: the item (`{"json": {...}, "pairedItem": ...}`), all items, or, where a webhook's or
an HTTP node's whole output is passed on, `{"headers": ..., "body": {...}}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enrichment_assets.domain.jsontext import parse_json

_DEEPEST = 6
_ITEM = frozenset({"json", "binary", "pairedItem", "index", "executionIndex"})
_NODE_OUTPUT = frozenset(
    {"body", "headers", "params", "query", "webhookUrl", "executionMode", "statusCode", "statusMessage", "method"}
)


def opened(body: Any) -> list[Any]:
    """The body and what is inside its wrappings, the outermost first; of a plain object only itself.

    >>> opened([{"json": {"email": "ann@a.example"}}])[-1]
    {'email': 'ann@a.example'}
    """
    forms = [body]
    for _ in range(_DEEPEST):
        inner = _inside(forms[-1])
        if inner is forms[-1]:
            break
        forms.append(inner)
    return forms


def _inside(value: Any) -> Any:
    if isinstance(value, str):
        return _parsed(value)
    if isinstance(value, list):
        if len(value) == 1:
            return value[0]
        items = [_item(member) for member in value]
        return items if any(item is not member for item, member in zip(items, value, strict=True)) else value
    if isinstance(value, Mapping):
        item = _item(value)
        if item is not value:
            return item
        names = set(value)
        if "body" in names and names <= _NODE_OUTPUT:
            return value["body"]
        if names == {"data"} and isinstance(value["data"], list | Mapping | str):
            return value["data"]
    return value


def _item(value: Any) -> Any:
    """The data of one of n8n's items, or what it was."""
    is_item = isinstance(value, Mapping) and set(value) <= _ITEM and isinstance(value.get("json"), Mapping | list)
    return value["json"] if is_item else value


def _parsed(text: str) -> Any:
    if text.lstrip()[:1] not in ("{", "[", '"'):
        return text
    try:
        return parse_json(text.encode("utf-8", "surrogatepass"))
    except ValueError:
        return text
