"""Handing a command over to the warm copy of its home (`warm_commands.py`), and standing in for it until it ends.

Imports next to nothing: what it saves is what it does not load.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from enrichment_assets.installation.warm_commands import ENDED, LENGTH, ORDER_SECONDS, STARTED, kind_of_process, told

_PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


class LostError(Exception):
    """The process that ran the command is gone, and with it the word on how it ended."""


def hand_over(home: Path) -> int | None:
    """Run this process's command (`sys.argv`) in the home's warm copy.

    A command that a signal ended ends this process by the same signal.

    Returns:
        Its exit code; None: there is no copy that may take it, and nothing was done.

    Raises:
        LostError: It was begun, and nobody can say how it ended.
    """
    link = _linked(home)
    if link is None:
        return None
    with link:
        if not _ordered(link):
            return None
        _pass_signals_on(link)
        return _end_of(link)


def stop(home: Path) -> None:
    """Have the home's warm copy end, when nothing runs in it any more; nothing happens where there is none."""
    link = _linked(home)
    if link is not None:
        with link, suppress(OSError):
            _send(link, {"stop": True})
            link.recv(1)


def _linked(home: Path) -> socket.socket | None:
    found = told(home)
    path = found.get("socket")
    if not isinstance(path, str) or found.get("kind") != kind_of_process() or not _is_private(Path(path).parent):
        return None
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.settimeout(ORDER_SECONDS)
    try:
        link.connect(path)
    except OSError:
        link.close()
        return None
    return link


def _is_private(folder: Path) -> bool:
    """Whether nobody else can have put a socket there: it will be told this command's environment, with its keys."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def _ordered(link: socket.socket) -> bool:
    """Whether the copy took the command."""
    umask = os.umask(0o077)
    os.umask(umask)
    order = {
        "arguments": sys.argv,
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "umask": umask,
        "ignored": [int(n) for n in signal.valid_signals() if signal.getsignal(n) is signal.SIG_IGN],
    }
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        _send(link, order)
        return link.recv(len(STARTED), socket.MSG_WAITALL) == STARTED
    except OSError:
        return False


def _send(link: socket.socket, order: dict[str, Any]) -> None:
    body = json.dumps(order, ensure_ascii=True).encode()
    socket.send_fds(link, [LENGTH.pack(len(body))], [0, 1, 2])
    link.sendall(body)


def _pass_signals_on(link: socket.socket) -> None:
    link.settimeout(None)

    def pass_on(number: int, _: FrameType | None) -> None:
        with suppress(OSError):
            link.send(bytes([number]))

    def pause(_: int, __: FrameType | None) -> None:
        pass_on(signal.SIGSTOP, None)
        os.kill(os.getpid(), signal.SIGSTOP)

    for number in _PASSED_ON:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, pass_on)
    signal.signal(signal.SIGTSTP, pause)
    signal.signal(signal.SIGCONT, pass_on)


def _end_of(link: socket.socket) -> int:
    with link.makefile("rb") as lines:
        line = lines.readline()
    if not line.startswith(ENDED):
        raise LostError
    code = int(line.removeprefix(ENDED))
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code
