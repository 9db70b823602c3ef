"""A clock that tests set: the database's, by which everything here goes. Nobody sleeps."""

from __future__ import annotations

from datetime import datetime

import psycopg


class Clock:
    """Shifts what `clock_timestamp()` and `now()` say in one database, for sessions that begin from then on."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("create table public.clock_shift (by interval not null)")
        self._connection.execute("insert into public.clock_shift values ('0')")
        for name in ("clock_timestamp", "now"):
            self._connection.execute(
                f"create function public.{name}() returns timestamptz language sql volatile as "
                f"'select pg_catalog.{name}() + (select by from public.clock_shift)'"
            )
        database = self._connection.info.dbname
        self._connection.execute(f'alter database "{database}" set search_path = public, pg_catalog')

    def set(self, moment: datetime) -> None:
        """It is this moment now, and goes on from there."""
        self.moment = moment
        self._connection.execute("update public.clock_shift set by = %s - pg_catalog.clock_timestamp()", (moment,))

    def close(self) -> None:
        """Leave the database."""
        self._connection.close()
