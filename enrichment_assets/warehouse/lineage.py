"""Column lineage, read from the SQL by sqlglot: which columns of which model or source a column is made from."""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

from enrichment_assets.warehouse.project import Model, load_project

Origin = tuple[str, str]


def column_lineage(model: Model) -> dict[str, list[Origin]]:
    """Column -> the (relation, column) pairs it is made from; a source is named `hq.<source>`.

    Origins are direct: the models and sources that this model's SQL names. A column whose origin cannot be told (a
    constant, SQL that sqlglot does not resolve) has an empty list.
    """
    lineage: dict[str, list[Origin]] = {column.name: [] for column in model.columns}
    try:
        parsed = sqlglot.parse_one(model.sql, dialect="duckdb")
        qualified = qualify(
            parsed,
            dialect="duckdb",
            db="main",
            schema=_schema(model),
            validate_qualify_columns=False,
            identify=False,
        )
        scope = build_scope(qualified)
    except SqlglotError:
        return lineage
    if scope is not None:
        for name in lineage:
            lineage[name] = sorted(_origins(scope, name, set()))
    return lineage


def _schema(model: Model) -> dict[str, object]:
    """What the model reads, in sqlglot's form: schema -> relation -> column -> type."""
    project = load_project()
    schema: dict[str, object] = {}
    columns = {n: m.columns for n, m in project.models.items()} | {n: r.columns for n, r in project.seeds.items()}
    if model.refs:
        schema["main"] = {name: {c.name: c.type for c in columns[name]} for name in model.refs}
    if model.sources:
        schema["hq"] = {name: {c.name: c.type for c in project.sources[name].columns} for name in model.sources}
    return schema


def _origins(scope: Scope, column: str, seen: set[tuple[int, str]]) -> set[Origin]:
    """The origins of one output column of a scope, followed through CTEs, subqueries and unions."""
    if (id(scope), column) in seen:
        return set()
    seen.add((id(scope), column))
    if isinstance(scope.expression, exp.SetOperation):
        return _origins_of_union(scope, column, seen)
    if not isinstance(scope.expression, exp.Query):
        return set()
    projection = next((p for p in scope.expression.selects if p.alias_or_name == column), None)
    if projection is None:
        return set()
    found: set[Origin] = set()
    for reference in projection.find_all(exp.Column):
        found |= _resolve(scope, reference, seen)
    return found


def _origins_of_union(scope: Scope, column: str, seen: set[tuple[int, str]]) -> set[Origin]:
    """A union's columns go by position: the name is that of its first part."""
    names = scope.expression.named_selects if isinstance(scope.expression, exp.Query) else []
    if column not in names:
        return set()
    place = names.index(column)
    found: set[Origin] = set()
    for part in scope.set_operation_scopes:
        if isinstance(part.expression, exp.Query) and place < len(part.expression.named_selects):
            found |= _origins(part, part.expression.named_selects[place], seen)
    return found


def _resolve(scope: Scope, reference: exp.Column, seen: set[tuple[int, str]]) -> set[Origin]:
    source = scope.sources.get(reference.table)
    if isinstance(source, exp.Table):
        prefix = "hq." if source.db == "hq" else ""
        return {(prefix + source.name, reference.name)}
    if isinstance(source, Scope):
        return _origins(source, reference.name, seen)
    return set()
