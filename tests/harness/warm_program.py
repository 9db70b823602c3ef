"""`enrich` for commands of pages and tests, without the seconds that a fresh process imports for.

`WarmProgram` is a process that has imported the program; a command is a fork of it with the caller's folder,
environment and files, running the same `main()`. What reads the environment at import (the code location) is left
out and is imported by the command itself.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from array import array
from pathlib import Path

READY = b"ready"

CLIENT = """#!{python} -IS
import array, json, os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.connect({address!r})
told = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
listener.sendmsg([len(told).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
listener.sendall(told)
sys.exit(int(listener.recv(8) or b"70"))
"""


class WarmProgram:
    """Starts the process and writes the client, an executable named `enrich`, into a folder."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        address = str(folder / "enrich.sock")
        program = folder / "enrich"
        program.write_text(CLIENT.format(python=Path(sys.executable).resolve(), address=address))
        program.chmod(0o755)
        command = [sys.executable, "-m", "tests.harness.warm_program", address]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, start_new_session=True)

    def wait_ready(self) -> None:
        """Until it takes commands."""
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == READY

    def stop(self) -> None:
        """End it, and commands that still run."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def serve(address: str) -> None:
    """Import the program, then fork for every caller until killed."""
    import pandas  # noqa: F401

    import enrichment_assets.assets.enrichment
    import enrichment_assets.assets.extraction
    import enrichment_assets.sensors
    import enrichment_assets.warehouse  # noqa: F401
    from enrichment_assets.cli import build_app

    build_app()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(16)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    os.write(1, READY + b"\n")
    while True:
        caller, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _answer(caller)
        caller.close()


def _answer(caller: socket.socket) -> None:
    """Run one command as the caller's process, and tell it the exit code."""
    import json

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    size, rights, _, _ = caller.recvmsg(8, socket.CMSG_SPACE(3 * array("i").itemsize))
    descriptors = array("i", rights[0][2])
    length, told = int.from_bytes(size, "big"), b""
    while len(told) < length:
        told += caller.recv(length - len(told))
    arguments, folder, environment = json.loads(told)
    for ours, theirs in enumerate(descriptors):
        os.dup2(theirs, ours)
        os.close(theirs)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["enrich", *arguments]
    code = 1
    try:
        from enrichment_assets.cli import main

        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        caller.sendall(str(code).encode())
        os._exit(code)


if __name__ == "__main__":
    serve(sys.argv[1])
