"""Searches all that an installation keeps for a person's values: every column of every table, every file's bytes.

It knows nothing of how the product finds people: it casts whatever there is to text, opens what is packed, and looks
for the values in lower case, with JSON's and Postgres' escapes taken back.
"""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
from psycopg import sql

from enrichment_assets.settings import Settings

_APART = ("pg_catalog", "information_schema", "pg_toast")


def traces(settings: Settings, values: Sequence[str], *more: Path) -> list[str]:
    """Where any of the values stands: `schema.table.column`, or a path; `more`: files outside of the home."""
    found: list[str] = []
    urls = {settings.hq_database_url, settings.workspace_database_url, settings.dagster_database_url}
    for url in sorted(filter(None, urls)):
        found += _in_database(url, values)
    files = [path for path in sorted(settings.home.rglob("*")) if path.is_file()]
    return list(dict.fromkeys(found)) + [str(path) for path in [*files, *more] if _names(_texts(path), values)]


def _in_database(url: str, values: Sequence[str]) -> Iterator[str]:
    with psycopg.connect(url) as connection:
        columns = connection.execute(
            "select table_schema, table_name, column_name, data_type from information_schema.columns "
            "join information_schema.tables using (table_schema, table_name) "
            "where table_type = 'BASE TABLE' and not table_schema = any(%s)",
            (list(_APART),),
        ).fetchall()
        for schema, table, column, kind in columns:
            name = sql.Identifier(column)
            text = sql.SQL("encode({}, 'hex')") if kind == "bytea" else sql.SQL("{}::text")
            query = sql.SQL("select {} from {}").format(text.format(name), sql.Identifier(schema, table))
            for (cell,) in connection.execute(query):
                if cell is not None and _names(_opened(bytes.fromhex(cell)) if kind == "bytea" else [cell], values):
                    yield f"{schema}.{table}.{column}"
                    break


def _texts(path: Path) -> Iterator[str]:
    if path.suffix == ".parquet":
        yield str(pq.ParquetFile(path).read().to_pylist())
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            yield from (packed.read(name).decode("utf-8", "replace") for name in packed.namelist())
    yield path.name
    yield from _opened(path.read_bytes())


def _opened(content: bytes) -> Iterator[str]:
    """Bytes as text, in the encodings that lists come in, and unpacked where they are packed."""
    yield content.decode("utf-8", "replace")
    yield content.decode("utf-16-le", "replace")
    yield content.decode("latin-1")
    for unpack in (gzip.decompress, zlib.decompress):
        try:
            yield unpack(content).decode("utf-8", "replace")
        except (OSError, EOFError, zlib.error):
            continue


def _names(texts: Iterator[str] | list[str], values: Sequence[str]) -> bool:
    for text in texts:
        plain = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text).casefold()
        digits = re.sub(r"[^0-9a-z]", "", plain)
        if any(value.casefold() in plain or (value.isdigit() and value in digits) for value in values):
            return True
    return False
