"""Connections that notice when nobody is at the other end any more: of a host that went away, a router that forgot.

TCP says nothing about a peer that vanished, and a statement waits for its answer for ever. Two bounds end that: the
system asks an idle peer for a sign of life and gives unanswered bytes up after a minute (libpq's keepalives and
`tcp_user_timeout`), and no wait for a statement is longer than a connection's patience, whoever keeps the line open.
A wait that is over breaks the connection: whatever the server still says to it would answer another question.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import _WaitTimeout

SIGNS_OF_LIFE = {
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""Libpq's parameters: after how many seconds a silent peer is asked, how often, and how many milliseconds bytes may
stay unacknowledged. A Unix socket has no use for them."""

PATIENCE_SECONDS = 1800.0
"""Seconds for one statement where nothing else is said: more than any takes on millions of rows."""

_INTERVAL = 0.1


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that breaks where a statement is not answered within `patience` seconds."""

    patience = PATIENCE_SECONDS

    def wait(self, gen: PQGen[RV], interval: float = _INTERVAL, timeout: float | None = None) -> RV:
        """As psycopg's; raises `psycopg.OperationalError` where the patience is over."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, self.patience)
        except _WaitTimeout:
            self.pgconn.finish()
            raise _silent(self.patience) from None


class BoundedAsyncConnection(psycopg.AsyncConnection[dict[str, Any]]):
    """The same for asyncio."""

    patience = PATIENCE_SECONDS

    async def wait(
        self,
        gen: PQGen[RV],
        interval: float = _INTERVAL,
        timeout: float | None = None,  # noqa: ASYNC109 - psycopg's name
    ) -> RV:
        """As psycopg's; raises `psycopg.OperationalError` where the patience is over."""
        if timeout is not None:
            return await super().wait(gen, interval, timeout)
        try:
            return await super().wait(gen, interval, self.patience)
        except _WaitTimeout:
            self.pgconn.finish()
            raise _silent(self.patience) from None


def signs_of_life(url: str) -> dict[str, str]:
    """The parameters of `SIGNS_OF_LIFE` about which a libpq URL says nothing itself; none for a Unix socket."""
    said = conninfo_to_dict(url)
    if str(said.get("host") or "/").startswith("/") and "hostaddr" not in said:
        return {}
    return {name: value for name, value in SIGNS_OF_LIFE.items() if name not in said}


def with_signs_of_life(url: str) -> str:
    """The URL with these parameters, for drivers that are given nothing but a URL."""
    parts = urlsplit(url)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *signs_of_life(url).items()]
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote, safe="/")))


def _silent(seconds: float) -> psycopg.OperationalError:
    return psycopg.OperationalError(f"the server has not answered for {seconds:.0f} s: the connection is given up")
