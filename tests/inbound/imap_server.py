"""A real IMAP server for tests: pymap, with one mailbox in memory."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imap_tools import BaseMailBox, MailBoxUnencrypted

USER, PASSWORD = "sam@agency.example", "made-up"
PATIENCE = 20.0


class ImapServer:
    """What tests do at the server.

    Attributes:
        port: On 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self.port = port

    @property
    def settings(self) -> dict[str, Any]:
        """Those of a connection to it."""
        return {"host": "127.0.0.1", "port": self.port, "security": "plain", "user": USER}

    @contextmanager
    def at(self) -> Iterator[BaseMailBox]:
        """Logged in."""
        with MailBoxUnencrypted("127.0.0.1", self.port).login(USER, PASSWORD) as box:
            yield box

    def put(self, *messages: bytes, folder: str = "INBOX") -> None:
        """Messages come in."""
        with self.at() as box:
            for message in messages:
                box.append(message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), folder)

    def renumber(self, folder: str) -> None:
        """Make a folder anew: its UIDVALIDITY is another, and it is empty."""
        with self.at() as box:
            box.folder.delete(folder)
            box.folder.create(folder)


@contextmanager
def imap_server() -> Iterator[ImapServer]:
    """One that runs until the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    program = Path(sys.executable).with_name("pymap")
    command = [str(program), "--host", "127.0.0.1", "--port", str(port), "--no-tls", "dict", "--demo-data"]
    process = subprocess.Popen(
        [*command, "--demo-user", USER, "--demo-password", PASSWORD],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait(port)
        server = ImapServer(port)
        for folder in ("Spam", "Kopien/Übung"):
            with server.at() as box:
                box.folder.create(folder)
        with server.at() as box:
            box.folder.set("INBOX")
            box.delete(box.uids())
        yield server
    finally:
        process.kill()
        process.wait(PATIENCE)


def _wait(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise AssertionError("the IMAP server does not listen")
