"""Writing families while a run works: one is in its tables when its last child is done, not when the batch is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from enrichment_assets.domain.pipeline import Blueprint
from enrichment_assets.store.hq import Hq

if TYPE_CHECKING:
    from enrichment_assets.engine.run.context import Batch

SHARE = 10
"""A look rests so many times as long as it took: of a large batch it reads a million states."""


class FamilyLooks:
    """Looks at one batch for families that have ended. Costs nothing where the pipeline has none.

    `warn` is told which columns could not have which number of values.
    """

    def __init__(self, hq: Hq, batch_key: str, blueprint: Blueprint, warn: Callable[[str], None]) -> None:
        self._hq = hq
        self._warn = warn
        self._batch_key = batch_key
        self._has_families = blueprint.families is not None
        self._rests_until = 0.0

    def look(self) -> None:
        """Write what has ended, unless a look before took long a moment ago."""
        if not self._has_families or time.monotonic() < self._rests_until:
            return
        began = time.monotonic()
        self._write(again=False)
        self._rests_until = time.monotonic() + SHARE * (time.monotonic() - began)

    def last(self) -> Mapping[str, int]:
        """Write all that has ended, also what could not be written before; why not -> how many families."""
        return self._write(again=True) if self._has_families else {}

    @cached_property
    def _batch(self) -> Batch:
        """As it was launched: every look has the same."""
        from enrichment_assets.services.batches.advancing import load_batch

        return load_batch(self._hq, self._batch_key)

    def _write(self, *, again: bool) -> Mapping[str, int]:
        from enrichment_assets.services.batches.families import write_families

        report = write_families(self._hq, self._batch, again=again)
        for column, values in sorted(report.unfit.items()):
            self._warn(f"{values} values do not fit the type of {column} and were left out")
        return report.problems
