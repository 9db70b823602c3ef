"""A PgBouncer for tests, which does not run as root, and a look at what clients left on its server connections."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

PATIENCE = 20.0

KEPT_BY_THE_POOLER = {"application_name", "client_encoding", "DateStyle", "TimeZone", "standard_conforming_strings"}
"""What PgBouncer sets itself, to what the next client asked for when it connected."""

LEFT = """
select pg_backend_pid() as pid,
  array(select name || '=' || setting from pg_settings where source = 'session' and name <> all(%s) order by name)
  || array(select 'statement ' || name from pg_prepared_statements)
  || array(select 'lock ' || objid::text from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())
  || array(select 'table ' || relname from pg_class where relnamespace = pg_my_temp_schema() and relkind = 'r')
  || array(select 'channel ' || name from pg_listening_channels() as name) as left
"""


class PgBouncer:
    """Context manager: a pooler before a server, for all of its databases.

    Attributes:
        port: On 127.0.0.1.
    """

    def __init__(
        self,
        to: str,
        *,
        mode: str,
        size: int,
        roles: tuple[str, ...] = ("enrich",),
        tls: tuple[Path, Path] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Describe it.

        Args:
            to: URL of a database on the server.
            mode: `pool_mode`.
            size: Connections to the server, for each database and role.
            roles: Who may connect, without a password.
            tls: Files of certificate and key; clients must use TLS then.
            settings: Others of pgbouncer.ini.
        """
        self._to = conninfo_to_dict(to)
        self._size = size
        self._roles = roles
        self._settings = {
            "pool_mode": mode,
            "default_pool_size": str(size),
            "query_wait_timeout": "15",
            "max_client_conn": "1000",
            **(settings or {}),
        }
        self._tls = tls

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="enrich-pgbouncer-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._write()
        as_another = ["-u", self._account()] if os.geteuid() == 0 else []
        self._process = subprocess.Popen(
            ["pgbouncer", "-q", *as_another, str(self._folder / "pgbouncer.ini")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
        shutil.rmtree(self._folder)

    @property
    def log(self) -> str:
        """What it wrote."""
        return (self._folder / "log").read_text()

    def url(self, database: str, role: str = "enrich", host: str = "127.0.0.1", **parameters: str) -> str:
        """URL of a database through it."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        return f"postgresql://{role}@{host}:{self.port}/{database}{query}"

    def left_behind(
        self, database: str, role: str = "enrich", host: str = "127.0.0.1", **parameters: str
    ) -> dict[int, list[str]]:
        """Of each connection to the server, by its process: settings, statements, locks, tables, channels left there.

        As many transactions as there are connections are opened at once, so that each has another one.
        """
        found: dict[int, list[str]] = {}
        with ExitStack() as stack:
            for _ in range(self._size):
                url = self.url(database, role, host, **parameters)
                client = psycopg.connect(url, row_factory=dict_row, prepare_threshold=None)
                stack.enter_context(client)
                row: dict[str, Any] | None = client.execute(LEFT, [sorted(KEPT_BY_THE_POOLER)]).fetchone()
                assert row is not None
                found[row["pid"]] = row["left"]
        assert len(found) == self._size
        return found

    def _account(self) -> str:
        """Who may pass to the server's socket; nobody in particular where it is reached by TCP."""
        host = str(self._to.get("host") or "")
        return pwd.getpwuid(Path(host).stat().st_uid).pw_name if host.startswith("/") else "nobody"

    def _write(self) -> None:
        if self._tls is not None:
            for name, file in zip(("certificate", "key"), self._tls, strict=True):
                self._settings[f"client_tls_{'cert' if name == 'certificate' else 'key'}_file"] = str(
                    shutil.copy(file, self._folder / name)
                )
            self._settings["client_tls_sslmode"] = "require"
        own = {
            "listen_addr": "127.0.0.1",
            "listen_port": str(self.port),
            "unix_socket_dir": "",
            "auth_type": "trust",
            "auth_file": str(self._folder / "users"),
            "logfile": str(self._folder / "log"),
        }
        settings = "\n".join(f"{name} = {value}" for name, value in {**own, **self._settings}.items())
        server = f"* = host={self._to.get('host')} port={self._to.get('port', 5432)}"
        (self._folder / "pgbouncer.ini").write_text(f"[databases]\n{server}\n[pgbouncer]\n{settings}\n")
        (self._folder / "users").write_text("".join(f'"{role}" ""\n' for role in self._roles))
        if os.geteuid() == 0:
            account = pwd.getpwnam(self._account())
            for path in (self._folder, *self._folder.iterdir()):
                os.chown(path, account.pw_uid, account.pw_gid)

    def _wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "PgBouncer did not start"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.05)
        raise AssertionError("PgBouncer does not listen")
