"""Marks in the package: comments that name a guard or a crash point, so that tests find it wherever code is moved to.

A guard is one line, of Python or of a statement's text. Its mark ends the line, or stands alone above it:

    if there + created != wanted:  # guard: every-counted-row-is-an-item
    and l.fence = a.fence and l.runner_id = %(runner)s  -- guard: intent-needs-its-lease

A crash point is a function or a method, with its mark above it:

    # crash point: batch-is-launched
    def launch(...)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "enrichment_assets"
GUARD, CRASH_POINT = "guard", "crash point"
_MARK = re.compile(rf"(?:#|--)\s*(?P<word>{GUARD}|{CRASH_POINT})\s*:\s*(?P<name>.*?)\s*$")
_FUNCTION = re.compile(r"(?P<indent> *)(?:async )?def (?P<name>\w+)\(")
_CLASS = re.compile(r"class (?P<name>\w+)\b")


@dataclass(frozen=True)
class Mark:
    """One mark: its name, its file below the repository's root, and the number of the line that it is about."""

    name: str
    file: Path
    line: int


@lru_cache
def find_marks(word: str) -> dict[str, tuple[Mark, ...]]:
    """All marks of a kind in the package by name; more than one mark of a name is somebody's mistake."""
    found: dict[str, tuple[Mark, ...]] = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        text = path.read_text()
        if f"{word}:" not in text:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            mark = _MARK.search(line)
            if mark and mark["word"] == word:
                about = number if line[: mark.start()].strip() else number + 1
                name = mark["name"]
                found[name] = (*found.get(name, ()), Mark(name, path.relative_to(ROOT), about))
    return found


def find_mark(word: str, name: str) -> Mark:
    """The mark of that name. Raises `LookupError` where it is missing or double."""
    marks = find_marks(word).get(name, ())
    if len(marks) != 1:
        raise LookupError(f"`{word}: {name}` stands in the package {len(marks)} times, at {marks}")
    return marks[0]


def wrong_marks(word: str, known: set[str]) -> list[str]:
    """What is wrong with a kind of mark, in sentences: unknown, missing, double. `known` are those that tests name."""
    marks = find_marks(word)
    return [
        *(f"`{word}: {name}` is named by no test: {marks[name]}" for name in sorted(set(marks) - known)),
        *(f"`{word}: {name}` is nowhere in the package" for name in sorted(known - set(marks))),
        *(f"`{word}: {name}` stands {len(found)} times: {found}" for name, found in marks.items() if len(found) > 1),
    ]


def replace_guard(root: Path, name: str, without: str) -> None:
    """Put `without` in place of the guard's line, indented as it was; in the copy of the package below `root`."""
    mark = find_mark(GUARD, name)
    path = root / mark.file
    lines = path.read_text().splitlines(keepends=True)
    guard = lines[mark.line - 1]
    indent = guard[: len(guard) - len(guard.lstrip())]
    lines[mark.line - 1] = f"{indent}{without}\n"
    path.write_text("".join(lines))


@lru_cache
def crash_point_function(name: str) -> str:
    """The function at a crash point as `module:function` or `module:Class.method`.

    Raises `LookupError` where there is no such point, or no function below its mark.
    """
    mark = find_mark(CRASH_POINT, name)
    lines = (ROOT / mark.file).read_text().splitlines()
    number = mark.line
    while lines[number - 1].strip().startswith(("@", "#")):
        number += 1
    function = _FUNCTION.match(lines[number - 1])
    if function is None:
        raise LookupError(f"`{CRASH_POINT}: {name}` stands above no function: {mark}")
    module = ".".join(mark.file.with_suffix("").parts)
    if not function["indent"]:
        return f"{module}:{function['name']}"
    owner = next(found for line in reversed(lines[:number]) if (found := _CLASS.match(line)))
    return f"{module}:{owner['name']}.{function['name']}"
