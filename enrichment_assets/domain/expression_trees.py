"""What a JMESPath expression reads, from its syntax tree: nothing is evaluated here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def parts_of(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The nodes below a node; a slice (`[0:3]`) has bare numbers instead."""
    return [child for child in node["children"] if isinstance(child, Mapping)]


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
    kind, children = node["type"], parts_of(node)
    if kind in ("index_expression", "projection", "filter_projection", "flatten", "slice", "function_expression"):
        first = children[0] if children else node
        if first["type"] in ("identity", "current"):
            return kind != "function_expression" or node["value"] in ("length", "map", "max_by", "min_by", "sort_by")
    if kind in _SCOPED_BY_FIRST or kind == "filter_projection":
        children = children[:1]
    return any(reads_lists(child) for child in children)


def names_in(node: Mapping[str, Any]) -> set[str]:
    """Top-level names that an expression reads."""
    return {path[0] for path in paths_in(node)}


def paths_in(node: Mapping[str, Any]) -> set[tuple[str, ...]]:
    """What an expression reads from the top: `a.b && c[0].d` reads `(a, b)` and `(c,)`."""
    kind, children = node["type"], parts_of(node)
    if (path := plain_path(node)) is not None:
        return {tuple(path)}
    if kind in _SCOPED_BY_FIRST or kind == "filter_projection":
        first, *rest = children
        keeps_scope = kind != "filter_projection" and first["type"] in ("identity", "current")
        return paths_in(first).union(*(paths_in(child) for child in rest)) if keeps_scope else paths_in(first)
    if kind == "expref":
        return set()
    return set().union(*(paths_in(child) for child in children))


def optional_paths(node: Mapping[str, Any]) -> set[tuple[str, ...]]:
    """Of `paths_in` those that have an alternative: `a || b` does without either."""
    if node["type"] == "or_expression":
        return paths_in(node)
    if node["type"] in _SCOPED_BY_FIRST or node["type"] in ("filter_projection", "expref"):
        return optional_paths(node["children"][0]) if node["type"] != "expref" else set()
    return set().union(*(optional_paths(child) for child in parts_of(node)))


def negates_half(node: Mapping[str, Any]) -> bool:
    """Whether an expression has a `!a.b`, which JMESPath reads as `(!a).b`: that is null whatever the data is."""
    children = parts_of(node)
    scoped = node["type"] in _SCOPED_BY_FIRST - {"pipe"} or node["type"] == "filter_projection"
    if scoped and children[0]["type"] == "not_expression":
        return True
    return any(negates_half(child) for child in children)


def made_keys(node: Mapping[str, Any]) -> set[str] | None:
    """The keys of the objects that an expression makes (`people[].{name: n}` makes `name`); None: the data decides."""
    if node["type"] == "multi_select_dict":
        return {pair["value"] for pair in node["children"]}
    if node["type"] in _SCOPED_BY_FIRST or node["type"] == "filter_projection":
        return made_keys(node["children"][1])
    return None
