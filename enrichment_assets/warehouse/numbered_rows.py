"""Rows of one batch's file by their number in it: what a grid needs that shows any page of a million at once.

A page is found in two steps: which numbers meet a condition, in which order, read from the columns that say so; then
the rows of those numbers, of which DuckDB opens only the parts of the file where they lie. Numbers that were found are
kept for a while, as long as the file is the same: whoever turns the page asks the second question only.

The session is the process's own, and is never given to SQL that somebody else wrote.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.warehouse.files import Layout
from enrichment_assets.warehouse.project import Column
from enrichment_assets.warehouse.scanning import scan
from enrichment_assets.warehouse.session import connect
from enrichment_assets.warehouse.values import Values, values_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int32]

MEMORY = "1GB"
"""What the session holds at most, with what it keeps of files that it has read."""

KEPT_BYTES = 64 * 1024**2
"""Of numbers that were found, in one process."""

NEAR = 10_000
"""Rows from the first on for which no whole order is worked out: the first ones of it are found faster."""

KEPT_COLUMNS = 8
"""Columns whose values are kept, of one process: 4 MB for a million rows, and the values."""

_lock = threading.Lock()
_sessions: dict[tuple[int, Path], duckdb.DuckDBPyConnection] = {}
_found: OrderedDict[tuple[Any, ...], Numbers] = OrderedDict()
_values: OrderedDict[tuple[Any, ...], Values | None] = OrderedDict()


_NUMBERS = "select file_row_number"


@dataclass(frozen=True, slots=True)
class Condition:
    """What is to hold for a row.

    Attributes:
        column: Whose value it is about.
        sql: The condition as SQL of ours; what somebody typed is in `parameters`.
        holds_for: Of an array of texts those for which it holds, none of them empty; None: SQL alone tells.
    """

    column: str
    sql: str
    parameters: tuple[Any, ...] = ()
    holds_for: Callable[[pa.Array], pa.Array] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class NumberedRows:
    """The rows of one file.

    Attributes:
        layout: The warehouse.
        path: The file.
        version: When it was written, and its size: it is replaced whole, never changed.
        columns: What is promised of it; null where it was written before one of them.
        key: The column by which rows stand where nothing else is asked for.
    """

    layout: Layout
    path: Path
    version: tuple[int, int]
    columns: Sequence[Column]
    key: str

    @classmethod
    def of(cls, layout: Layout, path: Path, columns: Sequence[Column], key: str) -> NumberedRows | None:
        """The rows of a file; None: there is no such file."""
        try:
            found = path.stat()
        except FileNotFoundError:
            return None
        return cls(layout, path, (found.st_mtime_ns, found.st_size), columns, key)

    def page(
        self, conditions: Sequence[Condition], order: str | None, offset: int, limit: int
    ) -> tuple[int, list[int]]:
        """How many rows meet all conditions, and the numbers of a page of them, in an order (None: the key's).

        `order` is SQL of ours over the columns.
        """
        import numpy as np

        total = self._total()
        is_met = np.ones(total, dtype=bool)
        for condition in conditions:
            found = np.zeros(total, dtype=bool)
            found[self._met(condition)] = True
            is_met &= found
        if conditions:
            total = int(is_met.sum())
        by = self.key if order is None else f"{order}, {self.key}"
        whole = ("order", by)
        if order is not None and offset + limit <= NEAR and not self._has(whole):
            where = " and ".join(one.sql for one in conditions) or "true"
            first = f"{_NUMBERS} from {self._scan()} where {where} order by {by} limit {offset + limit}"
            near = self._asked(first, [value for one in conditions for value in one.parameters]).fetchall()
            return total, [number for (number,) in near[offset:]]
        places = self._kept(whole, f"{_NUMBERS} from {self._scan()} order by {by}", ())
        if conditions:
            places = places[is_met[places]]
        return total, places[offset : offset + limit].tolist()

    def rows(self, numbers: Sequence[int], shown: str) -> list[tuple[Any, ...]]:
        """What `shown` (SQL of ours) says of these rows, in their order."""
        if not len(numbers):
            return []
        low, high = min(numbers), max(numbers)
        some = "" if high - low + 1 == len(numbers) else f" and file_row_number in ({', '.join(map(str, numbers))})"
        query = (
            f"select file_row_number, {shown} from {self._scan()} where file_row_number between {low} and {high}{some}"
        )
        found = {row[0]: row[1:] for row in self._asked(query).fetchall()}
        return [found[number] for number in numbers if number in found]  # the file may have been replaced meanwhile

    def _total(self) -> int:
        """Rows of the file, by its footer."""
        return int(pq.read_metadata(self.path).num_rows)

    def _met(self, condition: Condition) -> Numbers:
        """Numbers of the rows that meet a condition: by the values that there are, where they are few; else by SQL."""
        values = None if condition.holds_for is None else self._values(condition.column)
        if values is not None and condition.holds_for is not None:
            return values.numbers(condition.holds_for)
        sql = f"{_NUMBERS} from {self._scan()} where {condition.sql}"
        return self._kept(("where", condition.sql, *condition.parameters), sql, condition.parameters)

    def _values(self, column: str) -> Values | None:
        name = (str(self.path), self.version, column)
        with _lock:
            if name in _values:
                _values.move_to_end(name)
                return _values[name]
        found = values_of(self.path, column)
        with _lock:
            _values[name] = found
            while len(_values) > KEPT_COLUMNS:
                _values.popitem(last=False)
        return found

    def _has(self, what: tuple[Any, ...]) -> bool:
        with _lock:
            return (str(self.path), self.version, *what) in _found

    def _kept(self, what: tuple[Any, ...], query: str, parameters: Sequence[Any]) -> Numbers:
        name = (str(self.path), self.version, *what)
        with _lock:
            if (kept := _found.get(name)) is not None:
                _found.move_to_end(name)
                return kept
        asked = self._asked(query, parameters).fetchnumpy()["file_row_number"]
        found = cast("Numbers", asked.astype("int32"))
        with _lock:
            _found[name] = found
            while len(_found) > 1 and sum(one.nbytes for one in _found.values()) > KEPT_BYTES:
                _found.popitem(last=False)
        return found

    def _scan(self) -> str:
        return f"({scan(self.columns, [self.path], is_numbered=True)}) as l"

    def _asked(self, query: str, parameters: Sequence[Any] = ()) -> duckdb.DuckDBPyConnection:
        try:
            return self._cursor().execute(query, parameters)
        except duckdb.Error as error:
            raise InfrastructureError(
                f"the leads of {self.path.stem} cannot be read just now: {type(error).__name__}",
                code="warehouse.rows_unreadable",
            ) from error

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the process's session; a process that was forked off has another."""
        name = (os.getpid(), self.layout.root)
        with _lock:
            if name not in _sessions:
                _sessions[name] = connect(self.layout, memory=MEMORY, for_questions=True, functions=False)
            return _sessions[name].cursor()
