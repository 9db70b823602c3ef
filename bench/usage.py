"""CPU time and memory of processes, as the kernel counts them."""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def peak_megabytes() -> int:
    """Highest resident memory of this process (`ru_maxrss` would be that of the process which started it)."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) // 1024
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, of the children that it has, and of those that it had and waited for; 0 without /proc."""
    return _own(pid) + sum(cpu_seconds(child) for child in _children(pid))


def _own(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS


def _children(pid: int) -> list[int]:
    """Children of any of its threads."""
    found = []
    with suppress(FileNotFoundError):  # it has ended meanwhile
        for thread in Path(f"/proc/{pid}/task").glob("*/children"):
            with suppress(OSError):
                found += [int(child) for child in thread.read_text().split()]
    return found
