"""What `enrich run` leaves behind for the next command of its home: a copy of itself with everything imported.

Three quarters of what a command costs can be its imports. So the first run of a home forks, once it has imported and
before it opens anything: the copy waits at a socket, and forks again for each command that is handed to it
(`handing_over.py`). It holds no connection and one thread, and ends by itself: when nobody came for a while, when the
home is gone or names another one, and as soon as a file that it has loaded was changed (ADR 0036).

A command has what it would have had: its arguments, environment, folder, umask, open files 0 to 2, and signals; it ends
when its terminal ends. Whoever can enter the socket's folder may give commands: that folder is private.
"""

from __future__ import annotations

import atexit
import contextvars
import gc
import io
import json
import os
import selectors
import shutil
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from enrichment_assets.home import prepare_home
from enrichment_assets.installation.warm_processes import files_of_ours

TOLD = "warm.json"
"""File of the home: where its warm copy listens, and for what kind of process."""

ORDER_SECONDS = 10.0
LENGTH = struct.Struct("!I")
STARTED, ENDED = b"started\n", b"ended "
_FOLDER = "enrich-warm-"
_LOOK_SECONDS = 5.0
_LONGEST_ORDER = 16 * 1024 * 1024
_SHAPING = ("PYTHON", "LD_", "DYLD_", "LC_", "LANG", "MALLOC_")
"""Beginnings of variables that a process reads when it starts: another value needs a process of its own."""


def kind_of_process() -> dict[str, str]:
    """What two processes have to have in common for one to work in the other's place."""
    shaped = {name: value for name, value in os.environ.items() if name.startswith(_SHAPING)}
    return {"python": sys.executable, "code": __file__, "flags": str(sys.flags), **shaped}


@dataclass(frozen=True, slots=True)
class _Command:
    """A command under way: who waits for its end."""

    link: socket.socket


class WarmCommands:
    """The waiting copy.

    Args:
        home: Whose commands it takes.
        folder: Private; the socket is made there.
        idle_seconds: How long it waits for a command.
        program: Runs a command, whose arguments are in `sys.argv`, to its end.
        also: Says whether files changed that are no modules of ours: a value that differs then.
    """

    def __init__(
        self, home: Path, folder: Path, idle_seconds: float, program: Callable[[], None], also: Callable[[], object]
    ) -> None:
        self._home = home
        self._path = folder / "s"
        self._idle_seconds = idle_seconds
        self._program = program
        self._also = also
        self._loaded = self._state()
        self._commands: dict[int, _Command] = {}
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self._path))
        self._listener.listen(64)
        self._events = selectors.DefaultSelector()

    def tell(self) -> None:
        """Write into the home where this copy listens, for this account only."""
        aside = self._home / f"{TOLD}.{os.getpid()}"
        told = {"socket": str(self._path), "kind": kind_of_process(), "pid": os.getpid()}
        aside.write_text(json.dumps(told), encoding="utf-8")
        aside.replace(self._home / TOLD)

    def serve(self) -> None:
        """Take commands until it is time to end; those under way are seen to their end."""
        woken, wakes = socket.socketpair()
        for end in (woken, wakes):
            end.setblocking(False)
        signal.set_wakeup_fd(wakes.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._events.register(self._listener, selectors.EVENT_READ)
        self._events.register(woken, selectors.EVENT_READ)
        last = time.monotonic()
        while self._commands or (time.monotonic() - last < self._idle_seconds and self._is_told()):
            for key, _ in self._events.select(_LOOK_SECONDS):
                if key.fileobj is self._listener:
                    self._take()
                elif key.fileobj is woken:
                    woken.recv(4096)
                else:
                    self._hear(key.data)
                last = time.monotonic()
            self._bury()

    def _state(self) -> tuple[dict[str, int], object]:
        return files_of_ours(), self._also()

    def _is_told(self) -> bool:
        """Whether the home names this copy: it may be gone, or name a newer one."""
        return told(self._home).get("socket") == str(self._path)

    def _take(self) -> None:
        link, _ = self._listener.accept()
        files: list[int] = []
        try:
            link.settimeout(ORDER_SECONDS)
            order, files = _received(link)
            if order.get("stop") or self._loaded != self._state():
                (self._home / TOLD).unlink(missing_ok=True)  # what was loaded is out of date: this copy ends
                link.close()
            else:
                self._start(link, order, files)
        except (OSError, ValueError, KeyError, struct.error):
            link.close()
        finally:
            for number in files:
                os.close(number)

    def _start(self, link: socket.socket, order: dict[str, Any], files: Sequence[int]) -> None:
        pid = os.fork()
        if pid == 0:
            try:
                signal.set_wakeup_fd(-1)
                self._listener.close()
                for command in self._commands.values():
                    command.link.close()
                link.close()
                self._events.close()
                _become(order, files)
                code = _run(self._program)
            except BaseException:
                traceback.print_exc()
                code = 1
            os._exit(code)
        self._commands[pid] = _Command(link)
        self._events.register(link, selectors.EVENT_READ, pid)
        link.sendall(STARTED)

    def _hear(self, pid: int) -> None:
        """Pass signals on; a command whose terminal is gone ends as it would have there."""
        link = self._commands[pid].link
        try:
            numbers = link.recv(64)
        except OSError:
            numbers = b""
        for number in numbers or [signal.SIGKILL]:
            os.kill(pid, number)
        if not numbers:
            self._events.unregister(link)

    def _bury(self) -> None:
        while self._commands:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            link = self._commands.pop(pid).link
            with suppress(KeyError, ValueError):
                self._events.unregister(link)
            with suppress(OSError):
                link.sendall(ENDED + b"%d\n" % os.waitstatus_to_exitcode(status))
            link.close()


def leave_behind(home: Path, idle_seconds: float, program: Callable[[], None], also: Callable[[], object]) -> bool:
    """Fork a waiting copy of this process; False where that is not to be: it has threads, or is to wait no time.

    To be called when everything is imported that a command needs, and nothing is open: no database, no loop.
    """
    if idle_seconds <= 0 or threading.active_count() > 1:
        return False
    prepare_home(home)
    gc.collect()
    sys.stdout.flush()
    sys.stderr.flush()
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        return True
    code = 1
    with suppress(BaseException):
        os.setsid()
        if os.fork() == 0:
            _wait_for_commands(home, idle_seconds, program, also)
        code = 0
    os._exit(code)


def _wait_for_commands(
    home: Path, idle_seconds: float, program: Callable[[], None], also: Callable[[], object]
) -> None:
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    os.chdir("/")
    os.umask(0o077)
    gc.freeze()  # the collector of a child would copy the pages of all that was loaded
    folder = Path(tempfile.mkdtemp(prefix=_FOLDER, dir="/tmp"))
    try:
        _clear_up_after(Path(told(home).get("socket", "")).parent)
        waiting = WarmCommands(home, folder, idle_seconds, program, also)
        waiting.tell()
        waiting.serve()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _clear_up_after(folder: Path) -> None:
    """Remove the folder of a copy that was killed, or is not asked any more."""
    if folder.parent == Path("/tmp") and folder.name.startswith(_FOLDER):  # noqa: S108 - only a name is compared
        shutil.rmtree(folder, ignore_errors=True)


# opens files of ours: the home's
def told(home: Path) -> dict[str, Any]:
    """What the home says of its warm copy; nothing where there is none."""
    try:
        found = json.loads((home / TOLD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _received(link: socket.socket) -> tuple[dict[str, Any], list[int]]:
    head, files, _, _ = socket.recv_fds(link, LENGTH.size, 3)
    try:
        (length,) = LENGTH.unpack(head)
        if length > _LONGEST_ORDER:
            raise ValueError("an order is no longer than 16 MB")
        with link.makefile("rb", buffering=0) as stream:
            body = b""
            while len(body) < length and (more := stream.read(length - len(body))):
                body += more
        return json.loads(body), files
    except BaseException:
        for number in files:
            os.close(number)
        raise


def _become(order: dict[str, Any], files: Sequence[int]) -> None:
    """Take over what the command's own process would have had."""
    for target, number in enumerate(files):
        os.dup2(number, target)
        os.close(number)
    os.chdir(order["folder"])
    os.umask(order["umask"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    sys.argv = list(order["arguments"])
    ignored = set(order["ignored"])
    for one in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD):
        usual = signal.default_int_handler if one is signal.SIGINT else signal.SIG_DFL
        signal.signal(one, signal.SIG_IGN if one.value in ignored else usual)
    sys.stdin = sys.__stdin__ = open(0, encoding=sys.stdin.encoding, errors=sys.stdin.errors, closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stdout = sys.__stdout__ = _writer(1, sys.stdout)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = _writer(2, sys.stderr)  # type: ignore[misc]


def _writer(number: int, like: Any) -> io.TextIOWrapper:
    """Standard output or error as Python makes it at its start."""
    raw = io.BufferedWriter(io.FileIO(number, "w", closefd=False))
    by_line = number == 2 or os.isatty(number)
    return io.TextIOWrapper(raw, encoding=like.encoding, errors=like.errors, line_buffering=by_line)


def _run(program: Callable[[], None]) -> int:
    """The program from its beginning; its exit code, after what was to be done at the process's end."""
    code: object = 0
    try:
        contextvars.Context().run(program)
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            sys.stderr.write(f"{code}\n")
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    return code if isinstance(code, int) else int(code is not None)
