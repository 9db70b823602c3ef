"""What a JMESPath expression reads, from its syntax tree: nothing is evaluated here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plain_path(node: Mapping[str, Any]) -> list[str] | None:
    """`a.b.c` as its names, or None. Most expressions are such paths; walking them is ten times faster."""
    if node["type"] == "field":
        return [node["value"]]
    if node["type"] != "subexpression":
        return None
    paths = [plain_path(child) for child in node["children"]]
    return None if any(path is None for path in paths) else [name for path in paths for name in path or ()]


_SCOPED_BY_FIRST = frozenset({"subexpression", "index_expression", "pipe", "projection", "value_projection"})
"""Nodes whose first child sees the current value, and whose others see what the first one gave."""


def reads_lists(node: Mapping[str, Any]) -> bool:
    """Whether an expression addresses a payload that is itself a list: `[0].email`, `[?found]`, `length(@)`."""
    kind, children = node["type"], node["children"]
    if kind in ("index_expression", "projection", "filter_projection", "flatten", "slice", "function_expression"):
        first = children[0] if children else node
        if first["type"] in ("identity", "current"):
            return kind != "function_expression" or node["value"] in ("length", "map", "max_by", "min_by", "sort_by")
    if kind in _SCOPED_BY_FIRST or kind == "filter_projection":
        children = children[:1]
    return any(reads_lists(child) for child in children)


def names_in(node: Mapping[str, Any]) -> set[str]:
    """Top-level names that an expression reads."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        return {node["value"]}
    if kind in _SCOPED_BY_FIRST or kind == "filter_projection":
        first, *rest = children
        keeps_scope = kind != "filter_projection" and first["type"] in ("identity", "current")
        return names_in(first).union(*(names_in(child) for child in rest)) if keeps_scope else names_in(first)
    if kind == "expref":
        return set()
    return set().union(*(names_in(child) for child in children))
