"""Every form of JMESPath's grammar is walked by every question about an expression, and says what it reads."""

from __future__ import annotations

import jmespath
import pytest

from enrichment_assets.domain import expression_trees as trees

READS = {
    "a": {("a",)},
    "a.b": {("a", "b")},
    "a[0]": {("a",)},
    "a[0:3]": {("a",)},
    "a[::-1].b": {("a",)},
    "[0:3].a": set(),  # `a` of the members of a list
    "[::2]": set(),
    "a[*].b": {("a",)},
    "a[].b[]": {("a",)},
    "a.*": {("a",)},
    "a[?b == `1`].c": {("a",)},
    "a || b.c": {("a",), ("b", "c")},
    "a && !b": {("a",), ("b",)},
    "length(a[:2]) > `1`": {("a",)},
    "sort_by(a, &b)[0].c": {("a",)},
    "a[:2].{x: b, y: c[1:]}": {("a",)},
    "{x: a[1:], y: b}": {("a",), ("b",)},
    "[a, b[::3]]": {("a",), ("b",)},
    "a | [0:1]": {("a",)},
    "@": set(),
    "'text'": set(),
    '`{"a": 1}`': set(),
}


@pytest.mark.parametrize("expression", READS)
def test_what_an_expression_reads_is_known_whatever_its_form(expression: str) -> None:
    tree = jmespath.compile(expression).parsed

    assert trees.paths_in(tree) == READS[expression]
    assert trees.names_in(tree) == {path[0] for path in READS[expression]}
    assert trees.optional_paths(tree) == (READS[expression] if "||" in expression else set())
    assert not trees.negates_half(tree)
    assert trees.reads_lists(tree) is (expression in ("[0:3].a", "[::2]"))


def test_a_negated_half_is_seen_behind_a_slice() -> None:
    assert trees.negates_half(jmespath.compile("a[0:3] && !b.c").parsed)
