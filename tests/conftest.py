"""A real Postgres for every test: one server a session, one pair of freshly cloned databases a test.

The server is the embedded one in a folder of its own, or the one that `TEST_POSTGRES_URL` names. HQ is migrated once,
into a template; a test's databases are clones of it and go away with the test (`tests/harness/databases.py`).
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from enrichment_assets.collector import THRESHOLDS
from enrichment_assets.home import HOME_ID
from enrichment_assets.installation.databases import Databases, embedded_server, locate_external, open_databases
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from tests.harness.batches import BatchHarness
from tests.harness.databases import PostgresServer, SpareDatabases, own_server, session_folder
from tests.harness.handles import close_handles
from tests.harness.sandbox import SEED, as_new

# Whoever asks the environment for a home gets one of this session. The code location does when it is imported, which
# the conftests below do before any hook of pytest is called.
os.environ["ENRICH_HOME"] = str(session_folder("home-"))
# Keys that tests make up; whether others are refused is tested with an environment of its own (tests/security).
os.environ["ENRICH_SECRET_NAMES"] = "ACME_*,MY_*,TEST_*,MINE,T,B,*_TEST_KEY,A_KEY_*,ECHO_API_KEY"

# As the program has it: collections of the youngest objects alone took 3 % of the suite's time.
gc.set_threshold(*THRESHOLDS)

# No run leaves a copy for the next command, but where a test is about that (platform/test_warm_commands.py).
os.environ["ENRICH_WARM_MINUTES"] = "0"


@pytest.fixture(autouse=True)
def process_as_before() -> Iterator[None]:
    """What the program's `main` does to its process, and Dagster, the process of a test that calls it forgets."""
    mask, thresholds = os.umask(0o077), gc.get_threshold()
    os.umask(mask)
    finders = list(sys.meta_path)
    if base := sys.modules.get("dagster._core.storage.defs_state.base"):
        # Instances that end in another order than they began leave one behind whose folder is gone.
        base._current_storage.set(None)
    yield
    os.umask(mask)
    gc.set_threshold(*thresholds)
    sys.meta_path[:] = finders


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes give no name: gzip's hold the time, and workers that collect in different seconds would not agree."""
    return argname if isinstance(val, bytes) else None


def pytest_unconfigure(config: pytest.Config) -> None:
    """The session's home goes away, with its server when there is one."""
    folder = Path(os.environ.pop("ENRICH_HOME"))
    if any((folder / name).exists() for name in ("postgres", HOME_ID)):  # root keeps it elsewhere, by the home's name
        embedded_server(Settings(home=folder)).remove()
    shutil.rmtree(folder, ignore_errors=True)


LONGEST_FILES = (
    "integration/test_daemon.py",
    "payloads/test_payloads.py",
    "docs/test_commands_of_the_pages.py",
    "laws/test_laws.py",
    "assets/test_batch_run.py",
    "chaos/test_crashes.py",
    "faults/test_harmful_links.py",
    "security/test_canaries.py",
    "systems/test_fs.py",
    "platform/test_stack.py",
    "systems/test_golf.py",
    "chaos/test_decisions.py",
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
        server.close()
        return
    with own_server() as server:
        yield server


@pytest.fixture(scope="session")
def hq_template(postgres_server: PostgresServer) -> str:
    """Name of a database with the HQ schema and Dagster's schema, to be cloned."""
    name = postgres_server.create()
    open_databases(Settings(home=Path("/nonexistent"), hq_database_url=postgres_server.url(name)))
    return name


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
    close_handles()
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


@pytest.fixture(autouse=True)
def handles_are_closed() -> Iterator[None]:
    """What a test asked of `hq_of` goes away with it."""
    yield
    close_handles()


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[SandboxProcess]:
    """The session's sandbox."""
    with SandboxProcess(seed=SEED) as process:
        yield process


@pytest.fixture
def sandbox(sandbox_process: SandboxProcess) -> SandboxProcess:
    """A sandbox that knows nothing yet and makes no faults."""
    return as_new(sandbox_process)


@pytest.fixture
def hq(databases: Databases) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """An open connection to the test's HQ database; rows are dictionaries."""
    with connect(databases.hq) as connection:
        yield connection


@pytest.fixture
def harness(
    settings: Settings, hq: psycopg.Connection[dict[str, Any]], sandbox: SandboxProcess, tmp_path: Path
) -> BatchHarness:
    """Clients, uploads and batches in this test's databases, in front of the sandbox."""
    return BatchHarness(replace(settings, sandbox_url=sandbox.url), hq, sandbox, tmp_path)
