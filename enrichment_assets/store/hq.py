"""The handle that an entry point opens and every service is given: HQ, and the workspace beside it.

`with hq.transaction() as connection:` is all that a service knows of connections. What is behind it: a bounded pool
(psycopg's), opened with the first use and not before, so that a command that needs no database connects to none. A
connection that broke meanwhile is replaced. Nothing is kept in a session, so a transaction-pooling proxy may stand in
between.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

import psycopg
from psycopg.rows import DictRow
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.store.database import Connection, Opened, place, reason

MOST_CONNECTIONS = 10
"""How many connections one process holds to a database at most, and so how many transactions it has at a time."""

PATIENCE_SECONDS = 20.0
"""How long a transaction waits for a connection: for another thread to give one back, or for a restarted server."""

_IDLE_SECONDS = 60.0


class Database:
    """One database, for all threads of a process; a process that was forked connects anew."""

    def __init__(
        self,
        open_connection: Callable[[], Opened],
        *,
        most: int = MOST_CONNECTIONS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Describe the database; nothing is connected yet.

        Args:
            open_connection: Makes a connection, doing whatever makes the database usable first. Called for the first
                use and whenever one more is needed; raises `InfrastructureError`.
            most: Bound of the connections that are open at a time.
            patience: Seconds that `transaction()` waits for one.
        """
        self._open_connection = open_connection
        self._most = most
        self._patience = patience
        self._lock = threading.Lock()
        self._pool: ConnectionPool[Connection] | None = None
        self._first: Connection | None = None
        self._failure: InfrastructureError | None = None
        self._url = ""
        self._closed = False
        _handles.add(self)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection whose work is committed at the end, and rolled back when the block raises.

        Do not ask for a second one of the same database inside: when all are taken, each would wait for another.

        Raises:
            InfrastructureError: The server cannot be reached, all connections stay taken, or the connection was lost
                in between, perhaps while it committed; carries no password.
        """
        pool = self._opened()
        connection = self._working(pool)
        done = False
        try:
            with connection:
                yield connection
                done = True
        except psycopg.OperationalError as error:
            if not connection.closed:
                raise
            raise self._lost(error, committing=done) from None
        finally:
            pool.putconn(connection)

    def _lost(self, error: psycopg.OperationalError, *, committing: bool) -> InfrastructureError:
        """What is known when a connection broke in a transaction: a commit that was not answered may have been done."""
        told = f"The connection to the database at {place(self._url)} was lost"
        if committing:
            return InfrastructureError(
                f"{told} while it was told to keep the change: that may have been done or not. Look before you repeat "
                "it.",
                code="database.commit_unknown",
            )
        return InfrastructureError(
            f"{told}: nothing of this step was changed ({reason(error, self._url)})", code="database.connection_lost"
        )

    @property
    def url(self) -> str:
        """Libpq URL, for what makes connections of its own (the engine, ADBC). The database is usable by then.

        Raises:
            InfrastructureError: As `transaction`.
        """
        self._opened()
        return self._url

    def close(self) -> None:
        """Close all connections; those in use are closed when they are given back. Closing twice is fine."""
        with self._lock:
            self._closed = True
            first, self._first = self._first, None
            if self._pool is not None:
                self._pool.close()
            if first is not None:
                first.close()

    def __enter__(self) -> Self:
        """Nothing is connected before the first use."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _opened(self) -> ConnectionPool[Connection]:
        """The pool. Its first connection is made by this thread, which is told at once why that fails."""
        with self._lock:
            if self._closed:
                raise PoolClosed("the handle of this database was closed")
            if self._pool is None:
                opened = self._open_connection()
                self._first, self._url = opened.connection, opened.url
                self._pool = ConnectionPool(
                    connection_class=_Made,
                    kwargs={"make": self._next_connection},
                    min_size=0,
                    max_size=self._most,
                    timeout=self._patience,
                    reconnect_timeout=self._patience,
                    max_idle=_IDLE_SECONDS,
                    num_workers=1,
                    open=True,
                    name=place(opened.url),
                )
            return self._pool

    def _next_connection(self) -> Connection:
        """For the pool's own thread: the connection that the opening made, then new ones."""
        first, self._first = self._first, None
        if first is not None:
            return first
        try:
            connection = self._open_connection().connection
        except InfrastructureError as error:
            self._failure = error
            raise
        self._failure = None
        return connection

    def _working(self, pool: ConnectionPool[Connection]) -> Connection:
        """A connection that answers. Those that broke since they were used are given back, and the pool drops them."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                connection = pool.getconn(deadline - time.monotonic())
            except PoolTimeout:
                raise self._failure or InfrastructureError(
                    f"All {self._most} connections to the database at {place(self._url)} are in use, and none "
                    f"became free within {self._patience:.0f} seconds.",
                    code="database.connections_taken",
                ) from None
            try:
                ConnectionPool.check_connection(connection)
            except psycopg.Error:
                connection.close()
                pool.putconn(connection)
            except BaseException:
                pool.putconn(connection)
                raise
            else:
                return connection

    def _leave_to_the_parent(self) -> None:
        """In a forked child: drop the pool without closing it, for its sockets are the parent's."""
        _the_parents.append((self._pool, self._first))
        self._lock, self._pool, self._first = threading.Lock(), None, None


class Hq(Database):
    """The operational database, with the one that results are published to beside it.

    Attributes:
        workspace: Where marts and stored results go; it may be the same database.
    """

    def __init__(
        self,
        open_connection: Callable[[], Opened],
        open_workspace: Callable[[], Opened],
        *,
        most: int = MOST_CONNECTIONS,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """Describe both; see `Database`."""
        super().__init__(open_connection, most=most, patience=patience)
        self.workspace = Database(open_workspace, most=most, patience=patience)

    def close(self) -> None:
        """Close the connections to both."""
        super().close()
        self.workspace.close()


class _Made(psycopg.Connection[DictRow]):
    """The way by which psycopg's pool takes connections that we make: it calls the class that it is given."""

    @classmethod
    def connect(cls, conninfo: str = "", *, make: Callable[[], Connection], **_: Any) -> Connection:  # type: ignore[override]
        return make()


_handles: WeakSet[Database] = WeakSet()
_the_parents: list[object] = []


def _after_fork_in_child() -> None:
    for handle in list(_handles):
        handle._leave_to_the_parent()


os.register_at_fork(after_in_child=_after_fork_in_child)
