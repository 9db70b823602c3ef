"""Hearing from the workspace at once that rows were inserted: `NOTIFY enrich_sources, 'golf-courses'`.

One connection that stays open between looks. Behind a pooler nothing would be heard, so nobody listens; word that is
lost costs nothing but time, for every source is looked at in its time.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import psycopg

from enrichment_assets.domain.errors import InfrastructureError
from enrichment_assets.store.database import Connection, connect, is_pooled

CHANNEL = "enrich_sources"

MOST_HEARD = 1_000
"""Messages that are read at a time."""


class Ears:
    """Listens on one database, in the process that asks."""

    def __init__(self) -> None:
        """Nothing is connected before the first question."""
        self._url: str | None = None
        self._connection: Connection | None = None
        self._is_deaf = False

    @property
    def is_open(self) -> bool:
        """Whether it listens, or has found out that it cannot."""
        return self._connection is not None or self._is_deaf

    def heard(self, url: Callable[[], str]) -> list[str]:
        """Names of the sources of which word came since the last question. Never waits, never fails.

        Args:
            url: Gives the libpq URL of the workspace.
        """
        with suppress(psycopg.Error, InfrastructureError):
            return self._heard(url())
        self.close()
        return []

    def _heard(self, url: str) -> list[str]:
        if url != self._url:
            self.close()
            self._url, self._is_deaf = url, False
        if self._is_deaf:
            return []
        if self._connection is None:
            self._connection = connect(url, autocommit=True)
            if is_pooled(self._connection):
                self.close()
                self._url, self._is_deaf = url, True
                return []
            self._connection.execute(f"listen {CHANNEL}")
        told = self._connection.notifies(timeout=0, stop_after=MOST_HEARD)
        return list(dict.fromkeys(one.payload for one in told))

    def close(self) -> None:
        """Stop listening; the next question begins anew."""
        connection, self._connection, self._url = self._connection, None, None
        if connection is not None:
            connection.close()
