"""A relay before a database: it counts who connects, and cuts connections or stays away when told to."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self

from psycopg.conninfo import conninfo_to_dict


class Relay:
    """Context manager; `url` leads to the same database through the relay.

    Attributes:
        connections: How many were made through it.
    """

    def __init__(self, url: str, *, password: str = "hush-hush") -> None:
        self._to = conninfo_to_dict(url)
        self._password = password
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.go_away()

    @property
    def url(self) -> str:
        """With a password, which the server does not ask for: no error may repeat it."""
        return f"postgresql://{self._to['user']}:{self._password}@127.0.0.1:{self.port}/{self._to['dbname']}"

    def cut(self) -> None:
        """Break every connection there is, as a restarted server does."""
        for pair in self._pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self._pairs.clear()

    def go_away(self) -> None:
        """Break every connection and take no more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _serve(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = self._reach()
                self.connections += 1
                self._pairs.append((client, server))
                threading.Thread(target=self._pump, args=(client, server, None), daemon=True).start()
                threading.Thread(target=self._pump, args=(server, client, bytearray()), daemon=True).start()

    def overhear(self, unread: bytearray, data: bytes) -> None:
        """Look at what the server says; what is left in `unread` is given again with the next piece."""

    def _reach(self) -> socket.socket:
        host, port = str(self._to.get("host", "localhost")), int(self._to.get("port") or 5432)
        if not host.startswith("/"):
            return socket.create_connection((host, port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.{port}")
        return server

    def _pump(self, one: socket.socket, other: socket.socket, unread: bytearray | None) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65_536):
                if unread is not None:
                    self.overhear(unread, data)
                other.sendall(data)
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        one.close()
