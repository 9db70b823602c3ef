"""What a process of ours does first, so that it starts at the price of what it uses."""

from __future__ import annotations

import gc
import sys
from importlib.abc import MetaPathFinder
from types import ModuleType

from enrichment_assets.collector import THRESHOLDS, no_collection_at_the_end


def start_lean() -> None:
    """Spare a program its two dearest imports: Python's collector during all of them and at the end, and pandas.

    With its usual thresholds the collector walks over the libraries again and again while they are imported, a tenth of
    the time. Pandas is for notebooks (`warehouse.open_warehouse`), and we import it nowhere; but pyarrow, ADBC and
    DuckDB do, where it is installed, to see that the first value they meet is none of its own: a third of a second.
    Call it where a program begins, never in a library: what is not there cannot be imported later either.
    """
    gc.set_threshold(*THRESHOLDS)
    no_collection_at_the_end()
    sys.meta_path.insert(0, _WithoutPandas())


class _WithoutPandas(MetaPathFinder):
    """Says that pandas is not installed, which libraries are made for; None in `sys.modules` they take for pandas."""

    def find_spec(self, name: str, path: object, target: ModuleType | None = None) -> None:
        """Raise for pandas; every other module is somebody else's to find."""
        if name == "pandas":
            raise ModuleNotFoundError("the enrich program does without pandas", name=name)
