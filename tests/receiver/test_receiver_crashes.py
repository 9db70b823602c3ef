"""A 2xx is a promise: it holds when the receiver is killed, and when Postgres is, at any moment."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import psycopg
import pytest
from call_fixture import CallFixture, inbox, insert_calls

from enrichment_assets.installation.databases import HQ_NAME, embedded_server, open_databases
from enrichment_assets.receiver.process import ReceiverProcess
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect

Hq = psycopg.Connection[dict[str, Any]]


class Senders:
    """Keeps posting one callback for each token, and remembers which were answered 2xx, and with what else."""

    def __init__(self, receiver: ReceiverProcess, inserted: CallFixture) -> None:
        self._url = f"{receiver.url}/callbacks/"
        self._tokens = iter(inserted.tokens)
        self.acknowledged: set[str] = set()
        self.statuses: list[int] = []
        self.broken = 0
        self._progress = asyncio.Condition()

    async def run(self, event: Callable[[], Awaitable[None]], workers: int = 16) -> None:
        """Send with `workers` connections while `event` happens; return when the tokens are used up."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
            sending = [asyncio.create_task(self._work(session)) for _ in range(workers)]
            await event()
            await asyncio.gather(*sending)

    async def have_acknowledged(self, count: int) -> None:
        """Return when `count` callbacks more than now were answered 2xx."""
        goal = len(self.acknowledged) + count
        async with asyncio.timeout(30), self._progress:
            await self._progress.wait_for(lambda: len(self.acknowledged) >= goal)

    async def _work(self, session: aiohttp.ClientSession) -> None:
        for token in self._tokens:
            try:
                async with session.post(self._url + token, data=token.encode()) as answer:
                    self.statuses.append(answer.status)
                    if answer.status < 300:
                        self.acknowledged.add(token)
                        async with self._progress:
                            self._progress.notify_all()
            except (aiohttp.ClientError, OSError):
                self.broken += 1
                await asyncio.sleep(0.005)


def _stored(hq: Hq) -> set[str]:
    rows = inbox(hq)
    bodies = {row["body"].decode() for row in rows}
    assert len(bodies) == len(rows)
    return bodies


@pytest.mark.parametrize("after", [1, 200, 1000])
async def test_a_receiver_killed_under_load_loses_no_acknowledged_callback(
    settings: Settings, hq: Hq, after: int
) -> None:
    inserted = insert_calls(hq, calls=4000)
    with ReceiverProcess(settings) as receiver:
        senders = Senders(receiver, inserted)

        async def kill() -> None:
            await senders.have_acknowledged(after)
            receiver.process.send_signal(signal.SIGKILL)

        await senders.run(kill)
        assert receiver.process.wait() == -signal.SIGKILL
    assert len(senders.acknowledged) >= after
    assert senders.broken, "the kill has to come before the load ends"
    assert senders.acknowledged <= _stored(hq)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Settings]:
    """A Postgres of this test's own, to be killed; its commits are asynchronous unless a session objects."""
    home = Path(tempfile.mkdtemp(prefix="enrich-crash-", dir="/tmp"))
    home.chmod(0o755)
    settings = Settings(home=home)
    open_databases(settings)
    server = embedded_server(settings)
    with connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("alter system set synchronous_commit = off")
        connection.execute("alter system set wal_writer_delay = '10s'")
        connection.execute("select pg_reload_conf()")
    yield Settings(home=home, hq_database_url=server.url(HQ_NAME), workspace_database_url=server.url(HQ_NAME))
    server.stop()
    shutil.rmtree(home)


async def test_postgres_killed_under_load_loses_no_acknowledged_callback_and_the_receiver_recovers(
    own_server: Settings,
) -> None:
    server = embedded_server(Settings(home=own_server.home))
    with connect(own_server.hq_database_url or "") as hq:
        inserted = insert_calls(hq, calls=6000)
    with ReceiverProcess(own_server) as receiver:
        senders = Senders(receiver, inserted)

        def restart() -> None:
            pid = server.server_pid()
            assert pid is not None
            shut_down_at_once(pid)
            server.start()

        async def crash_twice() -> None:
            for _ in range(2):
                await senders.have_acknowledged(500)
                await asyncio.to_thread(restart)

        await senders.run(crash_twice)
        assert 503 in senders.statuses or 200 in senders.statuses, "the crash has to hit callbacks in flight"
        assert set(senders.statuses) <= {200, 202, 503}
        assert receiver.process.poll() is None
        assert receiver.ready()
        async with httpx.AsyncClient(base_url=receiver.url) as client:
            late = await client.post(f"/callbacks/{inserted.tokens[0]}", content=b"after the crash")
        assert late.status_code == 202
    with connect(own_server.hq_database_url or "") as hq:
        stored = _stored(hq)
    assert senders.acknowledged <= stored


def test_an_idle_receiver_survives_a_restart_of_postgres_unnoticed(own_server: Settings) -> None:
    server = embedded_server(Settings(home=own_server.home))
    with connect(own_server.hq_database_url or "") as hq:
        inserted = insert_calls(hq, calls=2)
    with ReceiverProcess(own_server) as receiver:
        codes = [httpx.post(f"{receiver.url}/callbacks/{inserted.tokens[0]}", content=b"1").status_code]
        server.stop()
        server.start()
        codes.append(httpx.post(f"{receiver.url}/callbacks/{inserted.tokens[1]}", content=b"2").status_code)
    assert codes == [202, 202]


async def test_nothing_is_answered_while_the_commit_cannot_happen(receiver: ReceiverProcess, hq: Hq) -> None:
    inserted = insert_calls(hq, calls=20)
    async with aiohttp.ClientSession() as session:

        async def post(token: str) -> int:
            async with session.post(f"{receiver.url}/callbacks/{token}", data=b"x") as answer:
                return answer.status

        hq.execute("lock table callback_inbox in share mode")  # reads may go on, an insert has to wait
        answers = [asyncio.create_task(post(token)) for token in inserted.tokens]
        _, waiting = await asyncio.wait(answers, timeout=1.5)
        assert len(waiting) == len(answers)
        async with session.get(f"{receiver.url}/health") as health:
            assert health.status == 200
        hq.rollback()
        assert await asyncio.gather(*answers) == [202] * 20
    assert len(inbox(hq)) == 20


def test_a_commit_that_takes_too_long_is_answered_503_and_a_second_try_gets_through(settings: Settings, hq: Hq) -> None:
    inserted = insert_calls(hq)
    with ReceiverProcess(settings, environment={"ENRICH_RECEIVER_STATEMENT_SECONDS": "0.3"}) as receiver:
        hq.execute("lock table callback_inbox in share mode")
        assert httpx.post(f"{receiver.url}/callbacks/{inserted.tokens[0]}", content=b"x").status_code == 503
        hq.rollback()
        assert inbox(hq) == []
        assert httpx.post(f"{receiver.url}/callbacks/{inserted.tokens[0]}", content=b"x").status_code == 202


def test_a_commit_that_fails_is_answered_503(receiver: ReceiverProcess, hq: Hq) -> None:
    """The insert succeeds and only the commit fails, by a check that Postgres defers to it."""
    inserted = insert_calls(hq)
    hq.execute(
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no commit'; end $$"
    )
    hq.execute(
        "create constraint trigger refuse after insert on callback_inbox deferrable initially deferred"
        " for each row execute function refuse()"
    )
    hq.commit()
    assert httpx.post(f"{receiver.url}/callbacks/{inserted.tokens[0]}", content=b"x").status_code == 503
    assert inbox(hq) == []
    hq.execute("drop trigger refuse on callback_inbox")
    hq.commit()
    assert httpx.post(f"{receiver.url}/callbacks/{inserted.tokens[0]}", content=b"x").status_code == 202


async def test_sigterm_finishes_what_is_in_flight_and_stores_everything_it_acknowledged(
    settings: Settings, hq: Hq
) -> None:
    inserted = insert_calls(hq, calls=3000)
    with ReceiverProcess(settings) as receiver:
        senders = Senders(receiver, inserted)

        async def terminate() -> None:
            await senders.have_acknowledged(300)
            receiver.process.terminate()

        started = time.monotonic()
        await senders.run(terminate)
        receiver.process.wait(15)
        assert time.monotonic() - started < 15
    assert senders.broken, "the signal has to come before the load ends"
    assert senders.acknowledged <= _stored(hq)


def shut_down_at_once(pid: int) -> None:
    """Postgres' immediate shutdown (SIGQUIT to the postmaster): no checkpoint, recovery at the next start."""
    os.kill(pid, signal.SIGQUIT)
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]:
        time.sleep(0.01)
