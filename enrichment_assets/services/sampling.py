"""Some cells of each column, from the first rows: enough to see what a column holds."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

_ROWS = 200
_NUMBERS = 2
"""row_number and line_number stand before the cells."""
_LONGEST = 500


def sample_columns(batches: Iterable[pa.RecordBatch], columns: int) -> list[list[str]]:
    """Per column, the cells of the first 200 rows that are not blank; longer ones than 500 characters are left out."""
    samples: list[list[str]] = [[] for _ in range(columns)]
    rows = 0
    for batch in batches:
        head = batch.slice(0, _ROWS - rows)
        for sample, column in zip(samples, head.columns[_NUMBERS:], strict=True):
            sample += [cell for cell in column.to_pylist() if cell and len(cell) <= _LONGEST and not cell.isspace()]
        rows += head.num_rows
        if rows >= _ROWS:
            break
    return samples
