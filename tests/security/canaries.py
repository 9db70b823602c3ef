"""Ten secrets of an installation that nothing may repeat, and a search for them in all that it leaves behind."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
from psycopg import sql

CANARIES = {
    "key-in-header": "Cnry01hdrXq7Rk2mVt8LwZ5b",
    "key-in-query": "Cnry02qryPd4Sn9cHy3JgF6u",
    "basic-password": "Cnry03bscTw8Mv5kBz1QrX7e",
    "database-password": "Cnry04dbpGj6Yh2nCs9VfL4a",
    "callback-secret": "Cnry05cbsRm3Kd7pWx5ZtN8q",
    "smtp-password": "Cnry06smtHv9Fb4gJy2LcS6w",
    "pepper": "Cnry07pepZk5Tn8rQd3XmG7j",
    "session-key": "Cnry08sesBw2Vh6yLf9PcK4sXt5Gd8mRz3Nk",
    "bearer-of-a-gateway": "Cnry09gwyNq7Jr3tDx8MzH5v",
    "object-store-secret": "Cnry10objSg4Wk9bYn6RpC2f",
}
"""Kind of secret -> its value: letters and digits alone, so that every spelling of a URL or of JSON is the value."""


def needles() -> dict[bytes, str]:
    """What a leak looks like: the value, its hexadecimal, and what base64 makes of it in each of three places."""
    found = {}
    for kind, value in CANARIES.items():
        raw = value.encode()
        found[raw] = kind
        found[raw.hex().encode()] = kind
        for before in range(3):  # the characters at both ends depend on what stands beside the value
            encoded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
            found[encoded[4 if before else 0 : -2].encode()] = kind
    return found


NEEDLES = needles()


def leaks(place: str, text: bytes) -> list[str]:
    """`place: kind` for each canary in the text."""
    return sorted({f"{place}: {kind}" for needle, kind in NEEDLES.items() if needle in text})


def in_files(folder: Path) -> Iterator[str]:
    """Leaks in every file below a folder; Parquet is read, since its pages are compressed."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        place = path.relative_to(folder).as_posix()
        yield from leaks(place, path.read_bytes())
        if path.suffix == ".parquet":
            yield from leaks(place, repr(pq.read_table(path).to_pylist()).encode())


def in_database(url: str) -> Iterator[str]:
    """Leaks in every row of every table of every schema; bytes are looked through as hexadecimal."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, table in tables:
            name = sql.Identifier(schema, table)
            with connection.cursor().copy(sql.SQL("copy (select * from {}) to stdout").format(name)) as rows:
                yield from leaks(f"{schema}.{table}", b"".join(map(bytes, rows)))


def tables_of(url: str) -> set[str]:
    """The tables that `in_database` looks through."""
    with psycopg.connect(url) as connection:
        rows: Iterable[tuple[str]] = connection.execute(
            "select schemaname || '.' || tablename from pg_tables "
            "where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        return {name for (name,) in rows}
