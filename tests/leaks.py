"""What tells of a person, and whether a text holds any of it: for tests that read logs and events as text."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from psycopg import sql

from enrichment_assets.installation.databases import open_databases
from enrichment_assets.settings import Settings
from enrichment_assets.store.database import connect

PERSONAL_KEYS = frozenset(
    {"first_name", "last_name", "name", "full_name", "email", "emails", "personal_emails", "phone", "phone_number",
     "raw_number", "sanitized_number", "linkedin_url", "twitter_url", "facebook_url", "headline", "description",
     "summary", "text", "photo_url", "value"}
)  # fmt: skip
"""Members of answers that name, reach or describe somebody."""

SHORTEST = 4
"""Shorter values are words of every language."""


class Haystack:
    """A text to be searched, whatever way its characters were escaped in JSON."""

    def __init__(self, text: str) -> None:
        plain = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
        self._text = " ".join(re.sub(r"\\+[nrt]", " ", plain).casefold().split())
        self._words = frozenset(re.findall(r"\w+", self._text))

    def holds(self, values: Iterable[str]) -> set[str]:
        """Those of the values that stand in the text: a word as a word, anything longer anywhere in it."""
        return {value for value in values if self._has(" ".join(value.casefold().split()))}

    def _has(self, value: str) -> bool:
        if len(value) < SHORTEST:
            return False
        return value in self._words if re.fullmatch(r"\w+", value) else value in self._text


def answered_values(settings: Settings) -> set[str]:
    """Every text under a personal key in what providers answered."""
    with connect(open_databases(settings).hq) as hq:
        rows = hq.execute("select payload, fields from enrichment_results").fetchall()
    return {text for row in rows for value in row.values() for text in _personal(value)}


def _personal(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _personal(member, name)
    elif isinstance(value, list):
        for member in value:
            yield from _personal(member, key)
    elif isinstance(value, str) and key in PERSONAL_KEYS:
        yield value


def sqlite_text(folder: Path) -> str:
    """Every row of every table of every SQLite file below a folder."""
    rows = []
    for path in sorted(folder.rglob("*.db")):
        with sqlite3.connect(path) as database:
            tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
            rows += [str(row) for table in tables for row in database.execute(f'select * from "{table}"')]
    return "\n".join(rows)


def postgres_text(url: str) -> str:
    """Every row of every table of the schema that a URL leads to."""
    with connect(url) as database:
        query = "select table_name from information_schema.tables where table_schema = current_schema()"
        tables = [str(row["table_name"]) for row in database.execute(query).fetchall()]
        whole = [sql.SQL("select t::text as row from {} as t").format(sql.Identifier(table)) for table in tables]
        return "\n".join(str(row["row"]) for statement in whole for row in database.execute(statement).fetchall())
