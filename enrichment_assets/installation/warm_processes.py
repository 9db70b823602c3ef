"""Processes that begin with everything imported: one program loads the modules once, and forks for each order.

    python -m enrichment_assets.installation.warm_processes --socket PATH --preload MODULE,MODULE

An order is a module and its arguments, as `python -m MODULE ARGUMENTS` would run it. It runs in a child of its own,
which stays in this program's process group: whoever stops the group stops them all. The program itself opens nothing
and has one thread: a fork copies neither a connection nor a lock that somebody holds.

Whoever can enter the socket's folder may give orders: it has to be a private one.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WARM_PROCESSES = "ENRICH_WARM_PROCESSES"
"""Environment variable: the socket of the stack's warm processes."""

ANSWER_SECONDS = 10.0
_LINE = 1024 * 1024


def ask(path: str, order: dict[str, Any]) -> dict[str, Any]:
    """Send one order to the program that listens at `path`, and read its answer.

    Orders: `{"start": NAME, "module": M, "arguments": [...], "if_it_dies": [M, ARGUMENT, ...]}`, where the last is run
    with the exit code as one more argument when the child did not end by itself with 0; `{"interrupt": NAME}`, as
    Ctrl-C does; `{"look": NAME}`. Answers: `{"done": bool}`: it was started, interrupted, or is there.

    Raises:
        OSError: Nobody listens there, or there was no answer in time.
        ValueError: The answer cannot be read.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_SECONDS)
        connection.connect(path)
        connection.sendall(json.dumps(order).encode() + b"\n")
        with connection.makefile("rb") as lines:
            answer = json.loads(lines.readline(_LINE))
    if not isinstance(answer, dict):
        raise ValueError("an answer is a JSON object")
    return answer


@dataclass(frozen=True, slots=True)
class _Child:
    name: str
    if_it_dies: Sequence[str]


class WarmProcesses:
    """The program: listens, forks, and looks after its children."""

    def __init__(self, path: str) -> None:
        Path(path).unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        self._listener.listen(64)
        self._children: dict[int, _Child] = {}
        self._loaded = files_of_ours()

    def serve(self) -> None:
        """Take orders until a signal ends the program."""
        woken, wakes = socket.socketpair()
        for end in (woken, wakes):
            end.setblocking(False)
        signal.set_wakeup_fd(wakes.fileno())
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # whoever started us may have ignored it
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with selectors.DefaultSelector() as events:
            events.register(self._listener, selectors.EVENT_READ)
            events.register(woken, selectors.EVENT_READ)
            while True:
                for key, _ in events.select():
                    if key.fileobj is self._listener:
                        self._answer()
                    else:
                        woken.recv(4096)
                self._bury()

    def _answer(self) -> None:
        connection, _ = self._listener.accept()
        with connection, suppress(OSError, ValueError, KeyError, TypeError):
            connection.settimeout(ANSWER_SECONDS)
            with connection.makefile("rb") as lines:
                order = json.loads(lines.readline(_LINE))
            connection.sendall(json.dumps({"done": self._do(order)}).encode() + b"\n")

    def _do(self, order: dict[str, Any]) -> bool:
        if (name := order.get("start")) is not None:
            if self._pid_of(name) is None:
                self._start(_Child(name, order.get("if_it_dies", ())), [order["module"], *order["arguments"]])
            return True
        pid = self._pid_of(order.get("interrupt") or order.get("look"))
        if pid is not None and "interrupt" in order:
            os.kill(pid, signal.SIGINT)
        return pid is not None

    def _pid_of(self, name: str | None) -> int | None:
        return next((pid for pid, child in self._children.items() if child.name == name), None)

    def _start(self, child: _Child, command: Sequence[str]) -> None:
        changed = self._loaded != files_of_ours()
        pid = os.fork()
        if pid:
            self._children[pid] = child
            return
        try:
            self._listener.close()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)  # a script's `&` has it ignored
            if changed:  # what was loaded is out of date: begin as any process does
                os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606
            code = _run(command)
        except BaseException:
            traceback.print_exc()
            code = 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)

    def _bury(self) -> None:
        """Forget the children that ended; see to those that did not end well."""
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            child, code = self._children.pop(pid), os.waitstatus_to_exitcode(status)
            if code and child.if_it_dies:
                self._start(_Child(f"{child.name} died", ()), [*child.if_it_dies, str(code)])


def _run(command: Sequence[str]) -> int:
    """`python -m` in this process; its exit code."""
    sys.argv = list(command)
    try:
        runpy.run_module(command[0], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def files_of_ours() -> dict[str, int]:
    """When each loaded file of this package was last changed."""
    package = __package__.partition(".")[0]
    found = {}
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if path and (name == package or name.startswith(f"{package}.")):
            with suppress(OSError):
                found[path] = Path(path).stat().st_mtime_ns
    return found


def main() -> None:
    """Load, then serve."""
    parser = argparse.ArgumentParser(description="Runs modules in processes that need not import first.")
    parser.add_argument("--socket", required=True, help="where to listen; in a folder that only this account enters")
    parser.add_argument("--preload", default="", help="modules, separated by commas")
    given = parser.parse_args()
    for name in filter(None, given.preload.split(",")):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # the collector of a child would copy the pages of all that was loaded
    WarmProcesses(given.socket).serve()


if __name__ == "__main__":
    main()
