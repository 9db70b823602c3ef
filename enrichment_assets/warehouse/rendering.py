"""Renders the Jinja of a dbt project: `ref`, `source`, `var`, `config`, `env_var` and the macros of the folder.

Only what a plain SQL project uses. What a template names is collected while it renders, as dbt does it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, TemplateError

from enrichment_assets.domain.errors import ConfigurationError

_TEST_BLOCK = re.compile(r"{%(-?)\s*test\s+(\w+)\s*\((.*?)\)\s*(-?)%}")
_END_TEST = re.compile(r"{%(-?)\s*endtest\s*(-?)%}")


@dataclass(frozen=True, slots=True)
class Used:
    """What one template named: other models or seeds, sources, and its own `config(...)`."""

    refs: tuple[str, ...]
    sources: tuple[str, ...]
    config: Mapping[str, Any]


@dataclass
class _Recorder:
    variables: Mapping[str, Any]
    refs: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)

    def context(self) -> dict[str, Any]:
        return {
            "ref": self._ref,
            "source": self._source,
            "var": self._var,
            "config": self._config,
            "env_var": lambda name, default="": os.environ.get(name, default),
            "is_incremental": lambda: False,
        }

    def _ref(self, name: str) -> str:
        self.refs.append(name)
        return name

    def _source(self, group: str, name: str) -> str:
        self.sources.append(name)
        return f"{group}.{name}"

    def _var(self, name: str, default: Any = None) -> Any:
        if name not in self.variables and default is None:
            raise ConfigurationError(f"dbt_project.yml has no variable `{name}`.", code="model.variable_unknown")
        return self.variables.get(name, default)

    def _config(self, **settings: Any) -> str:
        self.config.update(settings)
        return ""


class Renderer:
    """Renders templates of one project folder with its macros and variables."""

    def __init__(self, folder: Path, variables: Mapping[str, Any]) -> None:
        self._folder = folder
        self._variables = variables
        self._environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - SQL, not HTML

    # opens files of ours: the models'
    @cached_property
    def _macros(self) -> str:
        """All macro files behind each other; a `{% test x() %}` block is a macro named `test_x`, as in dbt."""
        text = "".join(path.read_text(encoding="utf-8") for path in sorted((self._folder / "macros").rglob("*.sql")))
        text = _TEST_BLOCK.sub(r"{%\1 macro test_\2(\3) \4%}", text)
        return _END_TEST.sub(r"{%\1 endmacro \2%}", text)

    @cached_property
    def _macro_template(self) -> Template:
        """The macros, compiled once: compiling them with every model made loading the project ten times slower."""
        return self._environment.from_string(self._macros)

    def inspect(self, template: str) -> Used:
        """What the template names, each once, in the order of first use."""
        recorder = _Recorder(self._variables)
        self._render(template, recorder, {})
        return Used(
            refs=tuple(dict.fromkeys(recorder.refs)),
            sources=tuple(dict.fromkeys(recorder.sources)),
            config=dict(recorder.config),
        )

    def render(self, template: str, **values: Any) -> str:
        """The SQL text; `values` are further names that the template may use."""
        return self._render(template, _Recorder(self._variables), values)

    def has_macro(self, name: str) -> bool:
        """True when the project defines a macro of that name."""
        return re.search(rf"macro\s+{re.escape(name)}\s*\(", self._macros) is not None

    def _render(self, template: str, recorder: _Recorder, values: Mapping[str, Any]) -> str:
        try:
            known = {**recorder.context(), **values}
            macros = {
                name: macro
                for name, macro in vars(self._macro_template.make_module(known)).items()
                if not name.startswith("_")
            }
            return self._environment.from_string(template).render(**known, **macros).strip()
        except TemplateError as error:
            raise ConfigurationError(
                f"A model or macro does not render: {error}", code="model.not_renderable"
            ) from error
