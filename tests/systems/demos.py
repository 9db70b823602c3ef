"""A system's demo in a home of its own: begun, killed in the middle, begun again, and then looked at.

The receiver and the sandbox stay up meanwhile, as those of real providers do; the sandbox's bill says whether anything
was paid twice.
"""

from __future__ import annotations

import atexit
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from psycopg import sql

from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.registry.loader import get_system
from enrichment_assets.sandbox import SandboxProcess
from enrichment_assets.services.catalog.clients import add_client
from enrichment_assets.services.catalog.readers import grant_reader, revoke_reader
from enrichment_assets.services.insight.queries import ask
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect
from enrichment_assets.store.views.making import let_use, views
from tests.actors import TESTER
from tests.chaos.points import Point
from tests.harness.databases import session_folder
from tests.harness.fork_server import KILLED, ForkServer
from tests.harness.handles import close_handles, hq_of
from tests.harness.sandbox import as_new
from tests.tenants.installation import PASSWORD, as_role


@dataclass
class Shown:
    """A demo that has ended.

    Attributes:
        printed: What both of its processes printed.
        batch: Key of the demo client's one batch; empty: it has none.
    """

    system: str
    settings: Settings
    printed: str
    sandbox: SandboxProcess
    batch: str

    def hq(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        """Rows of HQ."""
        with connect(self.settings.hq_database_url or "") as connection:
            return connection.execute(query, parameters).fetchall()  # type: ignore[arg-type]

    def workspace(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        """Rows of the workspace."""
        with connect(self.settings.workspace_database_url or "") as connection:
            return connection.execute(query, parameters).fetchall()  # type: ignore[arg-type]

    def charged_twice(self) -> list[dict[str, Any]]:
        """Subjects that the sandbox has billed more than once for the same operation."""
        charges = self.sandbox.billing()["subjects"]
        return [charge for charge in charges if charge["charges"] > 1]


@cache
def _server() -> tuple[ForkServer, Path]:
    """The process that forks all demos of this session, having imported what they need once; what they print."""
    folder = session_folder("demos-")
    log = folder / "demos.log"
    server = ForkServer(log, "tests.systems.demo_child")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.close)
    return server, log


@contextmanager
def shown(system: str, settings: Settings, sandbox: SandboxProcess, *, killed_at: Point) -> Iterator[Shown]:
    """The demo of a system, killed at a crash point and shown again to its end.

    Args:
        system: Its slug.
        settings: A fresh home with its databases.
        sandbox: The session's.
        killed_at: Where the first process ends.
    """
    as_new(sandbox).configure(callback_delay=0.2, miss=get_system(system).demo.misses)
    server, log = _server()
    before = len(log.read_text())
    with ReceiverProcess(settings) as receiver:
        environment = {
            "ENRICH_HOME": str(settings.home),
            "HQ_DATABASE_URL": settings.hq_database_url,
            "WORKSPACE_DATABASE_URL": settings.workspace_database_url,
            "DAGSTER_DATABASE_URL": settings.dagster_database_url,
            "ENRICH_SANDBOX_URL": sandbox.url,
            "ENRICH_RECEIVER_URL": receiver.url,
        }
        order = {"system": system, "environment": environment}
        assert server.run({**order, "fault": killed_at.fault(hit=killed_at.hit)}) == KILLED, log.read_text()[before:]
        with connect(settings.hq_database_url or "") as connection:  # instead of waiting until it has expired
            connection.execute("update runners set expires_at = clock_timestamp() where ended_at is null")
            connection.commit()
        assert server.run(order) == 0, log.read_text()[before:]
        with connect(settings.hq_database_url or "") as connection:
            keys = [row["batch_key"] for row in connection.execute("select batch_key from batches").fetchall()]
        assert len(keys) <= 1, "the second process went on with the first one's batch"
        printed = log.read_text()[before:]
        _try_queries(settings, printed)
        yield Shown(system, settings, printed, sandbox, keys[0] if keys else "")
    close_handles()


def _try_queries(settings: Settings, printed: str) -> None:
    """Ask what a demo says to ask next: each has rows, and every column of it has a value somewhere."""
    for query in re.findall(r'^  enrich query "(.+)"$', printed, re.MULTILINE):
        with ask(None, settings, query) as answer:
            rows = list(answer.rows())
        empty = [name for name, values in zip(answer.columns, zip(*rows, strict=True), strict=True) if not any(values)]
        assert rows and not empty, (query, empty)


def rows_by_reader(demo: Shown, client: str) -> dict[str, tuple[int, int, int]]:
    """View of the demo's system -> its rows of the client: as their owner, as its reader, as another client's reader.

    In HQ, where readers are let at nothing, they are let at everything here, as somebody might by mistake.
    """
    hq = hq_of(demo.settings)
    add_client(hq, "bystander", actor=TESTER)
    clients = (client, "bystander")
    roles = [grant_reader(hq, slug, actor=TESTER, password=PASSWORD).reader.role for slug in clients]
    found = {}
    for database, url in (("hq", hq.url), ("workspace", hq.workspace.url)):
        there = [view for view in views(database) if view.system == demo.system]  # type: ignore[arg-type]
        with connect(url, autocommit=True) as owner:
            for role in roles if database == "hq" else ():
                every = "grant usage on schema public to {0}; grant select on all tables in schema public to {0}"
                owner.execute(sql.SQL(every).format(sql.Identifier(role)))
                let_use(owner, there, roles)
            for view in there:
                rows = owner.execute(sql.SQL("select to_jsonb(v) as row from {} v").format(view.identifier)).fetchall()
                theirs = [_rows(as_role(url, role), view.identifier) for role in roles]
                mine = sum(_is_of(row["row"], client) for row in rows)
                found[view.identifier.as_string(None).replace('"', "")] = (mine, theirs[0], theirs[1])
    for slug in clients:
        assert revoke_reader(hq, slug, actor=TESTER).left is None
    return found


def _rows(url: str, view: sql.Identifier) -> int:
    with connect(url) as connection:
        row = connection.execute(sql.SQL("select count(*) as n from {}").format(view)).fetchone()
    return int(row["n"]) if row else -1


def _is_of(row: dict[str, Any], client: str) -> bool:
    """Whether a view's row is the client's; the demo's is the only one that has any."""
    return bool(row["client_slug"] == client) if "client_slug" in row else row.get("client_id") is not None
