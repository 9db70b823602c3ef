"""The handle that entry points open and services use: one connection a call, a bound, and no broken connection."""

from __future__ import annotations

import gc
import os
import threading
import traceback
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg_pool import PoolClosed

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.installation.databases import Databases, embedded_server, open_hq
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import Connection, connect
from enrichment_assets.store.hq import Hq
from tests.platform.wire_proxy import Relay


@pytest.fixture
def relay(databases: Databases) -> Iterator[Relay]:
    """Between the handle and this test's HQ."""
    with Relay(databases.hq) as relay:
        yield relay


@pytest.fixture
def through(relay: Relay, databases: Databases, tmp_path: Path) -> Settings:
    """An installation whose HQ is behind the relay."""
    return Settings(tmp_path, hq_database_url=relay.url, workspace_database_url=databases.workspace)


def _pid(connection: Connection) -> int:
    row = connection.execute("select pg_backend_pid() as pid").fetchone()
    assert row is not None
    return int(row["pid"])


def _clients(hq: Hq) -> list[str]:
    with hq.transaction() as connection:
        return [row["slug"] for row in connection.execute("select slug from clients order by slug")]


def _add(connection: Connection, slug: str) -> None:
    connection.execute("insert into clients (slug, name) values (%s, %s)", [slug, slug])


def test_a_handle_connects_with_its_first_use_and_to_all_later_ones_by_the_same_connection(
    relay: Relay, through: Settings
) -> None:
    with open_hq(through) as hq:
        assert relay.connections == 0
        assert [_clients(hq) for _ in range(3)] == [[], [], []]
        assert relay.connections == 1
        assert hq.url == relay.url


def test_a_handle_that_nobody_used_made_nothing(tmp_path: Path) -> None:
    before = threading.active_count()
    with open_hq(Settings(tmp_path / "home")):
        assert threading.active_count() == before
    assert not (tmp_path / "home").exists()


def test_a_transaction_is_committed_at_its_end_and_rolled_back_by_an_error(settings: Settings) -> None:
    with open_hq(settings) as hq:
        with hq.transaction() as connection:
            _add(connection, "acme")
        with pytest.raises(ZeroDivisionError), hq.transaction() as connection:
            _add(connection, "never")
            raise ZeroDivisionError
        with pytest.raises(psycopg.errors.UniqueViolation), hq.transaction() as connection:
            _add(connection, "acme")
        assert _clients(hq) == ["acme"]


def test_the_revision_is_looked_at_once_a_process(settings: Settings, databases: Databases) -> None:
    with open_hq(settings) as hq:
        assert _clients(hq) == []
    with connect(databases.hq) as connection:
        connection.execute("update alembic_version set version_num = '9001'")  # a first look would refuse this
    with open_hq(settings) as hq:
        assert _clients(hq) == []


def test_two_threads_have_a_transaction_each_at_the_same_time(settings: Settings) -> None:
    both = threading.Barrier(2, timeout=30)

    def work(slug: str) -> int:
        with hq.transaction() as connection:
            _add(connection, slug)
            both.wait()
            return _pid(connection)

    with open_hq(settings) as hq, ThreadPoolExecutor(2) as threads:
        assert len(set(threads.map(work, ["one", "two"]))) == 2
        assert _clients(hq) == ["one", "two"]


def test_no_more_connections_are_made_than_the_bound_and_who_waits_too_long_is_told(settings: Settings) -> None:
    with open_hq(settings, most=2, patience=0.3) as hq:
        with hq.transaction() as first, hq.transaction() as second:
            assert _pid(first) != _pid(second)
            with pytest.raises(InfrastructureError, match=r"All 2 connections .* are in use"), hq.transaction():
                pass
        with ThreadPoolExecutor(8) as threads:
            pids = set(threads.map(lambda _: _in_turn(hq), range(40)))
        assert len(pids) <= 2


def _in_turn(hq: Hq) -> int:
    with hq.transaction() as connection:
        return _pid(connection)


def test_connections_that_broke_between_two_calls_are_replaced(relay: Relay, through: Settings) -> None:
    with open_hq(through) as hq:
        with hq.transaction() as one, hq.transaction() as two, hq.transaction() as three:
            assert len({_pid(one), _pid(two), _pid(three)}) == 3
        relay.cut()
        assert _clients(hq) == []
        with hq.transaction() as connection:
            _add(connection, "acme")
        assert _clients(hq) == ["acme"]


def test_a_connection_that_breaks_within_a_transaction_loses_it_whole(relay: Relay, through: Settings) -> None:
    with open_hq(through) as hq:
        with pytest.raises(InfrastructureError, match="nothing of this"), hq.transaction() as connection:
            _add(connection, "never")
            relay.cut()
            _pid(connection)
        assert _clients(hq) == []


def test_an_embedded_server_that_was_stopped_is_started_by_the_next_call(open_folder: Path) -> None:
    settings = Settings(open_folder / "home")
    try:
        with open_hq(settings) as hq:
            with hq.transaction() as connection, hq.workspace.transaction() as workspace:
                _add(connection, "acme")
                workspace.execute("create table leads (email text)")
            embedded_server(settings).stop()
            assert _clients(hq) == ["acme"]
            embedded_server(settings).stop()
            with hq.workspace.transaction() as workspace:
                assert workspace.execute("select * from leads").fetchall() == []
    finally:
        embedded_server(settings).remove()


def test_a_server_that_stays_away_is_told_without_the_password(relay: Relay, through: Settings) -> None:
    with open_hq(through, patience=0.5) as hq:
        assert _clients(hq) == []
        relay.go_away()
        with pytest.raises(InfrastructureError, match=rf"127.0.0.1:{relay.port}/") as later:
            _clients(hq)
    with open_hq(through, patience=0.5) as hq, pytest.raises(InfrastructureError, match="refused") as at_first:
        _clients(hq)
    for caught in (later, at_first):
        assert "hush-hush" not in "".join(traceback.format_exception(caught.value))


def test_a_closed_handle_leaves_no_connection_no_thread_and_no_warning(settings: Settings, hq: Connection) -> None:
    before = threading.active_count()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with open_hq(settings) as handle, handle.transaction() as one, handle.transaction() as two:
            pids = [_pid(one), _pid(two)]
        handle.close()
        with pytest.raises(PoolClosed):
            _clients(handle)
        del one, two, handle
        gc.collect()
    assert threading.active_count() == before
    left = hq.execute("select pid from pg_stat_activity where pid = any(%s) and state = 'active'", [pids]).fetchall()
    assert left == []


def test_a_forked_process_connects_anew_and_leaves_the_parents_connection_alone(settings: Settings) -> None:
    reading, writing = os.pipe()
    with open_hq(settings) as hq, hq.transaction() as connection:
        parents = _pid(connection)
        child = os.fork()
        if child == 0:
            try:
                with hq.transaction() as own:
                    os.write(writing, str(_pid(own)).encode())
                hq.close()
            finally:
                os._exit(0)
        os.close(writing)
        _, status = os.waitpid(child, 0)
        with os.fdopen(reading) as pipe:
            childs = int(pipe.read())
        assert status == 0 and childs != parents
        assert _pid(connection) == parents
