"""The graph that people see: only direct edges. One that a longer path implies says nothing and tangles the picture."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def direct_parents(parents: Mapping[Node, Sequence[Node]]) -> dict[Node, list[Node]]:
    """The same graph without the edges that follow from others (its transitive reduction), in the same order.

    A node that is only named as a parent has none of its own. Raises `graphlib.CycleError` for a circle.

    Example: `{"c": ["a", "b"], "b": ["a"]}` becomes `{"c": ["b"], "b": ["a"]}`.
    """
    above: dict[Node, set[Node]] = {}
    for node in TopologicalSorter(parents).static_order():
        mine = parents.get(node, ())
        above[node] = {*mine}.union(*(above[parent] for parent in mine))
    return {
        node: [p for p in dict.fromkeys(mine) if not any(p in above[other] for other in mine)]
        for node, mine in parents.items()
    }
