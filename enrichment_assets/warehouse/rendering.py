"""Renders the Jinja of a dbt project: `ref`, `source`, `var`, `config`, `env_var` and the macros of the folder.

Only what a plain SQL project uses. What a template names is collected while it renders, as dbt does it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, Environment, StrictUndefined, Template, TemplateError
from jinja2.bccache import Bucket

from enrichment_assets.domain.errors import ConfigurationError

_TEST_BLOCK = re.compile(r"{%(-?)\s*test\s+(\w+)\s*\((.*?)\)\s*(-?)%}")
_END_TEST = re.compile(r"{%(-?)\s*endtest\s*(-?)%}")


@dataclass(frozen=True, slots=True)
class Used:
    """What one template named: other models or seeds, sources, and its own `config(...)`."""

    refs: tuple[str, ...]
    sources: tuple[str, ...]
    config: Mapping[str, Any]

    @property
    def relations(self) -> tuple[str, ...]:
        """All that it reads, sources with `hq.` before the name."""
        return (*self.refs, *(f"hq.{source}" for source in self.sources))


@dataclass
class _Recorder:
    refs: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)


_recorder: ContextVar[_Recorder] = ContextVar("_recorder")
"""Where what a template names is collected while it renders; the macros are one module, shared by all templates."""


def _ref(name: str) -> str:
    _recorder.get().refs.append(name)
    return name


def _source(group: str, name: str) -> str:
    _recorder.get().sources.append(name)
    return f"{group}.{name}"


def _config(**settings: Any) -> str:
    _recorder.get().config.update(settings)
    return ""


# opens files of ours: the models', and what is compiled of them
class KeptTemplates(BytecodeCache):
    """Compiled templates in the project's `__pycache__`, as Python keeps compiled modules beside their source.

    A template is found by its own text, so a changed one is compiled anew. Where nothing can be written, nothing is
    kept; who could write there could change the templates themselves.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        """The bucket of a text: its key is the text's, whatever the template is called."""
        checksum = self.get_source_checksum(source)
        bucket = Bucket(environment, checksum, checksum)
        self.load_bytecode(bucket)
        return bucket

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read what is kept; a file that is not whole, or of another Jinja or Python, counts as none."""
        with suppress(OSError, EOFError, ValueError), self._file(bucket).open("rb") as file:
            bucket.load_bytecode(file)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Write it aside and rename, so that no reader sees half of it."""
        aside = self._file(bucket).with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            self._folder.mkdir(exist_ok=True)
            with aside.open("wb") as file:
                bucket.write_bytecode(file)
            aside.replace(self._file(bucket))

    def _file(self, bucket: Bucket) -> Path:
        return self._folder / f"{bucket.key}.{sys.implementation.cache_tag}.jinja"


class Renderer:
    """Renders templates of one project folder with its macros and variables."""

    def __init__(self, folder: Path, variables: Mapping[str, Any]) -> None:
        self._folder = folder
        self._variables = variables
        self._environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - SQL, not HTML
        self._kept = KeptTemplates(folder / "__pycache__")
        self._compiled: Callable[[str], Template] = cache(self._compile)

    @cached_property
    def _macros(self) -> str:
        """All macro files behind each other; a `{% test x() %}` block is a macro named `test_x`, as in dbt."""
        text = "".join(path.read_text(encoding="utf-8") for path in sorted((self._folder / "macros").rglob("*.sql")))
        text = _TEST_BLOCK.sub(r"{%\1 macro test_\2(\3) \4%}", text)
        return _END_TEST.sub(r"{%\1 endmacro \2%}", text)

    @cached_property
    def _known(self) -> dict[str, Any]:
        """What every template may name: dbt's functions, and the macros, compiled and run once for all templates."""
        functions = {
            "ref": _ref,
            "source": _source,
            "var": self._var,
            "config": _config,
            "env_var": lambda name, default="": os.environ.get(name, default),
            "is_incremental": lambda: False,
        }
        module = self._compiled(self._macros).make_module(functions)
        return functions | {name: macro for name, macro in vars(module).items() if not name.startswith("_")}

    def _compile(self, text: str) -> Template:
        bucket = self._kept.get_bucket(self._environment, "sql", None, text)
        if bucket.code is None:
            bucket.code = self._environment.compile(text)
            self._kept.set_bucket(bucket)
        return Template.from_code(self._environment, bucket.code, self._environment.make_globals(None))

    def _var(self, name: str, default: Any = None) -> Any:
        if name not in self._variables and default is None:
            raise ConfigurationError(f"dbt_project.yml has no variable `{name}`.", code="model.variable_unknown")
        return self._variables.get(name, default)

    def inspect(self, template: str) -> Used:
        """What the template names, each once, in the order of first use."""
        return self.rendered(template)[1]

    def rendered(self, template: str, **values: Any) -> tuple[str, Used]:
        """The SQL text, and what the template names; `values` are further names that the template may use."""
        recorder = _Recorder()
        text = self._render(template, recorder, values)
        return text, Used(
            refs=tuple(dict.fromkeys(recorder.refs)),
            sources=tuple(dict.fromkeys(recorder.sources)),
            config=dict(recorder.config),
        )

    def render(self, template: str, **values: Any) -> str:
        """The SQL text alone."""
        return self._render(template, _Recorder(), values)

    def has_macro(self, name: str) -> bool:
        """True when the project defines a macro of that name."""
        return re.search(rf"macro\s+{re.escape(name)}\s*\(", self._macros) is not None

    def _render(self, template: str, recorder: _Recorder, values: Mapping[str, Any]) -> str:
        token = _recorder.set(recorder)
        try:
            return self._compiled(template).render(**self._known, **values).strip()
        except TemplateError as error:
            raise ConfigurationError(
                f"A model or macro does not render: {error}", code="model.not_renderable"
            ) from error
        finally:
            _recorder.reset(token)
