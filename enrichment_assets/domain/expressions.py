"""JMESPath expressions as workflows use them: compiled once, with errors that tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from enrichment_assets.domain.errors import ConfigurationError, ContractError
from enrichment_assets.domain.expression_trees import names_in, plain_path, reads_lists


class Expression:
    """One compiled JMESPath expression.

    Raises:
        ConfigurationError: The text is not JMESPath; names `where` (for people: workflow and field).
    """

    def __init__(self, text: str, where: str) -> None:
        self.text = text
        self.where = where
        try:
            self._compiled = jmespath.compile(text)
        except (JMESPathError, RecursionError) as error:
            reason = " ".join(str(error).split())
            raise ConfigurationError(
                f"{where}: {text!r} is not a JMESPath expression: {reason}", code="workflow.expression_invalid"
            ) from error
        self.tree: Mapping[str, Any] = self._compiled.parsed
        self.path = plain_path(self.tree)
        """The names of a plain path (`payload.person.title`), else None."""
        self.reads_lists = reads_lists(self.tree)

    def __call__(self, data: Any) -> Any:
        """Evaluate over `data`; raises `ContractError` where the data does not fit the expression."""
        if self.path is not None:
            for name in self.path:
                data = data.get(name) if isinstance(data, Mapping) else None
            return data
        try:
            return self._compiled.search(data)
        except Exception as error:  # a hostile payload reaches type errors deep inside the interpreter
            raise ContractError(
                f"{self.where}: {self.text!r} does not fit the payload ({_brief(error)})", code="answer.unlike_mapping"
            ) from error


def condition(expression: str) -> Callable[[Mapping[str, Any]], bool]:
    """Compile a `run_if`: true unless the result is null, false or empty (JMESPath's truth; 0 is true)."""
    compiled = Expression(expression, "run_if")
    return lambda fields: truthy(compiled(fields))


def fields_named(expression: str) -> set[str]:
    """Top-level fields that an expression reads: `email && company.name` names `email` and `company`."""
    return names_in(Expression(expression, "expression").tree)


def truthy(value: Any) -> bool:
    """JMESPath's truth: null, false, and empty strings, lists and objects are false; 0 is true."""
    return not (value is None or value is False or value == "" or value == [] or value == {})


def blank(value: Any) -> bool:
    """True for null, white space, and lists or objects with nothing else in them: such a value provides nothing."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, dict | Mapping):  # `Mapping` alone takes its time to say yes
        return all(blank(member) for member in value.values())
    return value is None or (isinstance(value, list) and all(blank(member) for member in value))


def _brief(error: Exception) -> str:
    return type(error).__name__  # the message may quote the payload: personal data
