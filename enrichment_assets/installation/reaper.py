"""The reaper: a small process that outlives its supervisor by the moments it takes to clear up.

The supervisor tells it over a pipe which process groups exist. When the pipe ends, however the supervisor ended, every
group that was not taken off the list is terminated, then killed. This needs no help from the kernel beyond the pipe, so
it works after `kill -9` and on every Unix. Each line on standard input is one JSON object:
`{"watch": pgid}`, `{"forget": pgid}` or `{"finally": [program, argument, ...]}` (run last, when groups were left).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable

GRACE_SECONDS = 5.0


def end_group(group: int, signal_number: int) -> bool:
    """Send a signal to a process group; False when there is nobody left in it."""
    try:
        os.killpg(group, signal_number)
    except (ProcessLookupError, PermissionError):  # macOS answers EPERM when only zombies are left
        return False
    return True


def end_groups(groups: Iterable[int], grace: float = GRACE_SECONDS) -> None:
    """Terminate process groups, wait until they are empty, and kill what is left after `grace` seconds."""
    left = {group for group in groups if end_group(group, signal.SIGTERM)}
    deadline = time.monotonic() + grace
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = {group for group in left if end_group(group, 0)}
    for group in left:
        end_group(group, signal.SIGKILL)


def keep(lines: Iterable[str]) -> None:
    """Follow the supervisor's list until the pipe ends, then clear up."""
    groups: set[int] = set()
    last_command: list[str] = []
    for line in lines:
        order = json.loads(line)
        groups |= {order["watch"]} if "watch" in order else set()
        groups -= {order["forget"]} if "forget" in order else set()
        last_command = order.get("finally", last_command)
    if groups:
        end_groups(groups)
    if groups and last_command:
        subprocess.run(last_command, check=False, stdin=subprocess.DEVNULL)  # noqa: S603 - our own supervisor's


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    keep(sys.stdin)
