"""Python's cyclic collector during a run or in a server: rarely, and never over what was there before.

A run makes and drops some thousand objects an item, and a server as many a request, nearly all of them freed by their
reference counts. With Python's own thresholds the collector walks everything that is alive, imported libraries
included, again and again; that was a fifth of the engine's CPU time.
"""

from __future__ import annotations

import atexit
import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

THRESHOLDS = (20_000, 20, 50)
"""New objects before the youngest are looked at, and how many such rounds before the older ones are."""

_lock = threading.Lock()
_runs = 0
_usual = gc.get_threshold()


@contextmanager
def rare_collections() -> Iterator[None]:
    """Within: what exists already is not looked at, and the rest seldom. Several of a process may overlap."""
    global _runs, _usual
    with _lock:
        _runs += 1
        if _runs == 1:
            _usual = gc.get_threshold()
            gc.set_threshold(*THRESHOLDS)
            gc.freeze()
    try:
        yield
    finally:
        with _lock:
            _runs -= 1
            if _runs == 0:
                gc.set_threshold(*_usual)
                gc.unfreeze()


def no_collection_at_the_end() -> None:
    """Have Python end without walking over all that was imported: a quarter of what a command takes that only looks.

    At its end it looks for cycles among everything, to free memory that goes with the process. What a program has to
    close it has closed by then, and functions registered with `atexit` have run, for this one was there before them.
    What a module holds open until the end is not closed by Python any more.
    """
    atexit.register(gc.freeze)


@contextmanager
def no_collections() -> Iterator[None]:
    """Within, nothing is looked at: for what makes a hundred thousand objects that all stay, as an import does."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
