"""Turns the tests of a `schema.yml` into SQL that selects the failing rows.

dbt's four generic tests are here; a project's own are macros (`{% test name(model, column_name, ...) %}`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from enrichment_assets.domain.errors import ConfigurationError
from enrichment_assets.warehouse.rendering import Renderer

Severity = Literal["error", "warn"]


@dataclass(frozen=True, slots=True)
class TestSpec:
    """One test of a model: generic (on a column or the model) or singular (a file under `tests/`).

    `sql` is a template that selects the failing rows; `reads` names what it reads besides the model: models, seeds, and
    sources with `hq.` before the name.
    """

    __test__ = False

    name: str
    model: str
    sql: str
    severity: Severity
    description: str = ""
    column: str | None = None
    reads: tuple[str, ...] = ()


_BUILT_IN = {
    "not_null": "select * from {{ model }} where {{ column_name }} is null",
    "unique": (
        "select {{ column_name }} as value, count(*) as occurrences from {{ model }} "
        "where {{ column_name }} is not null group by all having count(*) > 1"
    ),
    "accepted_values": (
        "select {{ column_name }} as value, count(*) as occurrences from {{ model }} "
        "where {{ column_name }} is not null "
        "and {{ column_name }} not in ({% for v in values %}'{{ v }}'{{ ', ' if not loop.last }}{% endfor %}) "
        "group by all"
    ),
    "relationships": (
        "select c.{{ column_name }} as value from {{ model }} as c where c.{{ column_name }} is not null "
        "and not exists (select 1 from {{ to }} as p where p.{{ field }} = c.{{ column_name }})"
    ),
}


def generic_tests(entry: Mapping[str, Any], renderer: Renderer) -> list[TestSpec]:
    """All tests that one model's entry in a `schema.yml` asks for.

    Raises:
        ConfigurationError: A test is neither one of dbt's four nor a macro of the project.
    """
    tests = [_spec(entry["name"], None, test, renderer) for test in _listed(entry)]
    for column in entry.get("columns", []):
        tests += [_spec(entry["name"], column["name"], test, renderer) for test in _listed(column)]
    return tests


def _listed(entry: Mapping[str, Any]) -> list[Any]:
    return list(entry.get("data_tests", []) or [])


def _spec(model: str, column: str | None, test: str | Mapping[str, Any], renderer: Renderer) -> TestSpec:
    kind, options = (test, {}) if isinstance(test, str) else next(iter(test.items()))
    resolved = {k: _resolved(v, renderer) for k, v in (options.get("arguments") or {}).items()}
    arguments = {name: value for name, (value, _) in resolved.items()}
    severity: Severity = "warn" if (options.get("config") or {}).get("severity") == "warn" else "error"
    given = {"model": model, **({"column_name": column} if column else {}), **arguments}
    sql, used = renderer.rendered(_template(kind, given, renderer), **given)
    name = "_".join(part for part in (kind, model, column or _suffix(arguments)) if part)
    reads = (*used.relations, *(one for _, relations in resolved.values() for one in relations))
    return TestSpec(options.get("name", name), model, sql, severity, options.get("description", ""), column, reads)


def _resolved(value: Any, renderer: Renderer) -> tuple[Any, tuple[str, ...]]:
    """An argument, and the relations it names: `ref('x')` written as text, as dbt allows it in YAML."""
    if isinstance(value, str) and value.startswith(("ref(", "source(")):
        text, used = renderer.rendered("{{ " + value + " }}")
        return text, used.relations
    return value, ()


def _suffix(arguments: Mapping[str, Any]) -> str:
    return "_".join(str(v) if not isinstance(v, list) else "_".join(map(str, v)) for v in arguments.values())


def _template(kind: str, arguments: Mapping[str, Any], renderer: Renderer) -> str:
    if kind in _BUILT_IN:
        return _BUILT_IN[kind]
    if not renderer.has_macro(f"test_{kind}"):
        raise ConfigurationError(
            f"schema.yml asks for the test `{kind}`, which no macro defines.", code="model.test_unknown"
        )
    call = ", ".join(f"{name}={name}" for name in arguments)
    return "{{ test_" + kind + "(" + call + ") }}"
