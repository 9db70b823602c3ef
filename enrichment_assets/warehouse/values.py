"""The different values of a column of texts, and which row has which.

Where they are few, a million rows are searched by looking at each value once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SAMPLE_ROWS = 100_000
FEW = 0.6
"""Different values for each row, in the first rows of a file: where there are more, nothing is won."""


@dataclass(frozen=True, slots=True)
class Values:
    """A column.

    Attributes:
        texts: Its different values.
        codes: For each row the place of its value; that behind the last: it has none.
    """

    texts: pa.Array
    codes: npt.NDArray[np.int32]

    def numbers(self, holds_for: Callable[[pa.Array], pa.Array]) -> npt.NDArray[np.int32]:
        """Numbers of the rows for whose value it holds."""
        import numpy as np

        is_met = np.append(holds_for(self.texts).to_numpy(zero_copy_only=False).astype(bool), False)
        return np.flatnonzero(is_met[self.codes]).astype(np.int32)


def values_of(path: Path, column: str) -> Values | None:
    """The values of a column; None: they are many, or no texts, or the file has no such column."""
    import numpy as np

    with pq.ParquetFile(path, read_dictionary=[column]) as file:
        names = file.schema_arrow.names
        if column not in names or not file.num_row_groups:
            return None
        kind = file.schema_arrow.field(column).type
        if not pa.types.is_dictionary(kind) or not pa.types.is_string(kind.value_type):
            return None
        first = file.read_row_groups(_first(file.metadata), columns=[column]).column(0).unify_dictionaries()
        if len(first.chunk(0).dictionary) > max(FEW * len(first), 1_000):
            return None
        column_ = file.read(columns=[column]).column(0).unify_dictionaries()
    codes = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in column_.chunks]
    texts = column_.chunk(0).dictionary
    found = np.concatenate(codes).astype(np.int32)
    found[found < 0] = len(texts)
    return Values(texts, found)


def _first(metadata: pq.FileMetaData) -> list[int]:
    """The row groups that have the first rows, `SAMPLE_ROWS` of them at least."""
    groups, rows = list[int](), 0
    for number in range(metadata.num_row_groups):
        groups.append(number)
        rows += metadata.row_group(number).num_rows
        if rows >= SAMPLE_ROWS:
            break
    return groups
