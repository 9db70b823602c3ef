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


ENDING = """
import atexit, gc
from enrichment_assets.lean_start import start_lean
start_lean()

atexit.register(lambda: print("closed", gc.get_freeze_count()))  # what is registered later runs before
atexit._run_exitfuncs()
print("frozen", gc.get_freeze_count() > 1_000)
"""


def test_at_the_end_nothing_is_walked_over_and_what_a_program_closes_is_closed_before() -> None:
    done = subprocess.run([sys.executable, "-c", ENDING], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["closed 0", "frozen True"], done.stderr
