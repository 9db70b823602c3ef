"""A real Postgres for every test: one server a session, one pair of freshly cloned databases a test.

The server is the embedded one in a folder of its own, or the one that `TEST_POSTGRES_URL` names. HQ is migrated once,
into a template; a test's databases are clones of it and go away with the test.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from enrichment_assets.settings import Settings
from enrichment_assets.store.database import Databases, connect, embedded_server, locate_external, open_databases
from enrichment_assets.store.embedded import LocalPostgres
from enrichment_assets.store.postgres_home import HOME_ID

SERVER_FOLDER = "enrich-tests-"
_numbers = count()


def _session_home() -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"{SERVER_FOLDER}{os.getpid()}-home-", dir="/tmp"))
    folder.chmod(0o755)  # as root, the server's own user has to pass
    return folder


# Whoever asks the environment for a home gets one of this session. The code location does when it is imported, which
# the conftests below do before any hook of pytest is called.
os.environ["ENRICH_HOME"] = str(_session_home())
# Keys that tests make up; whether others are refused is tested with an environment of its own (tests/security).
os.environ["ENRICH_SECRET_NAMES"] = "ACME_*,MY_*,TEST_*,MINE,T,B,*_TEST_KEY,A_KEY_*,ECHO_API_KEY"


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes give no name: gzip's hold the time, and workers that collect in different seconds would not agree."""
    return argname if isinstance(val, bytes) else None


def pytest_unconfigure(config: pytest.Config) -> None:
    """The session's home goes away, with its server when there is one."""
    folder = Path(os.environ.pop("ENRICH_HOME"))
    if any((folder / name).exists() for name in ("postgres", HOME_ID)):  # root keeps it elsewhere, by the home's name
        embedded_server(Settings(home=folder)).remove()
    shutil.rmtree(folder, ignore_errors=True)


class PostgresServer:
    """Makes databases on one server, names them after this process, and drops them."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._prefix = f"test_{os.getpid()}_"
        self._made: set[str] = set()

    def url(self, database: str) -> str:
        """URL of a database on this server."""
        head, _, tail = self._url.partition("?")
        address = head.partition("://")[2].partition("/")[0]
        return f"postgresql://{address}/{database}" + (f"?{tail}" if tail else "")

    def create(self, template: str | None = None) -> str:
        """Create a database, empty or as a clone, and return its name."""
        name = f"{self._prefix}{next(_numbers)}"
        clone = sql.SQL(" template {}").format(sql.Identifier(template)) if template else sql.SQL("")
        self._execute(sql.SQL("create database {}").format(sql.Identifier(name)) + clone)
        self._made.add(name)
        return name

    def drop(self, name: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self._execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
        self._made.discard(name)

    def drop_all(self) -> None:
        """Drop whatever is left."""
        for name in sorted(self._made):
            self.drop(name)

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(statement)


LONGEST_FILES = (
    "integration/test_daemon.py",
    "payloads/test_payloads.py",
    "docs/test_commands_of_the_pages.py",
    "laws/test_laws.py",
    "assets/test_batch_run.py",
    "chaos/test_crashes.py",
    "platform/test_stack.py",
    "warehouse/test_chunks.py",
    "assets/test_fanout_run.py",
    "warehouse/test_queries.py",
)
"""Files that take minutes, the longest first (`--durations`)."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files: one of them that a worker begins last keeps the others waiting."""
    order = {name: place for place, name in enumerate(LONGEST_FILES)}
    here = Path(__file__).parent
    items.sort(key=lambda item: order.get(item.path.relative_to(here).as_posix(), len(order)))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The session's server; everything on it that is ours is gone at the end."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        server = PostgresServer(given)
        yield server
        server.drop_all()
        return
    _sweep_dead_sessions()
    folder = Path(tempfile.mkdtemp(prefix=f"{SERVER_FOLDER}{os.getpid()}-", dir="/tmp"))
    folder.chmod(0o755)  # as root, the server's own user has to pass
    postgres = LocalPostgres(folder / "pg", durable=False)
    try:
        postgres.start()
        yield PostgresServer(postgres.url("postgres"))
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def hq_template(postgres_server: PostgresServer) -> str:
    """Name of a database with the HQ schema and Dagster's schema, to be cloned."""
    name = postgres_server.create()
    open_databases(Settings(home=Path("/nonexistent"), hq_database_url=postgres_server.url(name)))
    return name


class SpareDatabases:
    """HQ clones and empty databases, made and dropped beside the tests: it takes half a second of mostly waiting."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server, self._template = server, template
        self._aside = ThreadPoolExecutor(max_workers=1, thread_name_prefix="databases")
        self._next = self._aside.submit(self._make)
        self._drops: list[Future[None]] = []

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
        return self._server.create(self._template), self._server.create()

    def _drop(self, pair: tuple[str, str]) -> None:
        for name in pair:
            self._server.drop(name)


@pytest.fixture(scope="session")
def spare_databases(postgres_server: PostgresServer, hq_template: str) -> Iterator[SpareDatabases]:
    """The session's spares."""
    spares = SpareDatabases(postgres_server, hq_template)
    yield spares
    spares.close()


@pytest.fixture
def databases(postgres_server: PostgresServer, spare_databases: SpareDatabases) -> Iterator[Databases]:
    """A fresh HQ database (with the schema for Dagster's own tables) and a fresh, empty workspace database."""
    hq, workspace = spare_databases.take()
    yield locate_external(
        Settings(
            home=Path("/nonexistent"),
            hq_database_url=postgres_server.url(hq),
            workspace_database_url=postgres_server.url(workspace),
        )
    )
    spare_databases.give_back((hq, workspace))


@pytest.fixture
def settings(databases: Databases, tmp_path: Path) -> Settings:
    """An installation of its own: a fresh home and this test's databases."""
    return Settings(
        home=tmp_path / "home",
        hq_database_url=databases.hq,
        workspace_database_url=databases.workspace,
        dagster_database_url=databases.dagster,
    )


@pytest.fixture
def hq(databases: Databases) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """An open connection to the test's HQ database; rows are dictionaries."""
    with connect(databases.hq) as connection:
        yield connection


def _sweep_dead_sessions() -> None:
    """Stop and remove the servers of sessions that were killed: their folder names a process that is gone.

    The workers of one session sweep at the same time; the lock on a folder makes one of them do it, and the others wait
    until it is gone.
    """
    for folder in Path("/tmp").glob(f"{SERVER_FOLDER}*-*"):
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
