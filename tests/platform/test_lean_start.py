"""A program without pandas: the libraries that would import it work as where it is not installed."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
from enrichment_assets.lean_start import start_lean
start_lean()
import duckdb, numpy, pyarrow
array = pyarrow.array(numpy.arange(3))
rows = pyarrow.table({"n": array, "m": [1, 2, None]})
print(array.to_pylist(), duckdb.sql("select sum(n)::int as n from rows").to_arrow_table().to_pylist())
print("pandas" in sys.modules)
"""


def test_arrays_of_numpy_and_tables_of_arrow_are_read_without_pandas() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["[0, 1, 2] [{'n': 3}]", "False"], done.stderr
