"""Which tables a question names: opening the files of the others would cost more than most questions do."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any

import duckdb
import orjson

HARMLESS = frozenset({"unnest", "range", "generate_series"})
"""Table functions that read no table."""

_TABLE, _FUNCTION, _SHOWN = "BASE_TABLE", "TABLE_FUNCTION", "SHOW_REF"


def tables_named(connection: duckdb.DuckDBPyConnection, query: str, known: Set[str]) -> set[str] | None:
    """Which of the known tables a query names, in lower case; those of the schema `hq` have `hq.` before their name.

    None where nobody can tell: it is no SELECT (PIVOT, say), does not parse, names a table that is not known, or asks
    what tables there are.
    """
    row = connection.execute("select json_serialize_sql(?::varchar)", [query]).fetchone()
    said = orjson.loads(row[0]) if row else {"error": True}
    if said["error"]:
        return None
    named, defined = set[str](), set[str]()
    for node in _nodes(said):
        defined |= {str(entry["key"]).lower() for entry in (node.get("cte_map") or {}).get("map", [])}
        kind = node.get("type")
        if kind == _SHOWN or (kind == _FUNCTION and _function(node) not in HARMLESS):
            return None
        if kind == _TABLE:
            schema, name = str(node["schema_name"]).lower(), str(node["table_name"]).lower()
            named.add(name if schema in ("", "main") else f"{schema}.{name}")
    return named & known if named <= known | defined else None


def _function(node: dict[str, Any]) -> str:
    return str((node.get("function") or {}).get("function_name", "")).lower()


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every part of a parsed query."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
