"""What DuckDB says of a question that does not run, as one line that keeps its hint."""

from __future__ import annotations

import re

import duckdb

from enrichment_assets.domain.suggestions import did_you_mean

_NO_TABLE = re.compile(r'Table with name "?(?P<name>[^"]+?)"? does not exist!')
_NO_COLUMN = re.compile(r'does not have a column named "(?P<name>[^"]+)"')
_PLACE = re.compile(r"\s*\n+LINE (\d+): ")
_CANDIDATES = re.compile(r"Candidate bindings:[\s:]*(.+)", re.DOTALL)


def said_by_duckdb(error: duckdb.Error, connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """One sentence: what is wrong, what was probably meant, and the line where the query has several.

    For a table DuckDB suggests catalogue tables of its own, and nothing for a column of a view that has an alias; here
    what can be asked is suggested.
    """
    text = str(error).strip()
    place = _PLACE.search(text)
    sentence = text[: place.start()] if place else text.splitlines()[0]
    if (missing := _NO_TABLE.search(sentence)) is not None:
        name = missing["name"]
        sentence = f"there is no table {name!r}{did_you_mean(name, _tables(connection))}"
    elif (candidates := _CANDIDATES.search(sentence)) is not None:
        before = sentence[: candidates.start()].strip()
        sentence = f"{before}; did you mean {candidates[1].strip()}?"
    elif (lacking := _NO_COLUMN.search(sentence)) is not None:
        sentence = f"{sentence.strip()}{did_you_mean(lacking['name'], _columns(connection))}"
    line = f" (line {place[1]})" if place and "\n" in query.strip() else ""
    return " ".join(sentence.split()) + line


def _columns(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = connection.execute("select distinct column_name from duckdb_columns() where not internal order by 1")
    return [name for (name,) in found.fetchall()]


def _tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Everything that can be asked by name, `hq.batches` also as `batches`."""
    rows = connection.execute(
        "select schema_name, view_name from duckdb_views() where not internal "
        "union all select schema_name, table_name from duckdb_tables() where not internal"
    ).fetchall()
    return [name for _, name in rows] + [f"{schema}.{name}" for schema, name in rows if schema != "main"]
