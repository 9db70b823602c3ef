"""A process that does one thing and dies at a point of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from tests.chaos import faults
from tests.chaos.points import Point


def dies_at(point: Point, work: Callable[[], Any]) -> bool:
    """Whether work in a process of its own came to the point and died there; it opens its own connections."""
    child = os.fork()
    if child == 0:
        try:
            faults.arm(point.fault())
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
