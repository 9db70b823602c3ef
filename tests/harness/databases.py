"""The Postgres of a test session: a server of its own, databases cloned from one that was migrated once.

The server lies in memory where there is room (`/dev/shm`), keeps nothing over a crash, and is removed with the session.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from enrichment_assets.home import HOME_ID
from enrichment_assets.installation.embedded import LocalPostgres

SERVER_FOLDER = "enrich-tests-"
DISK, MEMORY = Path("/tmp"), Path("/dev/shm")
ROOM = 1 << 30
"""Bytes that a server may need: its log of changes, and the databases of the tests that run at one moment."""

_numbers = count()


def session_folder(name: str = "", *, large: bool = False) -> Path:
    """A new folder of this session, in memory if it is `large` and memory has room for it; the caller removes it."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    in_memory = large and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > workers * ROOM
    place = MEMORY if in_memory and os.access(MEMORY, os.W_OK) else DISK
    folder = Path(tempfile.mkdtemp(prefix=f"{SERVER_FOLDER}{os.getpid()}-{name}", dir=place))
    folder.chmod(0o755)  # as root, the server's own user has to pass
    return folder


@contextmanager
def own_server() -> Iterator[PostgresServer]:
    """A server for as long as the block lasts."""
    sweep_dead_sessions()
    folder = session_folder(large=True)
    postgres = LocalPostgres(folder / "pg", durable=False)
    try:
        postgres.start()
        server = PostgresServer(postgres.url("postgres"))
        yield server
        server.close()
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


class PostgresServer:
    """Makes databases on one server, names them after this process, and drops them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._prefix = f"test_{os.getpid()}_"
        self._made: set[str] = set()
        self._connections: dict[int, psycopg.Connection[Any]] = {}
        with psycopg.connect(url) as connection:
            setting = connection.execute("select current_setting('fsync')").fetchone()
        # Copying files begins and ends with a checkpoint: less work where nothing is forced to disk, else more.
        quick = setting == ("off",)
        self._strategy = sql.SQL(" strategy file_copy") if quick else sql.SQL("")

    def url(self, database: str) -> str:
        """URL of a database on this server."""
        head, _, tail = self._url.partition("?")
        address = head.partition("://")[2].partition("/")[0]
        return f"postgresql://{address}/{database}" + (f"?{tail}" if tail else "")

    def create(self, template: str = "template1") -> str:
        """Create a database as a clone, and return its name."""
        name = f"{self._prefix}{next(_numbers)}"
        clone = sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template))
        self._execute(clone + self._strategy)
        self._made.add(name)
        return name

    def untouched(self, name: str) -> bool:
        """Nobody has connected to a database since it was made."""
        sessions = self._execute(
            """
            select s.sessions + (select count(*) from pg_stat_activity a where a.datname = s.datname)
            from pg_stat_database s where s.datname = %s
            """,
            (name,),
        ).fetchone()
        return sessions == (0,)

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self._execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        self._made.discard(name)

    def drop_all(self) -> None:
        """Drop whatever is left."""
        for name in sorted(self._made):
            self.drop(name)

    def close(self) -> None:
        """Close the connections that making and dropping used."""
        for connection in self._connections.values():
            connection.close()

    def _execute(self, statement: sql.Composed | LiteralString, values: Sequence[str] = ()) -> psycopg.Cursor[Any]:
        """On a connection that each thread keeps: a new one for each cost as much as dropping."""
        thread = threading.get_ident()
        if thread not in self._connections or self._connections[thread].closed:
            self._connections[thread] = psycopg.connect(self._url, autocommit=True)
        return self._connections[thread].execute(statement, values)


class SpareDatabases:
    """HQ clones and empty databases, made and dropped beside the tests."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server, self._template = server, template
        self._aside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="databases")
        self._next = self._aside.submit(self._make)
        self._drops: list[Future[None]] = []
        self._empty: list[str] = []

    def take(self) -> tuple[str, str]:
        """Names of a fresh HQ database and a fresh, empty one; the next pair is begun."""
        pair, self._next = self._next.result(), self._aside.submit(self._make)
        return pair

    def give_back(self, pair: tuple[str, str]) -> None:
        """Drop them some time soon."""
        self._drops.append(self._aside.submit(self._drop, pair))

    def close(self) -> None:
        """Wait for what is under way, and raise what went wrong."""
        self._aside.shutdown()
        self._next.result()
        for drop in self._drops:
            drop.result()

    def _make(self) -> tuple[str, str]:
        return self._server.create(self._template), self._empty.pop() if self._empty else self._server.create()

    def _drop(self, pair: tuple[str, str]) -> None:
        self._server.drop(pair[0])
        if self._server.untouched(pair[1]):  # most tests are about HQ alone
            self._empty.append(pair[1])
        else:
            self._server.drop(pair[1])


def sweep_dead_sessions() -> None:
    """Stop and remove the servers of sessions that were killed: their folder names a process that is gone.

    The workers of one session sweep at the same time; the lock on a folder makes one of them do it, and the others wait
    until it is gone.
    """
    for folder in (found for place in (DISK, MEMORY) for found in place.glob(f"{SERVER_FOLDER}*-*")):
        pid = int(folder.name.removeprefix(SERVER_FOLDER).partition("-")[0])
        if Path(f"/proc/{pid}").exists():
            continue
        with suppress(FileNotFoundError), _locked_folder(folder):
            if folder.stat().st_uid != os.geteuid():
                continue
            for data, sign in (("pg", "pg"), ("postgres", "postgres"), ("postgres", HOME_ID)):
                if (folder / sign).exists():
                    LocalPostgres(folder / data, durable=False).remove()
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked_folder(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
