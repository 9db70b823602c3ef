"""A connection has two kinds and one name for each, in every signature of the package."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import enrichment_assets

PACKAGE = Path(enrichment_assets.__file__).parent
WHERE_NAMES_ARE_MADE = {"store/database.py", "store/hq.py"}
MEANT = {"Connection", "AsyncConnection", "adbc.Connection", "duckdb.DuckDBPyConnection"}
"""What a parameter called `connection` may be: ours, the Arrow driver's, or DuckDB's."""


def _annotations(tree: ast.AST) -> Iterator[tuple[int, str, str]]:
    """Line, name and annotation of every parameter, result and annotated name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            for argument in every:
                yield argument.lineno, argument.arg, ast.unparse(argument.annotation) if argument.annotation else ""
            yield node.lineno, node.name, ast.unparse(node.returns) if node.returns else ""
        elif isinstance(node, ast.AnnAssign):
            yield node.lineno, ast.unparse(node.target), ast.unparse(node.annotation)


def _wrong(name: str, annotation: str) -> bool:
    if name.lstrip("_") == "connection" and annotation.removesuffix(" | None").strip("'\"") not in MEANT:
        return True
    return any(word in annotation for word in ("psycopg.Connection", "psycopg.AsyncConnection", "Connection["))


def test_no_signature_names_a_connection_in_another_way_or_leaves_its_type_open() -> None:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        file = path.relative_to(PACKAGE).as_posix()
        if file in WHERE_NAMES_ARE_MADE or file.startswith(("sandbox/", "store/migrations/")):
            continue
        tree = ast.parse(path.read_text())
        found += [f"{file}:{line} {name}: {said}" for line, name, said in _annotations(tree) if _wrong(name, said)]
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in ("psycopg", "enrichment_assets.store.database"):
                renamed = [
                    a for a in node.names if a.name.endswith("Connection") and (node.module == "psycopg" or a.asname)
                ]
                found += [f"{file}:{node.lineno} import {one.name}" for one in renamed]
    assert found == []


def test_the_rule_sees_what_it_forbids() -> None:
    forbidden = ["Any", "", "psycopg.Connection[Any]", "Connection[Row]", "object"]
    assert all(_wrong("connection", said) for said in forbidden)
    assert _wrong("hq", "psycopg.AsyncConnection[dict[str, Any]]")
    assert not any(_wrong("connection", said) for said in ("Connection", "AsyncConnection", "AsyncConnection | None"))
