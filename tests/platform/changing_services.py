"""Which functions of `services` change something in HQ: found in the code, not listed.

A statement of `store` writes when its text inserts, updates, deletes or copies, or when it calls one that does. A
service changes something when it reaches such a statement through the functions of its own room.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import enrichment_assets

PACKAGE = Path(enrichment_assets.__file__).parent
_WRITES = re.compile(
    r"\b(insert into|update [\w{}]+(\s+as)?(\s+\w+)?\s+set|delete from|copy [\w{} ,()]+ from stdin)\b", re.IGNORECASE
)
SEEDING = "enrichment_assets.services.catalog.seeding."
"""What comes with the platform is brought up to date whenever the registry is read: nobody decides that."""


@dataclass
class Function:
    """One function or method: its parameters, the names that it uses, and whether its own text writes."""

    module: str
    name: str
    parameters: list[str]
    uses: set[str] = field(default_factory=set)
    writes: bool = False


@cache
def functions() -> dict[str, Function]:
    """Functions of store and services by their dotted name; methods and nested functions count as their outermost."""
    found: dict[str, Function] = {}
    for room in ("store", "services"):
        for path in sorted((PACKAGE / room).rglob("*.py")):
            if "migrations" not in path.parts:
                found |= _functions_of(path)
    return found


def _functions_of(path: Path) -> dict[str, Function]:
    relative = path.relative_to(PACKAGE.parent).with_suffix("")
    module = ".".join(relative.parts)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = _imports(tree)
    texts = {
        target.id: "".join(_strings(node.value))
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            function = Function(module, node.name, _parameters(node))
            _read(node, function, names, texts, own)
            found[f"{module}.{node.name}"] = function
    return found


def _read(node: ast.AST, function: Function, names: dict[str, str], texts: dict[str, str], own: set[str]) -> None:
    docstrings = {id(one.value) for one in ast.walk(node) if isinstance(one, ast.Expr)}
    for part in ast.walk(node):
        if id(part) in docstrings:
            continue
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            function.writes |= _WRITES.search(part.value) is not None
        elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id in names:
            function.uses.add(f"{names[part.value.id]}.{part.attr}")
        elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) and part.id not in function.parameters:
            if part.id in texts:
                function.writes |= _WRITES.search(texts[part.id]) is not None
            elif part.id in own:
                function.uses.add(f"{function.module}.{part.id}")
            elif part.id in names:
                function.uses.add(names[part.id])


def _strings(node: ast.AST) -> list[str]:
    return [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def _parameters(node: ast.AST) -> list[str]:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return []
    return [one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]


def _imports(tree: ast.Module) -> dict[str, str]:
    """Name in the module -> what it is, dotted."""
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


@cache
def writing() -> frozenset[str]:
    """Functions that write, or reach one that does."""
    asked = {name: one for name, one in functions().items() if not name.startswith(SEEDING)}
    known = {name for name, function in asked.items() if function.writes}
    while True:
        more = {name for name, function in asked.items() if function.uses & known} - known
        if not more:
            return frozenset(known)
        known |= more


def changing_services() -> dict[str, Function]:
    """Public functions of services that change something, by `folder.module.function`."""
    prefix = "enrichment_assets.services."
    return {
        name.removeprefix(prefix): functions()[name]
        for name in sorted(writing())
        if name.startswith(prefix) and not functions()[name].name.startswith("_") and functions()[name].parameters
    }
