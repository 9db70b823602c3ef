"""The template language of requests: Jinja2, sandboxed, taken apart into typed expressions.

A template is text with `{{ expression }}` in it. What belongs here is turning one such text into a function of the
context; what a request is made of is in `domain.templating`. A text that is nothing but one expression keeps the
expression's type; null inside a longer text is nothing, true is `true`, lists and objects are JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from jinja2 import meta, nodes
from jinja2.environment import TemplateExpression
from jinja2.exceptions import TemplateError

from enrichment_assets.domain.provider import SecretPlace
from enrichment_assets.domain.template_bounds import (
    ENVIRONMENT,
    as_text,
    bounded,
    joined,
    refuse_statements,
    rendered_whole,
)

Evaluate = Callable[[Mapping[str, Any]], Any]
"""Context in, native value out. Raises whatever the expression raises; `domain.templating` gives it a name."""

SECRETS = "secrets"
PARAMETERS = "parameters"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a template: literal text, an expression with the names it reads, or a place for a secret."""

    literal: str | None
    evaluate: Evaluate | None = None
    names: frozenset[str] = frozenset()
    secret: SecretPlace | None = None

    @property
    def is_configuration(self) -> bool:
        """True for literal text and for expressions that read nothing but `parameters`: the operator wrote it."""
        return self.literal is not None or self.names <= {PARAMETERS}


def parse(text: str, *, secrets_allowed: bool = False) -> list[Part] | None:
    """Take a template apart; None when it has statements (`{% if %}`) and can only be rendered whole.

    `{{secrets.purpose}}` becomes a place of its own where secrets are allowed; it is filled at the last moment.

    Raises:
        TemplateError: The text is not a template (Jinja2's own error).
        ValueError: It names `secrets` where they may not stand.
    """
    tree = ENVIRONMENT.parse(text)
    _refuse_secrets(tree, secrets_allowed)
    refuse_statements(tree)
    if not all(isinstance(node, nodes.Output) for node in tree.body):
        return None
    pieces = [piece for node in tree.body for piece in cast(nodes.Output, node).nodes]
    return [_part(piece) for piece in pieces]


def names_in(value: Any) -> set[str]:
    """Every name that the templates in a request read, however deep: `{{ email or parameters.to }}` reads both.

    What is no template reads nothing here; whoever compiles it says what is wrong with it.
    """
    if isinstance(value, str):
        if "{" not in value:
            return set()
        try:
            return {path.names[0] for path in paths_in(value)}
        except TemplateError:
            return set()
    if isinstance(value, Mapping):
        return set().union(*(names_in(member) for member in value.values()))
    return set().union(*(names_in(member) for member in value)) if isinstance(value, list) else set()


class Path(NamedTuple):
    """What a template reads: a name with the member that is asked for, `original['Job Title']`.

    `optional`: the template says what to do without it (`or`, `default`, `is defined`, an `if`).
    """

    names: tuple[str, ...]
    optional: bool


def paths_in(text: str) -> list[Path]:
    """Every path that the expressions of a template read, in order; what a loop binds is no name of the context.

    Raises:
        TemplateError: The text is no template.
    """
    tree = ENVIRONMENT.parse(text)
    undeclared = meta.find_undeclared_variables(tree)
    return list(dict.fromkeys(path for path in _paths(tree, optional=False) if path.names[0] in undeclared))


def _paths(node: nodes.Node, *, optional: bool) -> Iterator[Path]:
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
        yield from _called(node, node.node, optional=optional)
        return
    if isinstance(node, nodes.Expr) and (path := _plain_path(node)) is not None:
        yield Path(tuple(path[:2]), optional)
        return
    fallback = isinstance(node, nodes.Or | nodes.CondExpr | nodes.If) or (
        isinstance(node, nodes.Filter | nodes.Test) and node.name in _FALLBACKS
    )
    for child in node.iter_child_nodes():
        yield from _paths(child, optional=optional or fallback)


def _called(call: nodes.Call, method: nodes.Getattr, *, optional: bool) -> Iterator[Path]:
    """`original.get('Job Title')` reads that member; any other method is one of the value itself."""
    owner = _plain_path(method.node)
    first = call.args[0] if call.args else None
    if owner is not None and len(owner) == 1 and method.attr == "get" and isinstance(first, nodes.Const):
        yield Path((owner[0], str(first.value)), True)
    else:
        yield from _paths(method.node, optional=optional)
    for argument in call.args:
        yield from _paths(argument, optional=optional)


_FALLBACKS = frozenset({"default", "d", "defined", "undefined", "none"})
"""Filters and tests by which a template says that it can do without a value."""


def compile_text(parts: Sequence[Part] | None, text: str) -> Evaluate | str:
    """Turn a parsed template into a function of the context, or into the literal that it is."""
    if parts is None:
        return rendered_whole(ENVIRONMENT.parse(text))
    if all(part.literal is not None for part in parts):
        return "".join(part.literal or "" for part in parts)
    if len(parts) == 1:
        return cast(Evaluate, parts[0].evaluate)
    steps = [part.literal if part.evaluate is None else part.evaluate for part in parts]

    def whole(context: Mapping[str, Any]) -> str:
        return joined([step if isinstance(step, str) else step(context) for step in steps if step])

    return whole


def _part(node: nodes.Expr) -> Part:
    if isinstance(node, nodes.TemplateData):
        return Part(literal=node.data)
    if isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == SECRETS:
        return Part(literal=None, secret=SecretPlace(node.attr))
    names = frozenset(name.name for name in node.find_all(nodes.Name)) | (
        {node.name} if isinstance(node, nodes.Name) else frozenset()
    )
    return Part(literal=None, evaluate=_evaluator(node), names=names)


def _evaluator(node: nodes.Expr) -> Evaluate:
    path = _plain_path(node)
    if path is not None:
        return _path_evaluator(path)
    # What Environment.compile_expression does, from a tree that is parsed already.
    body: list[nodes.Node] = [nodes.Assign(nodes.Name("result", "store"), node, lineno=1)]
    template = ENVIRONMENT.from_string(nodes.Template(body, lineno=1))
    expression = TemplateExpression(template, undefined_to_none=True)
    return lambda context: bounded(expression, context)


def _plain_path(node: nodes.Expr) -> list[str] | None:
    """`a.b['c']` as its names, or None. Most templates are such paths, and these need no Jinja2 at run time."""
    if isinstance(node, nodes.Name):
        return [node.name]
    if isinstance(node, nodes.Getattr):
        head = _plain_path(node.node)
        return None if head is None else [*head, node.attr]
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        head = _plain_path(node.node)
        return None if head is None else [*head, node.arg.value]
    return None


def _path_evaluator(path: list[str]) -> Evaluate:
    first, *rest = path
    if not rest:
        return lambda context: context.get(first)

    def walk(context: Mapping[str, Any]) -> Any:
        value = context.get(first)
        for name in rest:
            if not isinstance(value, Mapping):
                return None
            value = value.get(name)
        return value

    return walk


def _refuse_secrets(tree: nodes.Template, allowed: bool) -> None:
    """`secrets` may stand only as a whole `{{secrets.purpose}}`, so that no expression can take one apart."""
    whole = {
        id(piece.node)
        for output in tree.find_all(nodes.Output)
        for piece in output.nodes
        if isinstance(piece, nodes.Getattr) and output in tree.body
    }
    for name in tree.find_all(nodes.Name):
        if name.name == SECRETS and not (allowed and id(name) in whole):
            raise ValueError("a secret can only stand in a header, alone in its braces: {{secrets.purpose}}")


__all__ = ["PARAMETERS", "SECRETS", "Evaluate", "Part", "Path", "TemplateError", "as_text", "compile_text", "parse"]
