"""The cases of a normaliser: rows of data with what goes in, what must come out, and why."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
EXPECTED = "expected_"
_NOT_INPUT = frozenset({"group", "source"})


@dataclass(frozen=True, slots=True)
class Case:
    """One row: `given` goes in, `expected` must come out (None: nothing), `source` says who says so."""

    group: str
    given: Mapping[str, Any]
    expected: Mapping[str, Any]
    source: str
    place: str


def read_cases(folder: Path) -> list[Case]:
    """Every case of every `.csv` and `.jsonl` file in a folder, in order of file and line.

    Columns named `expected_<field>` are what must come out, `source` is the reason, `group` the group (default: the
    file's name without ending), every other column goes in. An empty CSV cell is None. Raises `ValueError` for a row
    that expects nothing or has no source.
    """
    return [
        _case(row, path, line)
        for path in sorted(folder.iterdir())
        if path.suffix in _READERS
        for line, row in _READERS[path.suffix](path)
    ]


def _case(row: Mapping[str, Any], path: Path, line: int) -> Case:
    place = f"{path.parent.name}/{path.name}:{line}"
    expected = {name.removeprefix(EXPECTED): value for name, value in row.items() if name.startswith(EXPECTED)}
    if not expected or not row.get("source"):
        raise ValueError(f"{place}: a case needs a column expected_<field> and a source")
    given = {name: value for name, value in row.items() if not name.startswith(EXPECTED) and name not in _NOT_INPUT}
    return Case(row.get("group") or path.stem, given, expected, row["source"], place)


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        for row in reader:
            if None in row or None in row.values():
                raise ValueError(f"{path.name}:{reader.line_num}: {len(reader.fieldnames or [])} cells are expected")
            yield reader.line_num, {name: value or None for name, value in row.items()}


def _json_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            yield number, json.loads(line)


_READERS = {".csv": _csv_rows, ".jsonl": _json_rows}
