"""Paths into an answer, by their names: those of rules (`people[].email`), and of `provides` (`people[0].email`)."""

from __future__ import annotations

import re

import jmespath

from enrichment_assets.domain.text_json import path_steps

_STEP = re.compile(r"\[[^\]]*\]|[^.\[\]]+")


def rule_names(path: str) -> tuple[str, ...]:
    """The names on the way of a rule; lists count for nothing, since a rule for a list is one for its members."""
    return tuple(step for step in _STEP.findall(path) if not step.startswith("["))


def provided_names(expression: str) -> tuple[str, ...] | None:
    """The names on the way of an expression; None: it is more than a path, and gives what it makes up itself."""
    try:
        steps = path_steps(jmespath.compile(expression).parsed)
    except (ValueError, RecursionError):  # JMESPath's own errors among them: said where expressions are checked
        return None
    return tuple(step for step in steps if isinstance(step, str))
