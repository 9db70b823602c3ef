"""Whoever waits for a server that says nothing any more stops waiting, and says what is known of what it asked for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.engine.run.advance import _heartbeat
from enrichment_assets.engine.run.context import Lease
from enrichment_assets.installation.databases import Databases, open_hq
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect, connect_async
from enrichment_assets.store.links import SIGNS_OF_LIFE, BoundedConnection, with_signs_of_life
from enrichment_assets.store.runs import claims
from tests.faults.proxy import CUT, REFUSED, SILENT, Fate, Link, Links, links
from tests.harness.batches import BatchHarness, people, step

PATIENCE = 0.3


@pytest.fixture
def opened() -> Iterator[Links]:
    with links(seed=1) as opened:
        yield opened


@pytest.fixture
def link(opened: Links, databases: Databases) -> Link:
    """In front of this test's HQ."""
    known = conninfo_to_dict(databases.hq)
    host, port = str(known["host"]), int(known["port"])
    return opened.add("Postgres", f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port))


def url_over(link: Link, databases: Databases) -> str:
    known = conninfo_to_dict(databases.hq)
    return f"postgresql://{known['user']}@127.0.0.1:{link.port}/{known['dbname']}"


def silent_at(link: Link, word: bytes, kind: str = SILENT) -> None:
    """Let the line of the next connection fail where the server has been told this word, and its answer is due."""
    link.fated(Fate(kind, upward=False, after=1, behind=word))


def test_a_statement_without_an_answer_breaks_its_connection_when_the_patience_is_over(
    link: Link, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedConnection, "patience", PATIENCE)
    silent_at(link, b"pg_sleep(0)")
    with connect(url_over(link, databases), autocommit=True) as connection:
        assert connection.execute("select 1 as one").fetchone() == {"one": 1}
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError, match="has not answered for 0 s: the connection is given up"):
            connection.execute("select pg_sleep(0)")
        assert (connection.closed, time.monotonic() - began < 5) == (True, True)


def test_the_same_for_a_connection_of_a_run_alone_or_in_a_pipeline(link: Link, databases: Databases) -> None:
    async def ask(pipelined: bool) -> bool:
        silent_at(link, b"pg_sleep(0)")
        connection = await connect_async(url_over(link, databases), autocommit=True, patience=PATIENCE)
        with pytest.raises(psycopg.OperationalError):
            if not pipelined:
                await connection.execute("select pg_sleep(0)")
            async with connection.pipeline():
                await connection.execute("begin")
                cursor = await connection.execute("select pg_sleep(0)")
                await cursor.fetchall()
        return connection.closed

    assert [asyncio.run(ask(pipelined)) for pipelined in (False, True)] == [True, True]


@pytest.mark.parametrize("kind", [SILENT, CUT])
def test_who_is_not_told_whether_a_change_was_kept_is_told_that_and_other_changes_were_not(
    link: Link, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(BoundedConnection, "patience", PATIENCE)
    there = Settings(tmp_path, hq_database_url=databases.hq, workspace_database_url=databases.workspace)
    through = replace(there, hq_database_url=url_over(link, databases))
    add = "insert into clients (slug, name) values (%s, %s)"
    with open_hq(there) as hq, hq.transaction() as connection:
        connection.execute(add, ["before", "Before"])
    silent_at(link, b"COMMIT", kind)
    with open_hq(through) as hq:
        with (
            pytest.raises(InfrastructureError, match="may have been done or not") as error,
            hq.transaction() as connection,
        ):
            connection.execute(add, ["unknown", "Unknown"])
        assert error.value.code == "database.commit_unknown"
        silent_at(link, b"clients", kind)
        with (
            pytest.raises(InfrastructureError, match="nothing of this step was changed") as lost,
            hq.transaction() as connection,
        ):
            connection.execute(add, ["lost", "Lost"])
        assert lost.value.code == "database.connection_lost"
        with hq.transaction() as connection:  # the handle has another connection
            found = connection.execute("select slug from clients order by slug").fetchall()
    assert [row["slug"] for row in found] == ["before", "unknown"], "the server was told to commit, and did"


def test_a_url_asks_for_signs_of_life_unless_it_says_otherwise() -> None:
    asked = conninfo_to_dict(with_signs_of_life("postgresql://u:p%40w@h:1/d?options=-csearch_path%3Da%20-cx%3D1"))
    assert {name: asked[name] for name in SIGNS_OF_LIFE} == SIGNS_OF_LIFE
    assert (asked["password"], asked["options"]) == ("p@w", "-csearch_path=a -cx=1")
    own = conninfo_to_dict(with_signs_of_life("postgresql://h/d?tcp_user_timeout=5000"))
    assert (own["tcp_user_timeout"], own["keepalives_idle"]) == ("5000", "30")


def test_a_run_that_cannot_renew_its_lease_for_a_while_goes_on_trying(
    link: Link, databases: Databases, harness: BatchHarness
) -> None:
    batch = harness.launch(people(1), step("first"))

    async def beat() -> bool:
        lease, url = Lease(1.0), url_over(link, databases)
        async with await connect_async(databases.hq, autocommit=True) as connection:
            runner = await claims.start_runner(connection, batch.batch_id, "run", lease.seconds)
            for _ in range(3):
                link.fated(Fate(REFUSED))
            beating = asyncio.create_task(_heartbeat(url, runner, lease))
            await asyncio.sleep(1.5)
            beating.cancel()
            return await (await claims.alive(connection, runner)).result()

    assert asyncio.run(beat())
    assert link.counts[REFUSED] == 3
